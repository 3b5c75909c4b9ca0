"""The HTML of the page: its templates, and the small pieces that every part is made of.

`gr.HTML` is not sanitised. Templates (demo/templates, Jinja2) escape every value but Markup; what is written as a string of Python passes
whatever comes from a person, a file or a model through `safe`. Does not know what the pieces say.
"""

from __future__ import annotations

import functools
import html
from collections.abc import Iterable
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from demo.i18n import words
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


@functools.cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("demo"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True,
        auto_reload=False,
    )  # fmt: skip


@functools.cache
def _macros() -> Any:
    return _environment().get_template("macros.html").module


def render(template: str, language: str, **values: Any) -> str:
    """A template as markup in one language. In it, `say(key, **fields)` is a string of the locale. Values are escaped, unless Markup."""

    def say(key: str, **fields: Any) -> str:
        return words(key, **fields).in_language(language)

    return _environment().get_template(template).render(say=say, **values).strip()


def safe(value: Any) -> str:
    """Text that cannot be markup, whatever it holds."""
    return html.escape(str(value), quote=True)


def shortened(value: Any, length: int) -> str:
    """A value as one line of plain text of at most `length` characters."""
    text = " ".join(str(value).split()) if value is not None else ""
    return text if len(text) <= length else text[: length - 1].rstrip() + "…"


def clip(value: Any, length: int = 220) -> str:
    """`safe`, and no longer than a table cell should be."""
    return safe(shortened(value, length))


def tag(name: str, content: str, **attributes: str | None) -> str:
    """An element around markup. A trailing underscore and inner underscores of attribute names follow HTML's spelling."""
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{safe(value)}"'
        for key, value in attributes.items()
        if value is not None
    )
    return f"<{name}{written}>{content}</{name}>"


def chip(text: str, kind: str = "plain") -> str:
    return str(_macros().chip(text, kind))


def bar(label: str, share: float, value: str, kind: str = "accent", note: str = "") -> str:
    """A labelled horizontal bar, `share` of the full width (0 to 1)."""
    return str(_macros().bar(label, min(max(share, 0.0), 1.0) * 100, value, kind, note))


def panel(kind: str, title: str, body: str = "") -> str:
    """A box with a message: kind is info, warning, error or success. `body` is markup."""
    return str(_macros().panel(kind, title, Markup(body)))


def error_panel(error: UserError, language: str, title: Text | None = None) -> str:
    """What went wrong, where, and what to do next."""
    lines = error.message.in_language(language).strip().splitlines()
    heading = title.in_language(language) if title else lines[0]
    rest = lines if title else lines[1:]
    body = "".join(f"<p>{safe(line)}</p>" for line in rest if line.strip())
    if error.hint is not None:
        body += f'<p class="tb-next">{safe(error.hint.in_language(language))}</p>'
    return panel("error", heading, body)


def table(
    head: Iterable[str], rows: Iterable[Iterable[str]], kind: str = "", numeric: frozenset[int] = frozenset()
) -> str:
    """A table of markup cells that scrolls sideways by itself where the window is narrow."""
    cells = [[Markup(cell) for cell in row] for row in rows]
    return str(_macros().table([Markup(cell) for cell in head], cells, kind, numeric))


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
