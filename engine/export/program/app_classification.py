"""A page for this model. Run it: pip install -r requirements.txt && python app.py"""

from __future__ import annotations

import json
import os
from pathlib import Path

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")

import gradio as gr
from predict import Model

HERE = Path(__file__).resolve().parent
ABOUT = json.loads((HERE / "about.json").read_text(encoding="utf-8"))
MOST_CHARACTERS = 20_000
LABELS_SHOWN = 8
I18N = gr.I18n(
    en={
        "about": ABOUT["about"]["en"],
        "text": "Text",
        "text_pair": "Second text",
        "ask": "Ask the model",
        "answer": "Answer",
        "type": "Type a text",
    },
    **{
        "zh-CN": {
            "about": ABOUT["about"]["zh"],
            "text": "文本",
            "text_pair": "第二段文本",
            "ask": "让模型回答",
            "answer": "回答",
            "type": "请输入文本",
        }
    },
)

model = Model()


def predict(text: str, text_pair: str = "") -> dict:
    """Ask the model about a text: the label, its confidence, and the probability of each label.

    Args:
        text: The text to classify; a long one is read in windows.
        text_pair: A second text, for models that compare two.
    """
    if not text.strip():
        raise gr.Error(I18N("type"), print_exception=False)
    row = {"text": text.strip(), **({"text_pair": text_pair.strip()} if text_pair.strip() else {})}
    return model.predict([row])[0]


def shown(text: str, text_pair: str) -> dict[str, float]:
    return predict(text, text_pair)["probabilities"]


with gr.Blocks(title=ABOUT["title"], analytics_enabled=False) as demo:
    # The title is from a person: as text, never as markup.
    gr.Textbox(ABOUT["title"], show_label=False, interactive=False, container=False, elem_classes="title")
    gr.Markdown(I18N("about"), sanitize_html=True)
    with gr.Row():
        with gr.Column():
            text = gr.Textbox(label=I18N("text"), lines=5, max_length=MOST_CHARACTERS, autofocus=True)
            pair = gr.Textbox(label=I18N("text_pair"), lines=3, max_length=MOST_CHARACTERS, visible=ABOUT["paired"])
            ask = gr.Button(I18N("ask"), variant="primary")
        with gr.Column():
            label = gr.Label(label=I18N("answer"), num_top_classes=LABELS_SHOWN)
    gr.on([ask.click, text.submit], shown, [text, pair], [label], api_visibility="private")
    gr.api(predict, api_name="predict")

if __name__ == "__main__":
    demo.queue(max_size=32, default_concurrency_limit=1).launch(
        i18n=I18N,
        theme=gr.themes.Soft(primary_hue="emerald"),
        css=".title textarea { font-size: 26px; font-weight: 650; border: 0; background: none; padding: 0; resize: none; }",
        footer_links=["api"],
        run_history=False,
    )
