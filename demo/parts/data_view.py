"""What was read of the data, and what the data check found in it, as HTML.

Knows tables and findings for any task. A tab adds its own overview.
"""

from __future__ import annotations

from demo.i18n import words
from demo.markup import clip, count, error_panel, panel, percent, safe
from demo.parts.preview import preview_html
from demo.parts.tab_spec import TabSpec
from engine.config import RunConfig
from engine.core.errors import UserError
from engine.data.check import CheckResult
from engine.data.findings import Finding
from engine.data.fixes import fixes_for
from engine.data.table import Table
from engine.tasks import TASKS

_SIGNS = {"\t": "Tab", " ": "␣"}


def view_html(tab: TabSpec, config: RunConfig, tables: dict[str, Table], columns: dict[str, str], language: str) -> str:
    """What was read: where from and how, the first mapped rows, and the tab's overview of all of them."""
    train = tables["train"]
    source = train.source
    facts = [words("data.rows", rows=count(len(train))).in_language(language)]
    facts += [
        words(f"data.split_{name}", rows=count(len(found))).in_language(language)
        for name, found in tables.items()
        if name != "train"
    ]
    sign = source.delimiter
    facts += [
        source.format.upper(),
        source.encoding,
        sign and words("data.delimiter", sign=_SIGNS.get(sign, sign)).in_language(language),
        source.sheet and words("data.sheet", name=source.sheet).in_language(language),
        source.revision[:7],
    ]
    line = " · ".join(safe(fact) for fact in facts if fact)
    notes = "".join(f"<li>{safe(note.in_language(language))}</li>" for note in source.notes)
    preview = preview_html(tab, config, train, columns, language)
    try:
        below = tab.overview(config, train, columns, language) if tab.overview is not None else ""
    except UserError as error:
        below = error_panel(error, language, words("data.unreadable"))
    return (
        f'<div class="tb-read"><p class="tb-facts">{line}</p>'
        + (f'<ul class="tb-notes">{notes}</ul>' if notes else "")
        + preview
        + below
        + "</div>"
    )


def findings_html(result: CheckResult, applied: list[str], language: str) -> str:
    """The findings, most severe first, each with a button for its fix; fixes that are applied already come last, to undo."""
    say = lambda key, **values: safe(words(key, **values).in_language(language))  # noqa: E731 - a short name for a long call
    items = [_finding(finding, language) for finding in result.findings]
    mended = {notice.code: notice.message.in_language(language) for notice in result.fixed}
    labels = fixes_for(TASKS[result.task])
    for code in applied:
        said = mended.get(code) or labels[code].label.in_language(language)
        items.append(
            f'<li class="tb-finding tb-mended"><span>{safe(said)}</span>'
            f'<button type="button" class="tb-small" data-pick="{safe(code)}">{say("check.undo")}</button></li>'
        )
    if not items:
        return panel("success", words("check.clean").in_language(language))
    title = say("check.title") if result.findings else say("check.clean")
    return f'<section class="tb-findings"><h3 class="tb-sub">{title}</h3><ul>{"".join(items)}</ul></section>'


def _finding(finding: Finding, language: str) -> str:
    where = ""
    if finding.rows:
        shown = ", ".join(str(place.row) for place in finding.rows[:5])
        first = finding.rows[0].excerpt
        place = words("check.row" if len(finding.rows) == 1 else "check.rows", rows=shown)
        where = f"<small>{safe(place.in_language(language))}{f' · {clip(first, 90)}' if first else ''}</small>"
    if finding.details.get("cut"):
        where += _lost(finding.details["lost"], language)
    button = ""
    if finding.fix is not None:
        label = finding.fix.label.in_language(language)
        button = f'<button type="button" class="tb-small" data-pick="{safe(finding.fix.code)}">{safe(label)}</button>'
    said = safe(finding.message.in_language(language))
    return f'<li class="tb-finding tb-{safe(finding.severity)}"><span>{said}{where}</span>{button}</li>'


def _lost(lost: dict[str, dict[str, float]], language: str) -> str:
    """What each maximum length would cut off, of all that is in the texts."""
    parts = [
        words("check.lost_at", length=length, tokens=percent(share["tokens"])).in_language(language)
        for length, share in lost.items()
    ]
    return f"<small>{safe(words('check.lost').in_language(language))} {safe(' · '.join(parts))}</small>"
