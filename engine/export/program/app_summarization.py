"""A page for this model. Run it: pip install -r requirements.txt && python app.py"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from pathlib import Path

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")

import gradio as gr
from predict import Model

HERE = Path(__file__).resolve().parent
ABOUT = json.loads((HERE / "about.json").read_text(encoding="utf-8"))
MOST_CHARACTERS = 100_000
MOST_TOKENS, MOST_BEAMS, HOTTEST = 512, 8, 1.5
I18N = gr.I18n(
    en={
        "about": ABOUT["about"]["en"],
        "document": "Text to summarise",
        "summary": "Summary",
        "ask": "Summarise",
        "stop": "Stop",
        "style": "Length and style",
        "tokens": "Longest summary",
        "tokens_help": "In tokens; an English word is about 1.3, a Chinese character about 1.",
        "beams": "Beams",
        "beams_help": "Drafts followed at once. With more than one the text appears when it is finished.",
        "temperature": "Temperature",
        "temperature_help": "0 always takes the likeliest word; higher values vary the wording and err more.",
        "type": "Paste a text",
    },
    **{
        "zh-CN": {
            "about": ABOUT["about"]["zh"],
            "document": "待概括的文本",
            "summary": "摘要",
            "ask": "生成摘要",
            "stop": "停止",
            "style": "长度与风格",
            "tokens": "最大长度",
            "tokens_help": "以 token 计；一个汉字约 1 个，一个英文单词约 1.3 个。",
            "beams": "束搜索宽度",
            "beams_help": "同时保留的候选数；大于 1 时，写完后才会显示。",
            "temperature": "温度",
            "temperature_help": "0 表示总取最可能的词；数值越高措辞越多变，也越容易出错。",
            "type": "请粘贴文本",
        }
    },
)

model = Model()
FORM = model.answering.form
running: dict[str, threading.Event] = {}  # what each visitor waits for, by session


def predict(document: str) -> dict:
    """Summarise a text: summary, in how many parts the text was read, and whether its end was cut off.

    Args:
        document: The text to shorten.
    """
    if not document.strip():
        raise gr.Error(I18N("type"), print_exception=False)
    return model.predict([document.strip()])[0]


def write(document: str, tokens: int, beams: int, temperature: float, request: gr.Request) -> Iterator[str]:
    """The summary as it grows."""
    if not document.strip():
        raise gr.Error(I18N("type"), print_exception=False)
    stop = threading.Event()
    visitor = request.session_hash or ""
    running[visitor] = stop
    style = {"max_new_tokens": int(tokens), "beams": int(beams), "temperature": float(temperature)}
    try:
        yield ""
        yield from model.stream(document.strip(), stop, **style)
    finally:
        stop.set()
        running.pop(visitor, None)


def halt(request: gr.Request) -> None:
    """The visitor's own summary ends at its next token."""
    if request.session_hash in running:
        running[request.session_hash].set()


with gr.Blocks(title=ABOUT["title"], analytics_enabled=False) as demo:
    # The title is from a person: as text, never as markup.
    gr.Textbox(ABOUT["title"], show_label=False, interactive=False, container=False, elem_classes="title")
    gr.Markdown(I18N("about"), sanitize_html=True)
    with gr.Row():
        with gr.Column():
            document = gr.Textbox(
                label=I18N("document"), lines=10, max_lines=24, max_length=MOST_CHARACTERS, autofocus=True
            )
            with gr.Row():
                ask = gr.Button(I18N("ask"), variant="primary", scale=3)
                end = gr.Button(I18N("stop"), scale=1)
            with gr.Accordion(I18N("style"), open=False):
                tokens = gr.Slider(
                    8, max(MOST_TOKENS, FORM.max_new_tokens), FORM.max_new_tokens, step=8, label=I18N("tokens"),
                    info=I18N("tokens_help"),
                )  # fmt: skip
                beams = gr.Slider(
                    1, max(MOST_BEAMS, FORM.beams), FORM.beams, step=1, label=I18N("beams"), info=I18N("beams_help")
                )
                temperature = gr.Slider(
                    0, max(HOTTEST, FORM.temperature), FORM.temperature, step=0.1, label=I18N("temperature"),
                    info=I18N("temperature_help"),
                )  # fmt: skip
        with gr.Column():
            summary = gr.Textbox(label=I18N("summary"), lines=6, max_lines=24, interactive=False, buttons=["copy"])
    ask.click(write, [document, tokens, beams, temperature], summary, api_visibility="private", show_progress="minimal")
    # Beside the queue: it must get through while a summary is being written.
    end.click(halt, queue=False, api_visibility="private", show_progress="hidden")
    gr.api(predict, api_name="predict")

if __name__ == "__main__":
    demo.queue(max_size=32, default_concurrency_limit=1).launch(
        i18n=I18N,
        theme=gr.themes.Soft(primary_hue="emerald"),
        css=".title textarea { font-size: 26px; font-weight: 650; border: 0; background: none; padding: 0; resize: none; }",
        footer_links=["api"],
        run_history=False,
    )
