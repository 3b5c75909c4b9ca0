"""Records of SQuAD files and of annotation tools, converted to plain rows.

Knows the shapes: SQuAD v1.1 and v2.0 (Rajpurkar et al. 2016, 2018), Label Studio's JSON export, doccano's JSON Lines.
Does not know files, nor what spans mean.
"""

from __future__ import annotations

from typing import Any

from engine.core.errors import FileProblem
from engine.core.text import Text


def is_squad(value: Any) -> bool:
    """Whether a parsed JSON file is a SQuAD one: {"data": [{"paragraphs": [...]}]}."""
    articles = value.get("data") if isinstance(value, dict) else value
    return (
        isinstance(articles, list)
        and bool(articles)
        and all(isinstance(article, dict) and isinstance(article.get("paragraphs"), list) for article in articles)
    )


def squad_records(value: Any, name: str) -> list[dict[str, Any]]:
    """One record per question, in the columns of the hub's flat SQuAD: id, title, context, question, answers.

    `answers` is {"text": [...], "answer_start": [...]}, empty lists for an unanswerable question. Raises FileProblem that
    names article and paragraph where a part is missing.
    """
    articles = value["data"] if isinstance(value, dict) else value
    records: list[dict[str, Any]] = []
    for article_number, article in enumerate(articles, start=1):
        for paragraph_number, paragraph in enumerate(article["paragraphs"], start=1):
            context = paragraph.get("context") if isinstance(paragraph, dict) else None
            questions = paragraph.get("qas") if isinstance(paragraph, dict) else None
            if not isinstance(context, str) or not isinstance(questions, list):
                raise _broken(name, article_number, paragraph_number, '"context" and "qas"', len(records) + 1)
            for question in questions:
                if not isinstance(question, dict) or not isinstance(question.get("question"), str):
                    raise _broken(name, article_number, paragraph_number, '"question"', len(records) + 1)
                stated_answers = question.get("answers") or []
                if not isinstance(stated_answers, list) or not all(
                    isinstance(a, dict) and "text" in a for a in stated_answers
                ):
                    raise _broken(name, article_number, paragraph_number, '"answers"', len(records) + 1)
                answers = [] if question.get("is_impossible") else stated_answers
                records.append(
                    {
                        "id": str(question.get("id", len(records) + 1)),
                        "title": article.get("title"),
                        "context": context,
                        "question": question["question"],
                        "answers": {
                            "text": [str(answer["text"]) for answer in answers],
                            "answer_start": [answer.get("answer_start", -1) for answer in answers],
                        },
                    }
                )
    return records


def _broken(name: str, article: int, paragraph: int, missing: str, record: int) -> FileProblem:
    return FileProblem(
        "bad_squad",
        Text(
            f"{name}, article {article}, paragraph {paragraph}: {missing} missing or of the wrong kind.",
            f"{name} 第 {article} 篇第 {paragraph} 段：缺少 {missing}，或其类型不对。",
        ),
        file=name,
        row=record,
        article=article,
        paragraph=paragraph,
    )


_CONTEXTS = ("context", "context_text", "paragraph", "passage")
_QUESTIONS = ("question", "query_text", "query")


def is_paragraphs(records: Any) -> bool:
    """Whether records are paragraphs with questions, without the articles of SQuAD, as in CMRC 2018."""
    return (
        isinstance(records, list)
        and bool(records)
        and all(
            isinstance(record, dict)
            and isinstance(record.get("qas"), list)
            and any(isinstance(record.get(name), str) for name in _CONTEXTS)
            for record in records
        )
    )


def paragraph_records(paragraphs: list[dict[str, Any]], name: str) -> list[dict[str, Any]]:
    """The records of `squad_records`, from paragraphs without articles; an answer may be a plain string.

    Raises FileProblem that names the paragraph.
    """
    qas = []
    for paragraph in paragraphs:
        context = next(paragraph[key] for key in _CONTEXTS if isinstance(paragraph.get(key), str))
        questions: list[dict[str, Any]] = []
        for entry in paragraph["qas"]:
            question = dict(entry) if isinstance(entry, dict) else {}
            question["question"] = next((question[key] for key in _QUESTIONS if key in question), None)
            question["id"] = question.get("id", question.get("query_id", len(questions) + 1))
            answers = question.get("answers")
            if isinstance(answers, list):
                question["answers"] = [{"text": a} if isinstance(a, str) else a for a in answers]
            questions.append(question)
        qas.append({"context": context, "qas": questions})
    return squad_records([{"paragraphs": qas}], name)


def is_label_studio(record: Any) -> bool:
    """Whether a record is a task of Label Studio's full JSON export."""
    return (
        isinstance(record, dict)
        and isinstance(record.get("data"), dict)
        and any(isinstance(record.get(key), list) for key in ("annotations", "completions"))
    )


def label_studio_records(tasks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """One record per task: the task's data, with `spans`, `label` and `summary` from its first annotation that was not cancelled."""
    parsed = []
    for task in tasks:
        annotations = task.get("annotations") or task.get("completions") or []
        submitted = [a for a in annotations if isinstance(a, dict) and not a.get("was_cancelled")]
        results = submitted[0].get("result") if submitted else []
        parsed.append((task["data"], [r for r in results or [] if isinstance(r, dict)], bool(submitted)))
    kinds = {result.get("type") for _, results, _ in parsed for result in results}
    records = []
    for data, results, annotated in parsed:
        record = dict(data)
        if kinds & {"labels", "hypertextlabels"}:
            record["spans"] = _label_studio_spans(results) if annotated else None
        if "choices" in kinds:
            choices = [c for r in results if r.get("type") == "choices" for c in _strings(r, "choices")]
            record["label"] = choices[0] if len(choices) == 1 else choices or None
        if "textarea" in kinds:
            texts = [t for r in results if r.get("type") == "textarea" for t in _strings(r, "text")]
            record["summary"] = texts[0] if len(texts) == 1 else texts or None
        records.append(record)
    return records


def _value(result: dict[str, Any]) -> dict[str, Any]:
    value = result.get("value")
    return value if isinstance(value, dict) else {}


def _strings(result: dict[str, Any], name: str) -> list[str]:
    """The strings in a field of a result; a single string becomes a list of one."""
    value = _value(result).get(name)
    return [value] if isinstance(value, str) else [str(item) for item in value] if isinstance(value, list) else []


def _label_studio_spans(results: list[dict[str, Any]]) -> list[dict[str, Any]]:
    spans = []
    for result in results:
        value = _value(result)
        labels = _strings(result, "labels") or _strings(result, "hypertextlabels")
        if labels and "start" in value and "end" in value:
            span = {"start": value["start"], "end": value["end"], "label": labels[0]}
            if isinstance(value.get("text"), str):
                span["text"] = value["text"]
            spans.append(span)
    return spans


def is_doccano(record: Any) -> bool:
    """Whether a record is one of doccano's JSON Lines export: text with spans or labels as lists."""
    if not isinstance(record, dict) or not ({"text", "data"} & record.keys()):
        return False
    if isinstance(record.get("entities"), list):
        return all(isinstance(e, dict) and "start_offset" in e for e in record["entities"]) and "relations" in record
    labels = record.get("label", record.get("labels"))
    return (
        "id" in record
        and isinstance(labels, list)
        and all(isinstance(span, list) and len(span) == 3 and isinstance(span[0], int) for span in labels)
    )
