"""The right column while a run goes on: what state it is in, which phase, how long still, the curves, and the two ways to stop.

Turns `live`'s plain data into markup. Knows states and phases; does not know tasks, nor what a report looks like.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import Any

import gradio as gr
from markupsafe import Markup

from demo import live
from demo.i18n import words
from demo.live import History
from demo.markup import count, duration, error_panel, panel, rate, render, safe
from demo.page import Page
from demo.parts.model_step import model_title
from demo.parts.watch import FOLLOW, TAKE_CURVES, server_function
from engine.core.errors import UserError
from engine.core.text import Text
from engine.run_directory.about import about
from engine.run_directory.queue import position
from engine.run_directory.store import ACTIVE, Manifest, Run
from engine.runs.cause import cause_of
from engine.tasks import TASKS

STATE_KIND = {
    "queued": "plain",
    "running": "live",
    "stopping": "warn",
    "completed": "good",
    "stopped": "plain",
    "failed": "bad",
    "interrupted": "bad",
}
# Without a sign of life for this long a queued worker is taken for dead: PyTorch itself loads in a few seconds.
START_SECONDS = 60.0


@dataclass
class TrainStep:
    """The components of a running run."""

    status: gr.HTML
    curves: gr.HTML
    facts: gr.HTML
    notes: gr.HTML
    controls: gr.Row
    keep: gr.Button
    discard: gr.Button
    log: gr.Code
    log_fold: gr.Accordion


def build(page: Page, task: str) -> TrainStep:
    make = page.labels.make
    status = gr.HTML(
        "",
        apply_default_css=False,
        elem_id=f"{task}-status",
        js_on_load=FOLLOW,
        server_functions=[server_function(page, updates)],
    )
    with gr.Row(visible=False, elem_classes="tb-controls") as controls:
        keep = make(gr.Button, value=words("train.keep"), size="sm", elem_id=f"{task}-keep")
        discard = make(gr.Button, value=words("train.discard"), size="sm", variant="stop", elem_id=f"{task}-discard")
    curves = gr.HTML("", apply_default_css=False, js_on_load=TAKE_CURVES)
    facts = gr.HTML("", apply_default_css=False)
    notes = gr.HTML("", apply_default_css=False)
    with make(gr.Accordion, label=words("train.log"), open=False, visible=False) as log_fold:
        log = gr.Code("", language=None, interactive=False, show_label=False, max_lines=24)
    return TrainStep(status, curves, facts, notes, controls, keep, discard, log, log_fold)


def head_html(page: Page, run: Run, manifest: Manifest, language: str) -> str:
    """Which run this is: its name or data, its model, its state, its number."""
    return render(
        "run_head.html",
        language,
        title=page.title(run).in_language(language),
        model=model_title(manifest.model).in_language(language),
        id=manifest.id,
        state=words(f"state.{manifest.state}").in_language(language),
        state_kind=STATE_KIND[manifest.state],
        note=about(run).note,
    )


def status_html(page: Page, run: Run, manifest: Manifest, history: History, language: str) -> str:
    """One sentence, the bar, the time left, the phases; for an ended run, how it ended and what to do next."""
    now = time.time()
    if manifest.state in ("failed", "interrupted"):
        return _ended_badly(run, manifest, history, language)
    if manifest.state == "stopped" and manifest.headline is None:
        return panel("info", words("train.was_discarded").in_language(language)) + _phases(
            history, manifest.state, language
        )
    sentence, detail = _sentence(page, run, manifest, history, language, now)
    share = 1.0 if manifest.state in ("completed", "stopped") else live.fraction(history)
    left = live.remaining(history, now) if manifest.state in ACTIVE and manifest.state != "queued" else None
    spent = duration(live.elapsed(history, manifest, now), language)
    times = words("train.spent" if manifest.state in ACTIVE else "train.took", time=spent).in_language(language)
    if manifest.attempt > 1:
        times += " · " + words("train.attempt", number=manifest.attempt).in_language(language)
    if left is not None:
        times += " · " + words("train.left", time=duration(left, language)).in_language(language)
    return render(
        "status.html",
        language,
        sentence=sentence,
        detail=detail,
        moving=manifest.state in ACTIVE,
        percent=100 * share,
        times=times,
        phases=Markup(_phases(history, manifest.state, language)),
    )


def _sentence(page: Page, run: Run, manifest: Manifest, history: History, language: str, now: float) -> tuple[str, str]:
    """What happens now, and one detail of it."""
    say = lambda key, **values: words(key, **values).in_language(language)  # noqa: E731 - a name for a long call, five times
    if manifest.state == "completed":
        return say("train.was_kept" if run.requested_stop == "keep" else "train.completed"), ""
    if manifest.state == "stopped":
        return say("train.was_kept"), ""
    if manifest.state == "queued":
        ahead = position(run, page.store)
        if ahead >= page.settings.max_running:
            return say("train.queued", ahead=ahead), say("train.queued_detail")
        if now - manifest.created > START_SECONDS and manifest.process is None:
            return say("train.not_starting"), say("train.not_starting_detail")
        return say("train.starting"), say("train.starting_detail")
    if manifest.state == "stopping" or run.requested_stop:
        stop = run.requested_stop
        return say("train.stopping_discard" if stop == "discard" else "train.stopping_keep"), say(
            "train.stopping_detail"
        )
    phase = history.phase
    if phase == "train" and history.step:
        step = history.step
        detail = say("train.step", step=count(step["step"]), total=count(step["total_steps"]))
        if step.get("examples_per_second"):
            detail += " · " + say("train.speed", speed=rate(step["examples_per_second"]))
        if step.get("tokens_per_second"):
            detail += " · " + say("train.tokens", tokens=count(step["tokens_per_second"]))
        if step.get("memory_mb"):
            detail += " · " + say("train.memory", memory=count(step["memory_mb"]))
        # Fewer than planned where time is short.
        epochs = min(history.facts.get("epochs") or math.inf, max(0.1, round(live.epochs(history), 1)))
        if epochs < 1:
            return say("train.learning_part", epochs=f"{epochs:g}"), detail
        now_epoch = min(int(step["epoch"]) + 1, math.ceil(epochs))
        return say("train.learning", epoch=now_epoch, epochs=f"{epochs:g}"), detail
    detail = (
        Text.from_dict(history.progress["what"]).in_language(language)
        if history.progress
        else say(f"phase.{phase}_detail")
    )
    return say(f"phase.{phase}_now"), detail


def _phases(history: History, state: str, language: str) -> str:
    items = "".join(
        f'<li class="tb-{mark}"{" aria-current=step" if mark == "now" else ""}>{safe(words(f"phase.{name}").in_language(language))}</li>'
        for name, mark in live.marks(history, state)
        if name != "start"
    )
    return f'<ol class="tb-phases">{items}</ol>'


def facts_html(history: History, manifest: Manifest, language: str) -> str:
    """What it runs on and why, and how much of the model learns."""
    facts = history.facts or manifest.facts
    if not facts:
        return ""
    rows: list[tuple[Text, str]] = []
    reason = facts.get("means") or facts.get("device_reason")  # runs of before lack the first
    # The reason names the number format.
    how = Text.from_dict(reason).in_language(language) if reason else facts.get("dtype", "")
    rows.append((words("facts.device"), f"{str(facts.get('device', '')).upper()} · {how}"))
    split = facts.get("rows") or {}
    if split:
        rows.append(
            (
                words("facts.rows"),
                words(
                    "facts.rows_value", **{name: count(split.get(name, 0)) for name in ("train", "validation", "test")}
                ).in_language(language),
            )
        )
    if facts.get("parameters"):
        share = facts["trainable_parameters"] / facts["parameters"]
        rows.append(
            (
                words("facts.weights"),
                words(
                    "facts.weights_value",
                    trainable=_short(facts["trainable_parameters"]),
                    total=_short(facts["parameters"]),
                    share=f"{100 * share:.1f}",
                ).in_language(language),
            )
        )
    if facts.get("learning_rate"):
        rows.append(
            (
                words("facts.settings"),
                words(
                    "facts.settings_value",
                    rate=f"{facts['learning_rate']:.2g}",
                    batch=facts["batch_size"],
                    length=facts["max_length"],
                ).in_language(language),
            )
        )
    body = "".join(f"<dt>{safe(name.in_language(language))}</dt><dd>{safe(value)}</dd>" for name, value in rows)
    return f'<dl class="tb-dl">{body}</dl>'


def _ended_badly(run: Run, manifest: Manifest, history: History, language: str) -> str:
    """The cause and the next step, never just "failed"."""
    if manifest.error is not None:
        error = manifest.error
        problem = UserError(
            error["code"], Text.from_dict(error["message"]), Text.from_dict(error["hint"]) if error["hint"] else None
        )
        title = words("train.interrupted" if manifest.state == "interrupted" else "train.failed")
        message = error_panel(problem, language, title)
    else:
        message = error_panel(cause_of(run, manifest), language, words("train.interrupted"))
    return message + _phases(history, manifest.state, language)


def curves_html(page: Page, run: Run, task: str, history: History, language: str) -> str:
    """Drawn once for everybody who looks at the run."""
    if "train" not in history.phases:
        return ""

    def draw() -> str:
        metrics = live.metric_chart(history, TASKS[task].plotted_metrics, language)
        return f'<div class="tb-curves">{live.loss_chart(history, language)}{metrics}</div>'

    return page.curves.get((run.id, history.version, language), draw)


def notes_html(history: History, language: str) -> str:
    if not history.notices:
        return ""
    items = "".join(
        f'<li class="tb-finding tb-{safe(notice["severity"])}"><span>{safe(Text.from_dict(notice["message"]).in_language(language))}</span></li>'
        for notice in history.notices
    )
    title = words("train.notices", notices=len(history.notices)).in_language(language)
    return f'<section class="tb-findings"><h3 class="tb-sub">{safe(title)}</h3><ul>{items}</ul></section>'


def _short(number: float) -> str:
    """A count of weights as people say it."""
    for limit, sign in ((1e9, "B"), (1e6, "M"), (1e3, "k")):
        if number >= limit:
            return f"{number / limit:.1f} {sign}"
    return f"{number:.0f}"


def updates(page: Page, run: Run, language: str) -> dict[str, Any]:
    """What the page shows of a run, by component name; values are markup, but for its `state`."""
    manifest, history = run.manifest, page.history(run)
    return {
        "head": head_html(page, run, manifest, language),
        "status": status_html(page, run, manifest, history, language),
        "curves": curves_html(page, run, manifest.task, history, language),
        "facts": facts_html(history, manifest, language),
        "notes": notes_html(history, language),
        "state": manifest.state,
    }
