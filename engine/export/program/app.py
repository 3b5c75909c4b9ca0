"""A page for this model. Run it: pip install -r requirements.txt && python app.py

Knows text boxes, how each kind of answer is shown, and streaming; task.json says which of them this model needs.
"""

from __future__ import annotations

import inspect
import json
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")

import gradio as gr
from predict import REQUIRED, TASK, Model

HERE = Path(__file__).resolve().parent
ABOUT = json.loads((HERE / "about.json").read_text(encoding="utf-8"))
INPUTS: dict[str, dict[str, Any]] = TASK["inputs"]
VIEWS: list[dict[str, Any]] = TASK["views"]
GENERATIVE: bool = TASK["generative"]
# Spans count the characters of a text as it was given; elsewhere blanks around it are left out.
STRIP = not any(view["kind"] == "spans" for view in VIEWS)
SHOWN_LABELS = 8
SHOWN_CHARACTERS = 50  # of an example; its inputs share them
MAX_TOKENS, MAX_BEAMS, MAX_TEMPERATURE = 512, 8, 1.5  # of the sliders; a model that was set to more keeps its own

TEXTS: dict[str, dict[str, str]] = {
    "about": ABOUT["about"],
    "button": TASK["button"],
    "missing_input": TASK["missing_input"],
    **{f"input_{name}": box["label"] for name, box in INPUTS.items()},
    **{f"view_{number}": view["label"] for number, view in enumerate(VIEWS) if view["label"]},
    "examples": {"en": "Examples", "zh": "示例"},
    "stop": {"en": "Stop", "zh": "停止"},
    "style": {"en": "Length and style", "zh": "长度与风格"},
    "tokens": {"en": "Maximum length", "zh": "最大长度"},
    "tokens_help": {
        "en": "In tokens; an English word is about 1.3, a Chinese character about 1.",
        "zh": "以 token 计；一个汉字约 1 个，一个英文单词约 1.3 个。",
    },
    "beams": {"en": "Beams", "zh": "束搜索宽度"},
    "beams_help": {
        "en": "Candidates kept during the search. With more than one the text appears when it is complete.",
        "zh": "同时保留的候选数；大于 1 时，生成完成后才会显示。",
    },
    "temperature": {"en": "Temperature", "zh": "温度"},
    "temperature_help": {
        "en": "0 always takes the most probable token; higher values vary the wording and err more.",
        "zh": "0 表示总取概率最高的 token；数值越高措辞越多变，也越容易出错。",
    },
}
I18N = gr.I18n(
    en={key: text["en"] for key, text in TEXTS.items()}, **{"zh-CN": {key: text["zh"] for key, text in TEXTS.items()}}
)

model = Model()
running: dict[str, threading.Event] = {}  # the stop event of each visitor's generation, by session


def row_of(values: tuple[str, ...]) -> dict[str, str]:
    """The inputs by name; an empty optional one is left out. Shows an error where a required one is empty."""
    row = {name: value.strip() if STRIP else value for name, value in zip(INPUTS, values, strict=True)}
    if not all(row[name].strip() for name in REQUIRED):
        raise gr.Error(I18N("missing_input"), print_exception=False)
    return {name: value for name, value in row.items() if name in REQUIRED or value.strip()}


def predict(*values: str) -> dict:
    return model.predict([row_of(values)])[0]


# The endpoint's parameters are the task's inputs: Gradio reads them from the signature and the docstring.
predict.__signature__ = inspect.Signature(
    [
        inspect.Parameter(
            name,
            inspect.Parameter.POSITIONAL_OR_KEYWORD,
            default=inspect.Parameter.empty if box["required"] else "",
            annotation=str,
        )
        for name, box in INPUTS.items()
    ],
    return_annotation=dict,
)
predict.__annotations__ = {**dict.fromkeys(INPUTS, str), "return": dict}
predict.__doc__ = "\n".join(
    [TASK["description"], "", "Args:", *(f"    {name}: {box['help']}" for name, box in INPUTS.items())]
)


def value_of(view: dict[str, Any], row: dict[str, str], answer: dict[str, Any]) -> Any:
    """What the component of a view shows of an answer."""
    if view["kind"] == "label_scores":
        return answer[view["key"]]
    if view["kind"] == "text":
        return answer[view["key"]] or "–"
    spans = answer[view["key"]] if view["key"] else [answer] if answer["start"] is not None else []
    entities = [{"entity": span.get("label", "✓"), "start": span["start"], "end": span["end"]} for span in spans]
    return {"text": row[view["text_input"]], "entities": entities}


