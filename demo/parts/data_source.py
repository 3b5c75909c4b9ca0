"""What there is to choose from and what was chosen, as HTML: examples as cards, the place to drop a file, the source in a line.

Knows examples and names of files. Does not read them.
"""

from __future__ import annotations

from pathlib import Path

from demo.i18n import words
from demo.markup import chip, count, render, safe, size
from demo.page import Page
from engine.assets import EXAMPLES, first_choice, is_cached
from engine.config import RunConfig

# A drop anywhere on the block is handed to the upload button's own input, which checks kind and size.
DROP = """
const zone = element.closest('.tb-source') || element;
const over = (on) => zone.classList.toggle('tb-over', on);
zone.addEventListener('dragover', (event) => { event.preventDefault(); over(true); });
zone.addEventListener('dragleave', (event) => { if (!zone.contains(event.relatedTarget)) over(false); });
zone.addEventListener('drop', (event) => {
  event.preventDefault(); over(false);
  const input = zone.querySelector('.tb-upload-train input[type=file], input.tb-upload-train[type=file]')
    || zone.querySelector('input[type=file]');
  if (!input || !event.dataTransfer.files.length) return;
  input.files = event.dataTransfer.files;
  input.dispatchEvent(new Event('change', {bubbles: true}));
});
"""


def first_example(task: str, language: str) -> str:
    """The name of the example that a tab opens with, in the reader's language where there is one; empty without examples."""
    try:
        return first_choice(task, language)
    except LookupError:
        return ""


def cards_html(task: str, chosen: str, language: str) -> str:
    """The example data sets of a task as cards; `chosen` is pressed. Those in the reader's language come first."""
    zh = language.startswith("zh")
    examples = [example for example in EXAMPLES.values() if example.task == task]
    cards = []
    for example in sorted(examples, key=lambda example: ("zh" if zh else "en") not in example.languages):
        languages = [words(f"language.{code}").in_language(language) for code in example.languages]
        facts = [
            words("data.rows", rows=count(example.rows)).in_language(language),
            ("、" if zh else ", ").join(languages),
            example.licence,
            size(example.bytes),
        ]
        if not is_cached(example.name):
            facts.append(words("data.fetched_first").in_language(language))
        title, about = example.title.in_language(language), example.about.in_language(language)
        cards.append({"name": example.name, "title": title, "about": about, "facts": facts})
    return render("cards.html", language, cards=cards, chosen=chosen, kind="")


def drop_html(page: Page, language: str) -> str:
    limit = words("data.drop_limit", limit=page.settings.max_upload_mb).in_language(language)
    return (
        f'<div class="tb-drop"><b>{safe(words("data.drop").in_language(language))}</b>'
        f"<span>{safe(words('data.drop_formats').in_language(language))} {safe(limit)}</span></div>"
    )


def source_html(config: RunConfig, language: str) -> str:
    """One line that says which data is chosen, when it is no example."""
    data = config.data
    names = [Path(path).name for path in (data.train, data.validation, data.test) if path]
    if data.hub:
        names = [" / ".join(filter(None, (data.hub, data.hub_config)))]
    if not names:
        return ""
    label = words("data.yours").in_language(language)
    return f'<div class="tb-source-line"><b>{safe(label)}</b> {" ".join(chip(name) for name in names)}</div>'


def reading_html(example: str, language: str) -> str:
    """The message while a source is read, and before that, where it is an example that is not here yet, fetched."""
    key = "data.fetching" if example and not is_cached(example) else "data.reading"
    return f'<p class="tb-quiet tb-waiting">{safe(words(key).in_language(language))}</p>'
