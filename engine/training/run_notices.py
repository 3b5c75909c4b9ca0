"""Notices that a run writes to its events while it is encoded and trained: how it computes, truncated texts, smaller batches.

Knows the sentences and their severity. Does not know how anything is computed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from engine.core.errors import RunFailure
from engine.core.text import Text
from engine.evaluation.metric_format import percent
from engine.models.batching import LengthBuckets, padding_share
from engine.models.device import Device
from engine.models.speed.cpu_attention import NAME as CPU_ATTENTION
from engine.models.speed.unpadding import NAME as UNPADDED
from engine.schema import GENERATIVE, Encoded
from engine.tasks.spec import TaskSpec
from engine.training.events import EventLog

ATTENTION_NAMES = {
    "eager": ("plain attention", "普通注意力"),
    CPU_ATTENTION: ("attention in few passes over its scores", "注意力计算减少了遍历次数"),
}
LOST_TEXT_WARNING = 0.01  # share of all text that is cut off, from which on the notice is a warning


def truncation(
    events: EventLog, spec: TaskSpec, train: Encoded, rows: int, length: int, limit: int, in_parts: bool
) -> None:
    """Training texts are longer than `length` tokens, and what happens to the rest. `limit` is the most tokens that the model reads."""
    count, share = train.truncated, train.truncated / rows
    if spec.kind == GENERATIVE:
        _cut_documents(events, count, share, percent(train.lost, 1), length, train.lost > LOST_TEXT_WARNING, in_parts)
    elif spec.windowed:
        events.notice(
            "windowed",
            Text(
                f"{count} training texts ({share:.1%}) are longer than {length} tokens and are read in overlapping windows.",
                f"有 {count} 条训练文本（{share:.1%}）超过 {length} 个 token，按重叠窗口分段读取。",
            ),
            count=count,
        )
    else:
        events.notice(
            "truncated",
            Text(
                f"{count} training texts ({share:.1%}) are longer than {length} tokens and are cut there; "
                f"validation and test read them whole, in windows.",
                f"有 {count} 条训练文本（{share:.1%}）超过 {length} 个 token，训练时会被截断；验证和测试时按窗口完整读取。",
            ),
            "warning" if length < limit or share > 0.05 else "info",
            count=count,
        )


def _cut_documents(
    events: EventLog, count: int, share: float, lost: str, length: int, much: bool, in_parts: bool
) -> None:
    ahead = (
        Text("Asked later, they are summarised in parts.", "之后使用时会分段处理。")
        if in_parts
        else Text(
            "Raise the maximum length, or set long documents to parts, to have all of them read.",
            "如需读完整篇，请调大最大长度，或将“长文档”设为分段处理。",
        )
    )
    events.notice(
        "truncated",
        Text(
            f"{count} training documents ({share:.1%}) are longer than {length} tokens and are cut there: {lost} of all text is not learned from. {ahead.en}",
            f"有 {count} 篇训练文档（{share:.1%}）超过 {length} 个 token，训练时会被截断，共损失 {lost} 的文本。{ahead.zh}",
        ),
        "warning" if much else "info",
        count=count,
    )


@dataclass(frozen=True, slots=True)
class ComputeSavings:
    """Computations that a run saves."""

    embeddings: bool = False  # word embeddings are frozen
    encoder: bool = False  # the whole encoder is frozen and its output cached
    frozen_layers: int = 0  # how many layers are frozen, from the first on
    read_once: bool = False  # the output of the frozen layers is cached
    lora_products: int = 0  # layers that compute LoRA as one product
    other_tokens: bool = False  # all but the first, in the last layer
    off: bool = False  # every fast path is switched off

    @property
    def descriptions(self) -> list[Text]:
        parts = []
        if self.encoder:
            parts.append(Text("the frozen encoder reads every text once", "编码器冻结，每条文本只编码一次"))
        elif self.frozen_layers:
            count = self.frozen_layers
            layers = "layer" if count == 1 else f"{count} layers"
            once = Text(", computed once a text", "，每条文本只计算一次") if self.read_once else Text("", "")
            parts.append(Text(f"the first {layers} frozen{once.en}", f"前 {count} 层冻结{once.zh}"))
        elif self.embeddings:
            parts.append(Text("word embeddings frozen", "词嵌入冻结"))
        if self.lora_products:
            parts.append(Text("LoRA and its weight in one product", "LoRA 与原权重合并为一次矩阵乘法"))
        if self.other_tokens:
            parts.append(Text("the last layer computes the first token alone", "最后一层只计算首个 token"))
        if self.off:
            parts.append(Text("optimizations off", "已关闭计算优化"))
        return parts


def describe_compute(
    device: Device, attention: str, savings: ComputeSavings, lengths: Sequence[int], batch_size: int, seed: int
) -> Text:
    """How a run computes: number format with its reason, what it saves, attention, and the padding of its first epoch.

    `lengths` are those of the training sequences, in tokens.
    """
    batches = list(LengthBuckets(lengths, batch_size, seed))
    if attention == UNPADDED:
        texts = f"{len(lengths) / len(batches):.3g}"
        layout = Text(
            f"packed {texts} texts a row, variable-length attention", f"每行拼接 {texts} 条文本、无填充，使用变长注意力"
        )
    else:
        kind = ATTENTION_NAMES.get(attention, (f"{attention} attention", f"{attention} 注意力"))
        padding = percent(padding_share(lengths, batches))
        layout = Text(
            f"{kind[0]}; batches of like length, {padding} padding",
            f"{kind[1]}；长度相近的文本同批，填充占 {padding}",
        )
    parts = [device.reason, *savings.descriptions, layout]
    return Text("; ".join(part.en for part in parts), "；".join(part.zh for part in parts))


def smaller_batch(events: EventLog, micro: int, batch_size: int) -> None:
    """Memory ran out, and training starts over with `micro` rows at a time."""
    events.notice(
        "smaller_batch",
        Text(
            f"Memory ran out. Starting over with {micro} examples at a time; updates still use {batch_size}.",
            f"内存不足，改为每次处理 {micro} 条样本重新开始；每次更新仍使用 {batch_size} 条。",
        ),
        "warning",
    )


def measured_batch(events: EventLog, micro: int, batch_size: int, bytes_each: int) -> None:
    """A batch does not fit into memory at once, by a measurement made before training."""
    each = f"{bytes_each / 2**20:,.0f} MB"
    events.notice(
        "small_batches",
        Text(
            f"The longest example takes {each}: {micro} at a time, updates still use {batch_size}.",
            f"最长的样本需要 {each} 内存：每次处理 {micro} 条，每次更新仍使用 {batch_size} 条。",
        ),
    )


def shortened(events: EventLog, epochs: float, planned: float, minutes: float) -> None:
    """In the minutes that the run may take, this machine trains about `epochs` of the `planned` epochs."""
    seconds = f"{60 * minutes:.0f}"
    events.notice(
        "fitted",
        Text(
            f"Of {planned:g} {'pass' if planned == 1 else 'passes'} planned, about {epochs:.2g} can be made in a run of {seconds} seconds on this machine; the learning rate falls to zero with the last update. Set “Time limit (minutes)” to 0 for the whole plan.",
            f"计划 {planned:g} 轮，这台机器在 {seconds} 秒的运行时长内约能完成 {epochs:.2g} 轮；学习率会随最后一次更新降到零。如需训练完整轮数，请将“运行时长上限”设为 0。",
        ),
    )


def out_of_time(events: EventLog, seconds: float) -> None:
    """Training ended because it took as long as a run may take on this deployment."""
    minutes = max(1, round(seconds / 60))
    events.notice(
        "time_limit",
        Text(
            f"Training stopped after {minutes} minutes, as long as a run may take here; the best model until then is kept.",
            f"训练已达到此处允许的 {minutes} 分钟上限，已停止；保留到目前为止最好的模型。",
        ),
        "warning",
    )


def diverged(learning_rate: float, step: int) -> RunFailure:
    """The failure of a run whose loss is infinite or NaN; `step` counts the updates before."""
    lower = f"{learning_rate / 10:.0e}"
    return RunFailure(
        "diverged",
        Text(
            f"The loss became infinite or NaN at step {step + 1}, with learning rate {learning_rate:g}.",
            f"学习率为 {learning_rate:g} 时，第 {step + 1} 步的损失变为无穷大或 NaN。",
        ),
        Text(f"Try a lower learning rate, such as {lower}.", f"请降低学习率，例如 {lower}。"),
        step=step + 1,
        learning_rate=learning_rate,
    )
