"""What was read of the data, and the findings of the data check, as HTML.

Knows tables and findings for any task. A tab adds its own overview.
"""

from __future__ import annotations

from markupsafe import Markup

from demo.i18n import words
from demo.markup import count, error_panel, percent, render, shortened
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
        words(f"data.split_{name}", rows=count(len(table))).in_language(language)
        for name, table in tables.items()
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
    preview = preview_html(tab, config, train, columns, language)
    try:
        overview = tab.overview(config, train, columns, language) if tab.overview is not None else ""
    except UserError as error:
        overview = error_panel(error, language, words("data.unreadable"))
    return render(
        "data_view.html",
        language,
        facts=[fact for fact in facts if fact],
        notes=[note.in_language(language) for note in source.notes],
        preview=Markup(preview),
        overview=Markup(overview),
    )


def findings_html(result: CheckResult, applied: list[str], language: str) -> str:
    """The findings, most severe first, each with a button for its fix; fixes that are applied already come last, to undo."""
    effects = {notice.code: notice.message for notice in result.fixed}
    labels = fixes_for(TASKS[result.task])
    fixes = [(code, (effects.get(code) or labels[code].label).in_language(language)) for code in applied]
    findings = [_finding(finding, language) for finding in result.findings]
    return render("findings.html", language, findings=findings, fixes=fixes)


def _finding(finding: Finding, language: str) -> dict[str, str]:
    """A finding as the template shows it."""
    place = excerpt = lost = ""
    if finding.rows:
        rows = ", ".join(str(place.row) for place in finding.rows[:5])
        place = words("check.row" if len(finding.rows) == 1 else "check.rows", rows=rows).in_language(language)
        excerpt = shortened(finding.rows[0].excerpt, 90)
    if finding.details.get("cut"):
        lost = " · ".join(
            words("check.lost_at", length=length, tokens=percent(share["tokens"])).in_language(language)
            for length, share in finding.details["lost"].items()
        )
    return {
        "severity": finding.severity,
        "message": finding.message.in_language(language),
        "place": place,
        "excerpt": excerpt,
        "lost": lost,
        "fix": finding.fix.code if finding.fix is not None else "",
        "fix_label": finding.fix.label.in_language(language) if finding.fix is not None else "",
    }
