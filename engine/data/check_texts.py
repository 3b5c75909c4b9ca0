"""The data check on the texts themselves: too few, broken characters, languages, personal data.

Knows texts of any task. Does not know labels; `ModelFacts` holds the languages that a model reads.
"""

from __future__ import annotations

import re
from collections import Counter

from engine.core.languages import NAMES, detect_languages
from engine.core.text import Text
from engine.data.corpus import Corpus
from engine.data.findings import Finding, counted, first_places
from engine.data.fixes import MASK_PERSONAL_DATA
from engine.data.masking import KINDS
from engine.data.model_facts import ModelFacts
from engine.data.personal_data import find_personal
from engine.schema import Place

_FEW_ROWS = 50
# The replacement character, and typical results of decoding UTF-8 as cp1252 or gb18030.
_BROKEN = re.compile("\ufffd|Ã[\u0080-\u00bf©¨¤¶¼±³º]|â€[\u0090-\u00ff™œ“”˜¦]|锟斤拷|烫烫烫|ï»¿")
_PERSONAL_CHARS = 20_000  # searched in each text


def check_texts(corpus: Corpus, model: ModelFacts) -> list[Finding]:
    """Findings few_rows, broken_characters, language_not_read or language_mix, personal_data."""
    return _few(corpus) + _broken(corpus) + _languages(corpus, model) + _personal(corpus)


def _few(corpus: Corpus) -> list[Finding]:
    count = len(corpus.train)
    if count >= _FEW_ROWS:
        return []
    return [
        Finding(
            "few_rows",
            "warning",
            Text(
                f"There {'is' if count == 1 else 'are'} only {counted(count, 'training row', 'training rows')}; scores will be rough guesses. Some hundred are a good start.",
                f"训练数据只有 {count} 行，得分会很不可靠。建议至少准备几百行。",
            ),
            count,
        )
    ]


def _broken(corpus: Corpus) -> list[Finding]:
    places: list[Place] = []
    for table, examples in corpus.examples.items():
        for example, text in zip(examples, corpus.texts[table], strict=True):
            if not text.isascii() and (match := _BROKEN.search(text)):
                places.append(corpus.place(table, example, text=text, at=match.start()))
    if not places:
        return []
    return [
        Finding(
            "broken_characters",
            "warning",
            Text(
                f"{counted(len(places), 'text holds', 'texts hold')} broken characters, as when a file is read in the wrong encoding.",
                f"{len(places):,} 条文本含有乱码，通常是文件编码识别错误造成的。",
            ),
            len(places),
            first_places(places),
        )
    ]


def _languages(corpus: Corpus, model: ModelFacts) -> list[Finding]:
    rows = list(corpus.rows())
    texts = [text[:2000] for table in corpus.examples for text in corpus.texts[table]]
    languages = detect_languages(texts)
    counts = Counter(language for language in languages if language)
    identified = sum(counts.values())
    if not identified:
        return []
    details = {"languages": {language: count / identified for language, count in counts.most_common()}}
    if model.languages is not None:
        foreign = {language for language in counts if not model.reads(language)}
        places = [corpus.place(*row) for row, language in zip(rows, languages, strict=True) if language in foreign]
        if len(places) >= max(3, 0.02 * identified):
            listed = _shares({language: counts[language] / identified for language in foreign})
            return [
                Finding(
                    "language_not_read",
                    "warning",
                    Text(
                        f"{counted(len(places), 'text is', 'texts are')} in a language that the model was not trained on: {listed.en}.",
                        f"{len(places):,} 条文本的语言不在模型的训练语言之内：{listed.zh}。",
                    ),
                    len(places),
                    first_places(places),
                    None,
                    details,
                )
            ]
        return []
    (main, _), *others = counts.most_common()
    minor = sum(count for _, count in others)
    if minor < max(3, 0.02 * identified):
        return []
    other = [corpus.place(*row) for row, language in zip(rows, languages, strict=True) if language not in ("", main)]
    listed = _shares({language: count / identified for language, count in counts.most_common()})
    return [
        Finding(
            "language_mix",
            "info",
            Text(
                f"The texts mix languages: {listed.en}. Choose a model that reads them all.",
                f"文本混有多种语言：{listed.zh}。请选择支持这些语言的模型。",
            ),
            len(other),
            first_places(other),
            None,
            details,
        )
    ]


def _shares(shares: dict[str, float]) -> Text:
    ranked = sorted(shares.items(), key=lambda item: -item[1])[:5]
    return Text(
        ", ".join(f"{NAMES[language].en} {_percent(share)}" for language, share in ranked),
        "、".join(f"{NAMES[language].zh} {_percent(share)}" for language, share in ranked),
    )


def _percent(share: float) -> str:
    return f"{share:.0%}" if share >= 0.005 else "<1%"


def _personal(corpus: Corpus) -> list[Finding]:
    places: list[Place] = []
    kinds: Counter[str] = Counter()
    for table, example in corpus.rows():
        matches = [
            (value, personal)
            for value in map(example.inputs.get, corpus.task.inputs)
            if isinstance(value, str)
            for personal in find_personal(value[:_PERSONAL_CHARS])
        ]
        if matches:
            kinds.update({personal.kind for _, personal in matches})
            text, personal = matches[0]
            places.append(corpus.place(table, example, text=text, at=personal.start))
    if not places:
        return []
    en = ", ".join(f"{KINDS[kind].en} in {count:,}" for kind, count in kinds.most_common())
    zh = "、".join(f"{KINDS[kind].zh} {count:,} 行" for kind, count in kinds.most_common())
    return [
        Finding(
            "personal_data",
            "warning",
            Text(
                f"{counted(len(places), 'row holds', 'rows hold')} what looks like personal data ({en}).",
                f"{len(places):,} 行疑似含有个人信息（{zh}）。",
            ),
            len(places),
            first_places(places),
            MASK_PERSONAL_DATA.fix,
            {"kinds": dict(kinds)},
        )
    ]
