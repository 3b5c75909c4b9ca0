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
        "text": "Text",
        "ask": "Find the entities",
        "answer": "Entities",
        "type": "Type a text",
    },
    **{
        "zh-CN": {
            "about": ABOUT["about"]["zh"],
            "text": "文本",
            "ask": "识别实体",
            "answer": "实体",
            "type": "请输入文本",
        }
    },
)

model = Model()


def predict(text: str) -> dict:
    """Find the named entities of a text: start, end, label, text and score of each.

    Args:
        text: The text to read; a long one is read in windows.
    """
    if not text.strip():
        raise gr.Error(I18N("type"), print_exception=False)
    return model.predict([text])[0]


def shown(text: str) -> dict[str, Any]:
    entities = [{"entity": e["label"], "start": e["start"], "end": e["end"]} for e in predict(text)["entities"]]
    return {"text": text, "entities": entities}


with gr.Blocks(title=ABOUT["title"], analytics_enabled=False) as demo:
    # The title is from a person: as text, never as markup.
    gr.Textbox(ABOUT["title"], show_label=False, interactive=False, container=False, elem_classes="title")
    gr.Markdown(I18N("about"), sanitize_html=True)
    text = gr.Textbox(label=I18N("text"), lines=4, max_length=MOST_CHARACTERS, autofocus=True)
    ask = gr.Button(I18N("ask"), variant="primary")
    answer = gr.HighlightedText(label=I18N("answer"))
    gr.on([ask.click, text.submit], shown, [text], [answer], api_visibility="private")
    gr.api(predict, api_name="predict")

if __name__ == "__main__":
    demo.queue(max_size=32, default_concurrency_limit=1).launch(
        i18n=I18N,
        theme=gr.themes.Soft(primary_hue="emerald"),
        css=".title textarea { font-size: 26px; font-weight: 650; border: 0; background: none; padding: 0; resize: none; }",
        footer_links=["api"],
        run_history=False,
    )
