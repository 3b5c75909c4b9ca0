"""Small pieces of HTML that every part of the page is made of.

Knows how text is made safe and how a chip, a bar or a panel is written. `gr.HTML` is not sanitised, so whatever comes from a
person, a file or a model passes through `safe` here. Does not know what the pieces say.
"""

from __future__ import annotations

import html
from collections.abc import Iterable
from typing import Any

from engine.core.errors import UserError
from engine.core.text import Text
from engine.evaluation import metric_format

# Delegated: one listener a component, on the root that survives every update. Works by mouse and, because the targets are
# real buttons, by keyboard.
PICK = """
element.addEventListener('click', (event) => {
  const target = event.target.closest('[data-pick]');
  if (target && !target.disabled) trigger('select', {index: 0, value: target.dataset.pick});
});
"""


def safe(value: Any) -> str:
    """Text that cannot be markup, whatever it holds."""
    return html.escape(str(value), quote=True)


def clip(value: Any, length: int = 220) -> str:
    """`safe`, and no longer than a table cell should be."""
    text = " ".join(str(value).split()) if value is not None else ""
    return safe(text if len(text) <= length else text[: length - 1].rstrip() + "…")


def tag(name: str, content: str, **attributes: str | None) -> str:
    """An element around markup. A trailing underscore and inner underscores of attribute names follow HTML's spelling."""
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{safe(value)}"'
        for key, value in attributes.items()
        if value is not None
    )
    return f"<{name}{written}>{content}</{name}>"


def chip(text: str, kind: str = "plain") -> str:
    return tag("span", safe(text), class_=f"tb-chip tb-chip-{kind}")


def bar(label: str, share: float, value: str, kind: str = "accent", note: str = "") -> str:
    """A labelled horizontal bar, `share` of the full width (0 to 1)."""
    width = min(max(share, 0.0), 1.0) * 100
    return (
        f'<div class="tb-bar tb-bar-{kind}"><span class="tb-bar-label" title="{safe(label)}">{safe(label)}</span>'
        f'<span class="tb-bar-track"><b style="width:{width:.2f}%{"" if width else ";min-width:0"}"></b></span>'
        f'<span class="tb-bar-value">{safe(value)}</span>'
        + (f'<span class="tb-bar-note">{safe(note)}</span>' if note else "")
        + "</div>"
    )


def panel(kind: str, title: str, body: str = "") -> str:
    """A calm box that says something: kind is info, warning, error or success. `body` is markup."""
    role = "alert" if kind == "error" else "status"
    return (
        f'<div class="tb-panel tb-panel-{kind}" role="{role}"><p class="tb-panel-title">{safe(title)}</p>'
        + (f'<div class="tb-panel-body">{body}</div>' if body else "")
        + "</div>"
    )


def error_panel(error: UserError, language: str, title: Text | None = None) -> str:
    """What went wrong, where, and what to do next."""
    lines = error.message.in_language(language).strip().splitlines()
    heading = title.in_language(language) if title else lines[0]
    said = lines if title else lines[1:]
    body = "".join(f"<p>{safe(line)}</p>" for line in said if line.strip())
    if error.hint is not None:
        body += f'<p class="tb-next">{safe(error.hint.in_language(language))}</p>'
    return panel("error", heading, body)


def table(
    head: Iterable[str], rows: Iterable[Iterable[str]], kind: str = "", numeric: frozenset[int] = frozenset()
) -> str:
    """A table of markup cells that scrolls sideways by itself where the window is narrow."""

    def cell(name: str, content: str, column: int) -> str:
        return f'<{name} class="tb-number">{content}</{name}>' if column in numeric else f"<{name}>{content}</{name}>"

    header = "".join(cell("th", content, column) for column, content in enumerate(head))
    body = "".join(
        "<tr>" + "".join(cell("td", content, column) for column, content in enumerate(row)) + "</tr>" for row in rows
    )
    return f'<div class="tb-scroll" tabindex="0"><table class="tb-table {kind}"><thead><tr>{header}</tr></thead><tbody>{body}</tbody></table></div>'


def percent(value: float | None, digits: int = 1) -> str:
    return "–" if value is None else metric_format.percent(value, digits)


def count(value: float) -> str:
    return f"{int(value):,}"


def rate(value: float) -> str:
    """So many a second: of few, tenths as well."""
    return f"{value:.1f}" if value < 10 else count(value)


def size(bytes_: int) -> str:
    if bytes_ < 1_000_000:
        return f"{max(bytes_ / 1000, 1):.0f} kB"
    return f"{bytes_ / 1_000_000:.1f} MB" if bytes_ < 1e9 else f"{bytes_ / 1e9:.1f} GB"


def duration(seconds: float, language: str) -> str:
    """A span of time as people say it: two units at most."""
    seconds = max(int(seconds + 0.5), 0)
    zh = language.startswith("zh")
    units = ("小时", "分", "秒") if zh else ("h", "min", "s")
    hours, rest = divmod(seconds, 3600)
    minutes, left = divmod(rest, 60)
    parts = [(hours, units[0]), (minutes, units[1]), (left, units[2])]
    first = next((i for i, (number, _) in enumerate(parts) if number), 2)
    shown = [f"{number}\u00a0{unit}" for number, unit in parts[first : first + 2] if number or first == 2]
    return " ".join(shown)
