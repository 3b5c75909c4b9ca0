"""The data check on tokens: texts longer than the model reads, and text outside its vocabulary.

Counts with the model's tokenizer where there is one; otherwise lengths are estimates, marked as such. Does not truncate anything.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from engine.core.text import Text
from engine.data.corpus import Corpus
from engine.data.findings import Finding, Fix, first_places
from engine.data.model_facts import ModelFacts
from engine.schema import ENCODER, Example

_SAMPLE = 10_000  # rows that are tokenized
_CHARS = 50_000  # of one text; what is longer is too long for every encoder
_ALL_CHARS = 20_000_000  # of all texts that are tokenized
LENGTHS = (64, 128, 256, 512, 1024, 2048, 4096, 8192)
_UNSPACED = re.compile("[\u0e00-\u0e7f\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af]")
_WORD = re.compile(r"[^\W\d_]+|\d|[^\w\s]")


def estimate_tokens(text: str) -> int:
    """Tokens of a text without its tokenizer: one per ideograph, digit and mark; 1.3 per word, more for long words."""
    count = 2.0
    for word in _WORD.findall(_UNSPACED.sub(" ", text)):
        count += 1 if len(word) == 1 else max(1.15, len(word) / 5.5)
    return round(count + len(_UNSPACED.findall(text)))


def check_lengths(corpus: Corpus, model: ModelFacts) -> list[Finding]:
    """Findings too_long and unknown_tokens."""
    chars = sum(min(len(text), _CHARS) for texts in corpus.texts.values() for text in texts)
    step = max(-(-len(corpus) // _SAMPLE), -(-chars // _ALL_CHARS))
    rows = list(corpus.rows())[:: max(1, step)]
    texts = [_model_input(example, corpus.task.inputs)[:_CHARS] for _, example in rows]
    if model.tokenizer is None:
        lengths, unknown = [estimate_tokens(text) for text in texts], None
    else:
        lengths, unknown = _tokenize(texts, model)
    findings = _too_long(corpus, model, rows, lengths)
    if unknown is not None:
        findings += _unknown(corpus, rows, lengths, unknown)
    return findings


def _model_input(example: Example, inputs: Sequence[str]) -> str:
    """All texts that the model reads of a row, in one string."""
    texts = (example.inputs.get(name) for name in inputs)
    return " ".join(text for text in texts if isinstance(text, str))


def _tokenize(texts: list[str], model: ModelFacts) -> tuple[list[int], list[int] | None]:
    """Tokens of each text, and how many of them are unknown (None for a tokenizer without an unknown token)."""
    lengths: list[int] = []
    unknown: list[int] = []
    assert model.tokenizer is not None
    for start in range(0, len(texts), 1000):
        for ids in model.tokenizer(texts[start : start + 1000], truncation=False, verbose=False)["input_ids"]:
            lengths.append(len(ids))
            unknown.append(list(ids).count(model.unknown_id) if model.unknown_id is not None else 0)
    return lengths, unknown if model.unknown_id is not None else None


def _too_long(corpus: Corpus, model: ModelFacts, rows: list[tuple[str, Example]], lengths: list[int]) -> list[Finding]:
    limit = min(model.max_length or corpus.task.window_tokens or model.most_tokens, model.most_tokens)
    over = [row for row, length in zip(rows, lengths, strict=True) if length > limit]
    if not over:
        return []
    total = sum(lengths)
    # Lengths above the first one that truncates nothing are not reported.
    reported_lengths = sorted({limit, *(n for n in LENGTHS if n <= model.most_tokens)})
    enough = next((n for n in reported_lengths if n >= max(lengths)), reported_lengths[-1])
    lost = {
        str(length): {
            "rows": sum(n > length for n in lengths) / len(lengths),
            "tokens": sum(max(0, n - length) for n in lengths) / total,
        }
        for length in reported_lengths
        if length <= enough
    }
    here = sum(max(0, n - limit) for n in lengths) / total
    longer = [n for n in reported_lengths if limit < n <= enough and lost[str(n)]["rows"] < 0.5 * len(over) / len(rows)]
    estimated = model.tokenizer is None
    share = len(over) / len(rows)
    windows = corpus.task.windowed  # overlapping windows: nothing is truncated
    most = max(_windows(n, limit) for n in lengths)
    if windows:
        fate = Text(
            f"they are read in overlapping windows (up to {most}), which takes longer",
            f"会分成互相重叠的窗口读取（最多 {most} 个），耗时更长",
        )
    elif corpus.task.kind == ENCODER:
        fate = Text(
            f"in training what comes after is cut off ({here:.1%} of all tokens), answers are given from all of it, in windows "
            f"(up to {most})",
            f"训练时超出部分会被截断（占全部 token 的 {here:.1%}），预测时则分窗口读取全文（最多 {most} 个窗口）",
        )
    else:
        fate = Text(
            f"what comes after is cut off ({here:.1%} of all tokens)", f"超出部分会被截断（占全部 token 的 {here:.1%}）"
        )
    about = Text("About ", "约 ") if estimated else Text("", "")
    note = (
        Text(" (Lengths are estimated without the model's tokenizer.)", "（未使用模型的分词器，长度为估算值。）")
        if estimated
        else Text("", "")
    )
    fix = None
    if longer and not windows:
        best = longer[0] if lost[str(longer[0])]["rows"] < 0.02 else longer[-1]
        fix = Fix("max_length", Text(f"Read {best} tokens", f"读取 {best} 个 token"), {"model.max_length": best})
    return [
        Finding(
            "too_long",
            "warning" if share > 0.05 and not windows else "info",
            Text(
                f"{about.en}{share:.1%} of the texts are longer than the {limit} tokens that are read; {fate.en}.{note.en}",
                f"{about.zh}{share:.1%} 的文本超过读取上限 {limit} 个 token，{fate.zh}。{note.zh}",
            ),
            len(over) if len(rows) == len(corpus) else round(share * len(corpus)),
            first_places([corpus.place(*row) for row in over[:20]]),
            fix,
            {
                "limit": limit,
                "lost": lost,
                "longest": max(lengths),
                "estimated": estimated,
                "windows": most,
                "cut": not windows,
            },
        )
    ]


def _windows(length: int, limit: int) -> int:
    """Windows of `limit` tokens, each a quarter over the one before, that read a text of `length` tokens."""
    step = max(1, limit - limit // 4)
    return 1 if length <= limit else 1 + -(-(length - limit) // step)


def _unknown(corpus: Corpus, rows: list[tuple[str, Example]], lengths: list[int], unknown: list[int]) -> list[Finding]:
    share = sum(unknown) / max(1, sum(lengths))
    worst = [row for row, n, length in zip(rows, unknown, lengths, strict=True) if n > 0.1 * length]
    if share < 0.01 and len(worst) < 0.01 * len(rows):
        return []
    most = Text("", "")
    if worst:
        texts = "text is" if len(worst) == 1 else "texts are"
        most = Text(f"; {len(worst):,} {texts} affected most", f"，其中 {len(worst):,} 条文本最为严重")
    return [
        Finding(
            "unknown_tokens",
            "error" if share > 0.3 else "warning" if share >= 0.01 else "info",
            Text(
                f"The model's vocabulary does not know {share:.1%} of the tokens{most.en}.",
                f"模型词表不认识 {share:.1%} 的 token{most.zh}。",
            ),
            len(worst),
            first_places([corpus.place(*row) for row in worst[:20]]),
            None,
            {"share": share},
        )
    ]
