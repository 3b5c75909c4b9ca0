"""A page for this model. Run it: pip install -r requirements.txt && python app.py"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")

import gradio as gr
from predict import Model

HERE = Path(__file__).resolve().parent
ABOUT = json.loads((HERE / "about.json").read_text(encoding="utf-8"))
MOST_CHARACTERS = 20_000
I18N = gr.I18n(
    en={
        "about": ABOUT["about"]["en"],
        "context": "Text that holds the answer",
        "question": "Question",
        "ask": "Ask the model",
        "answer": "Answer",
        "none": "no answer",
        "type": "Give a text and a question",
    },
    **{
        "zh-CN": {
            "about": ABOUT["about"]["zh"],
            "context": "包含答案的文本",
            "question": "问题",
            "ask": "让模型回答",
            "answer": "答案",
            "none": "没有答案",
            "type": "请输入文本和问题",
        }
    },
)

model = Model()


def predict(context: str, question: str) -> dict:
    """Find the answer to a question in a text: answer, start, end and confidence; an empty answer where there is none.

    Args:
        context: The text that holds the answer; a long one is read in windows.
        question: What is asked about it.
    """
    if not context.strip() or not question.strip():
        raise gr.Error(I18N("type"), print_exception=False)
    return model.predict([{"context": context, "question": question}])[0]


def shown(context: str, question: str) -> tuple[str, dict[str, Any]]:
    answer = predict(context, question)
    place = [{"entity": "✓", "start": answer["start"], "end": answer["end"]}] if answer["answer"] else []
    return answer["answer"] or "–", {"text": context, "entities": place}


with gr.Blocks(title=ABOUT["title"], analytics_enabled=False) as demo:
    # The title is from a person: as text, never as markup.
    gr.Textbox(ABOUT["title"], show_label=False, interactive=False, container=False, elem_classes="title")
    gr.Markdown(I18N("about"), sanitize_html=True)
    with gr.Row():
        with gr.Column():
            context = gr.Textbox(label=I18N("context"), lines=8, max_length=MOST_CHARACTERS, autofocus=True)
            question = gr.Textbox(label=I18N("question"), max_length=2_000)
            ask = gr.Button(I18N("ask"), variant="primary")
        with gr.Column():
            answer = gr.Textbox(label=I18N("answer"), interactive=False)
            place = gr.HighlightedText(show_label=False)
    gr.on([ask.click, question.submit], shown, [context, question], [answer, place], api_visibility="private")
    gr.api(predict, api_name="predict")

if __name__ == "__main__":
    demo.queue(max_size=32, default_concurrency_limit=1).launch(
        i18n=I18N,
        theme=gr.themes.Soft(primary_hue="emerald"),
        css=".title textarea { font-size: 26px; font-weight: 650; border: 0; background: none; padding: 0; resize: none; }",
        footer_links=["api"],
        run_history=False,
    )
