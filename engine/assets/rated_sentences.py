"""English movie sentences with the sentiment that 20 people gave them (the data set of Hutto & Gilbert, ICWSM 2014)."""

from __future__ import annotations

from pathlib import Path

from engine.assets.archive import take_out
from engine.assets.package import Member
from engine.assets.tables import write_csv

MOVIE_SENTENCES = Member(
    "hutto_ICWSM_2014/movieReviewSnippets_GroundTruth.txt",
    "c8293b0d942e90e223ea2c0955d969040d1a1be514a978b9af0698940bd13350",
    1_383_098,
    "movie_sentences.txt",
)
NEUTRAL = 1.0  # mean ratings run from -4 to 4; what lies within +-1 has no clear side


def write_rated_sentences(source: Path, out: Path) -> None:
    """`text,label` with the labels `negative` and `positive`, of the sentences rated beyond +-1 on average."""
    take_out(source / "hutto_ICWSM_2014.tar.gz", [MOVIE_SENTENCES], out.parent)
    rows = []
    for line in (out.parent / MOVIE_SENTENCES.name).read_text(encoding="utf-8").splitlines():
        _, rating, text = line.split("\t")
        if abs(float(rating)) > NEUTRAL:
            rows.append((text.strip(), "positive" if float(rating) > 0 else "negative"))
    write_csv(out, ("text", "label"), rows)