def component_of(number: int, view: dict[str, Any]) -> gr.components.Component:
    named = {"label": I18N(f"view_{number}")} if view["label"] else {"show_label": False}
    if view["kind"] == "label_scores":
        return gr.Label(num_top_classes=SHOWN_LABELS, **named)
    if view["kind"] == "spans":
        return gr.HighlightedText(**named)
    lines = {"lines": 6, "max_lines": 24, "buttons": ["copy"]} if GENERATIVE else {}
    return gr.Textbox(interactive=False, **lines, **named)


def shortened(text: str) -> str:
    line = " ".join(text.split())
    most = SHOWN_CHARACTERS // len(INPUTS)
    return line if len(line) <= most else f"{line[:most].rstrip()} …"


def show(*values: str) -> Any:
    row, answer = row_of(values), predict(*values)
    shown = [value_of(view, row, answer) for view in VIEWS]
    return shown[0] if len(shown) == 1 else shown


def generate(tokens: int, beams: int, temperature: float, request: gr.Request, *values: str) -> Iterator[str]:
    """The text as it grows."""
    row, stop = row_of(values), threading.Event()
    visitor = request.session_hash or ""
    running[visitor] = stop
    style = {"max_new_tokens": int(tokens), "beams": int(beams), "temperature": float(temperature)}
    try:
        yield ""
        yield from model.stream(row, stop, **style)
    finally:
        stop.set()
        running.pop(visitor, None)


def stop_generation(request: gr.Request) -> None:
    """The visitor's own generation ends at its next token."""
    if request.session_hash in running:
        running[request.session_hash].set()


def style_sliders() -> list[gr.Slider]:
    spec = model.answering.spec
    with gr.Accordion(I18N("style"), open=False):
        tokens = gr.Slider(
            8, max(MAX_TOKENS, spec.max_new_tokens), spec.max_new_tokens, step=8, label=I18N("tokens"),
            info=I18N("tokens_help"),
        )  # fmt: skip
        beams = gr.Slider(
            1, max(MAX_BEAMS, spec.beams), spec.beams, step=1, label=I18N("beams"), info=I18N("beams_help")
        )
        temperature = gr.Slider(
            0, max(MAX_TEMPERATURE, spec.temperature), spec.temperature, step=0.1, label=I18N("temperature"),
            info=I18N("temperature_help"),
        )  # fmt: skip
    return [tokens, beams, temperature]


with gr.Blocks(title=ABOUT["title"], analytics_enabled=False) as demo:
    # The title is from a person: as text, never as markup.
    gr.Textbox(ABOUT["title"], show_label=False, interactive=False, container=False, elem_classes="title")
    gr.Markdown(I18N("about"), sanitize_html=True)
    with gr.Row():
        with gr.Column():
            boxes = {
                name: gr.Textbox(
                    label=I18N(f"input_{name}"),
                    lines=box["lines"],
                    max_lines=24,
                    max_length=box["max_length"],
                    visible=box["required"] or name in ABOUT["optional_inputs"],
                    autofocus=name == REQUIRED[0],
                )
                for name, box in INPUTS.items()
            }
            with gr.Row():
                button = gr.Button(I18N("button"), variant="primary", scale=3)
                stop_button = gr.Button(I18N("stop"), scale=1, visible=GENERATIVE)
            sliders = style_sliders() if GENERATIVE else []
        with gr.Column():
            views = [component_of(number, view) for number, view in enumerate(VIEWS)]
    if ABOUT["examples"]:
        rows = [[row.get(name, "") for name in INPUTS] for row in ABOUT["examples"]]
        # With labels of their own: the headers of a table of several inputs would not be translated.
        labels = [" / ".join(shortened(text) for text in row if text) for row in rows]
        gr.Examples(rows, list(boxes.values()), label=I18N("examples"), example_labels=labels, api_visibility="private")
    if GENERATIVE:
        button.click(generate, [*sliders, *boxes.values()], views, api_visibility="private", show_progress="minimal")
        # Outside the queue: it must get through while a text is being generated.
        stop_button.click(stop_generation, queue=False, api_visibility="private", show_progress="hidden")
    else:
        triggers = [button.click, boxes[REQUIRED[-1]].submit]
        gr.on(triggers, show, list(boxes.values()), views, api_visibility="private")
    gr.api(predict, api_name="predict")

if __name__ == "__main__":
    demo.queue(max_size=32, default_concurrency_limit=1).launch(
        i18n=I18N,
        theme=gr.themes.Soft(primary_hue="emerald"),
        css=".title textarea { font-size: 26px; font-weight: 650; border: 0; background: none; padding: 0; resize: none; }",
        footer_links=["api"],
        run_history=False,
    )
