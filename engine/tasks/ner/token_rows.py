"""Tables of one token a row, with a column that says which sentence it belongs to, become rows of lists.

Knows that layout (a common way to keep tagged text in spreadsheets) and nothing else.
"""

from __future__ import annotations

from dataclasses import replace

import pandas as pd

from engine.core.text import Text
from engine.data.cells import as_text
from engine.data.column_names import name_score, plain_name
from engine.data.profile import profile
from engine.data.table import Table
from engine.tasks.ner.columns import ALIASES

_SENTENCE_NAMES = "sentence_# sentence sentence_id sentence_no sent_id sent sentence_idx id doc_id text_id 句子 句子id 句子编号 句号 文本id 编号"
_SENTENCE = frozenset(_SENTENCE_NAMES.split())


def join_tokens_of_sentences(table: Table) -> Table:
    """The table with one row per sentence, where its rows are single tokens with a tag; any other table unchanged.

    The sentence column may be filled on the first token of each sentence only. The place of a row is that of its first token.
    """
    if len(table) < 2:
        return table
    facts = {name: profile(table, name) for name in table.columns}
    tags = max(
        (name for name in table.columns if facts[name].tags >= 0.95 and facts[name].filled > 0.99),
        key=lambda name: name_score(name, ALIASES["tags"]),
        default=None,
    )
    sentence = next((name for name in table.columns if plain_name(name) in _SENTENCE and name != tags), None)
    if (
        tags is None
        or sentence is None
        or any(len(as_text(cell).split()) != 1 for cell in table.frame[tags].iloc[:500])
    ):
        return table
    others = [name for name in table.columns if name not in (tags, sentence) and facts[name].filled > 0.9]
    token = max(
        (name for name in others if name_score(name, ALIASES["tokens"]) >= 0.3),
        key=lambda name: name_score(name, ALIASES["tokens"]),
        default=None,
    )
    if token is None:
        return table
    # The number of a sentence is written once, or on each of its tokens.
    keys = table.frame[sentence].ffill()
    begins = [i for i in range(len(table)) if i == 0 or keys.iloc[i] != keys.iloc[i - 1]]
    ends = [*begins[1:], len(table)]
    words = [as_text(cell) for cell in table.frame[token]]
    labels = [as_text(cell) for cell in table.frame[tags]]
    frame = pd.DataFrame(
        {
            "tokens": pd.Series([words[a:b] for a, b in zip(begins, ends, strict=True)], dtype=object),
            "tags": pd.Series([labels[a:b] for a, b in zip(begins, ends, strict=True)], dtype=object),
        }
    )
    note = Text(
        f"One token a row: {len(table):,} rows of {token!r} and {tags!r} were joined into {len(frame):,} sentences by {sentence!r}.",
        f"每行一个词元：已按 {sentence!r} 将 {token!r} 与 {tags!r} 的 {len(table):,} 行合并为 {len(frame):,} 个句子。",
    )
    source = replace(table.source, notes=(*table.source.notes, note))
    return Table(frame, source, [table.lines[i] for i in begins])
