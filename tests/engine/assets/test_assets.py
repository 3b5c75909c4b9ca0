"""The embedded models and data sets as they are: counts, columns, labels, folders that load. Fetched where they can be.

Run: python -m pytest tests/engine/assets/test_assets.py
"""

from __future__ import annotations

import csv
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from engine.assets import EMBEDDED, EXAMPLES, example, first_choice, is_cached, model_folder
from engine.assets import __main__ as command
from engine.assets.__main__ import FIRST_RUN, main
from engine.core.errors import AssetProblem, ConfigProblem

ENTITIES = {
    "peoples-daily-ner": {"PER": 20_083, "LOC": 27_890, "ORG": 3_573},
}
LABELS = {
    "rated-sentences": {"positive": 4_539, "negative": 4_484},
    "chinese-reviews": {"positive": 8_301, "negative": 9_019},
}


def get(name: str) -> Path:
    """The file of an example; the test is skipped where it is neither cached nor to be had."""
    try:
        return example(name)
    except AssetProblem as problem:
        if problem.code == "asset_unreachable":
            pytest.skip(f"needs the example {name}: python -m engine.assets fetch {name} (on a connected machine)")
        raise


def rows_of(path: Path) -> list[dict[str, Any]]:
    if path.suffix == ".jsonl":
        return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_is_what_the_catalogue_says(name: str) -> None:
    entry, path = EXAMPLES[name], get(name)
    rows = rows_of(path)
    assert is_cached(name)
    assert len(rows) == entry.rows
    assert list(rows[0]) == list(entry.columns.values())
    if not isinstance(entry.source, Path):
        assert path.stat().st_size == entry.bytes
    texts = [
        row[entry.columns.get("text") or entry.columns.get("context") or entry.columns["document"]] for row in rows
    ]
    assert all(text.strip() for text in texts)
    if entry.task == "classification":
        counts = Counter(row["label"] for row in rows)
        assert min(counts.values()) >= 10 and "" not in counts
        assert counts == LABELS.get(name, counts)
    if entry.task == "ner":
        for row in rows:
            for span in row["spans"]:
                words = row["text"][span["start"] : span["end"]]
                assert words and words == words.strip(), (row["text"], span)
        counts = Counter(span["label"] for row in rows for span in row["spans"])
        assert counts == ENTITIES.get(name, counts)
    if entry.task == "qa":
        for row in rows:
            for text, start in zip(row["answers"]["text"], row["answers"]["answer_start"], strict=True):
                assert row["context"][start : start + len(text)] == text
    if entry.task == "summarization":
        assert all(0 < len(row["summary"]) < len(row["document"]) for row in rows)


def test_chinese_reviews_and_commands_hold_no_copies() -> None:
    for name in ("chinese-reviews", "smart-home-intents-en", "smart-home-intents-zh"):
        texts = [row["text"] for row in rows_of(get(name))]
        assert len(set(texts)) == len(texts), name


def test_newcomers_get_one_example_a_task_in_their_language() -> None:
    chosen = Counter((entry.task, entry.languages) for entry in EXAMPLES.values() if entry.recommended)
    # No embedded model writes Chinese well.
    assert set(chosen) | {("summarization", ("zh",))} == {(entry.task, entry.languages) for entry in EXAMPLES.values()}
    assert set(chosen.values()) == {1}
    for task in {entry.task for entry in EXAMPLES.values()}:
        assert EXAMPLES[first_choice(task, "en")].languages == ("en",)
        own = EXAMPLES[first_choice(task, "zh-CN")]
        assert own.languages == (("en",) if task == "summarization" else ("zh",))
        assert isinstance(own.source, Path), "the page reads it as it opens, perhaps without a network"
    with pytest.raises(LookupError):
        first_choice("dialogue", "en")
    for entry in EXAMPLES.values():
        assert entry.suggestion in EMBEDDED
        for text in (entry.title, entry.about):
            assert text.en and any("\u4e00" <= character <= "\u9fff" for character in text.zh)


@pytest.mark.parametrize(("spoken", "language"), [("C.UTF-8", "en"), ("zh_CN.UTF-8", "zh-CN")])
def test_setup_fetches_what_the_first_tab_opens_with(
    monkeypatch: pytest.MonkeyPatch, spoken: str, language: str
) -> None:
    requests: list[str] = []
    monkeypatch.setattr(command, "_fetch", requests.extend)
    monkeypatch.delenv("TUNEBENCH_LANG", raising=False)
    monkeypatch.setenv("LC_ALL", spoken)
    assert main(["setup"]) == 0
    assert tuple(requests) == FIRST_RUN[language]
    first = EXAMPLES[first_choice("classification", language)]
    assert first.suggestion in requests and (first.name in requests or isinstance(first.source, Path))


@pytest.mark.parametrize("name", EMBEDDED)
def test_a_cached_model_is_a_complete_folder(name: str) -> None:
    if not is_cached(name):
        pytest.skip(f"needs the {name} model: python -m engine.assets fetch {name}")
    folder = model_folder(name)
    assert {"config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"} <= {
        path.name for path in folder.iterdir()
    }
    # A cache may be shared: everybody may read what one person fetched.
    assert all(path.stat().st_mode & 0o044 for path in folder.iterdir())


def test_an_unknown_name_gets_the_known_ones_and_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    assert not is_cached("rated-sentence")
    with pytest.raises(ConfigProblem, match="Did you mean rated-sentences"):
        example("rated-sentence")
    with pytest.raises(AssetProblem, match="minilm, e5-small, smollm2"):
        model_folder("bert")
    assert main(["fetch", "rated-sentence"]) == 2
    assert "rated-sentences" in capsys.readouterr().err


def test_the_list_names_everything(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list"]) == 0
    listed = capsys.readouterr().out
    assert all(name in listed for name in [*EMBEDDED, *EXAMPLES])


def test_a_local_corpus_that_changes_gives_a_new_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from dataclasses import replace

    from engine.assets import examples, help_desk

    monkeypatch.setenv("TUNEBENCH_CACHE", str(tmp_path / "cache"))
    source = tmp_path / "messages.jsonl"
    template = next(iter(EXAMPLES.values()))
    entry = replace(template, name="local", source=source, write=help_desk.write_topics, suffix=".csv")
    monkeypatch.setitem(examples.EXAMPLES, "local", entry)
    texts = []
    for text in ("first", "second"):
        source.write_text(json.dumps({"text": text, "topic": "t"}) + "\n")
        texts += [row["text"] for row in rows_of(example("local"))]
    assert texts == ["first", "second"]
    source.unlink()
    with pytest.raises(AssetProblem) as caught:
        example("local")
    assert caught.value.code == "example_source_missing"
