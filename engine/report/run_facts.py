"""What was run, as a list of names and values to read.

Knows which facts of a run are worth showing, and in which words. What is missing is left out.
"""

from __future__ import annotations

from typing import Any

from engine.core.text import Text
from engine.evaluation.metric_format import count, percent

PHASES = {
    "start": Text("start", "启动"),
    "data": Text("data", "数据"),
    "model": Text("model", "模型"),
    "encode": Text("encoding", "编码"),
    "train": Text("training", "训练"),
    "save": Text("saving", "保存"),
    "evaluate": Text("evaluation", "评估"),
    "report": Text("report", "报告"),
}
SPLITS = {"train": Text("training", "训练"), "validation": Text("validation", "验证"), "test": Text("test", "测试")}


def describe_run(facts: dict[str, Any]) -> list[tuple[Text, Text]]:
    """Name and value of each fact, in reading order."""
    lines: list[tuple[Text, Text | None]] = [
        (Text("Model", "模型"), _plain(facts.get("model"))),
        (Text("Method", "训练方法"), _method(facts)),
        (Text("Rows", "数据行数"), _rows(facts.get("rows"))),
        (Text("Files", "数据文件"), _files(facts.get("sources"))),
        (Text("Settings", "训练设置"), _settings(facts)),
        (Text("Asked as", "提示词"), _plain((facts.get("generation") or {}).get("prompt"))),
        (Text("Written with", "生成设置"), _writing(facts.get("generation"))),
        (Text("Best checkpoint", "最佳检查点"), _best(facts)),
        (Text("Device", "设备"), _device(facts)),
        (Text("Time", "用时"), _seconds(facts.get("seconds"))),
        (Text("Peak memory", "内存峰值"), _memory(facts.get("peak_memory_mb"))),
        (Text("Seed", "随机种子"), _plain(facts.get("seed"))),
        (Text("Data SHA-256", "数据 SHA-256"), _digest(facts.get("data_sha256"))),
        (Text("Versions", "软件版本"), _versions(facts.get("versions"))),
    ]
    return [(name, value) for name, value in lines if value is not None]


def _plain(value: Any) -> Text | None:
    return None if value in (None, "") else Text(str(value), str(value))


def _method(facts: dict[str, Any]) -> Text | None:
    method, everything, trained = (facts.get(key) for key in ("method", "parameters", "trainable_parameters"))
    if method is None:
        return None
    if not everything or trained is None:
        return Text(method, method)
    whole, part, share = _millions(everything), _millions(trained), percent(trained / everything, 1)
    return Text(
        f"{method}: {part} of {whole} weights trained ({share})", f"{method}：训练了 {whole} 权重中的 {part}（{share}）"
    )


def _millions(value: int) -> str:
    return f"{value / 1e6:.1f} M" if value >= 1e5 else count(value)


def _rows(rows: dict[str, int] | None) -> Text | None:
    if not rows:
        return None
    en = ", ".join(f"{count(value)} {SPLITS[name].en}" for name, value in rows.items() if name in SPLITS)
    zh = "，".join(f"{SPLITS[name].zh} {count(value)}" for name, value in rows.items() if name in SPLITS)
    return Text(en, zh)


def _files(sources: dict[str, dict[str, Any]] | None) -> Text | None:
    if not sources:
        return None
    names = list(dict.fromkeys(str(source["name"]) for source in sources.values()))
    return Text(", ".join(names), "、".join(names))


def _settings(facts: dict[str, Any]) -> Text | None:
    ratio = facts.get("fast_ratio", 1) if facts.get("method") == "full" else 1
    made = facts.get("epochs_fitted")
    entries = [
        (Text("epochs made", "实际轮数"), made),
        (Text("epochs planned", "计划轮数") if made else Text("epochs", "轮数"), facts.get("epochs")),
        (Text("batch", "批大小"), facts.get("batch_size")),
        (Text("learning rate", "学习率"), facts.get("learning_rate")),
        (Text("head ratio", "输出层倍率"), ratio if ratio != 1 else None),
        (Text("maximum length", "最大长度"), facts.get("max_length")),
    ]
    entries = [(name, f"{value:g}") for name, value in entries if value is not None]
    if not entries:
        return None
    return Text(", ".join(f"{n.en} {v}" for n, v in entries), "，".join(f"{n.zh} {v}" for n, v in entries))


def _writing(form: dict[str, Any] | None) -> Text | None:
    if form is None:
        return None
    longest, beams, heat = form["max_new_tokens"], form["beams"], form["temperature"]
    return Text(
        f"{longest} tokens at most, {beams} beam{'' if beams == 1 else 's'}, temperature {heat:g}",
        f"最多 {longest} 个 token，束宽 {beams}，温度 {heat:g}",
    )


def _best(facts: dict[str, Any]) -> Text | None:
    epoch, step = facts.get("best_epoch"), facts.get("best_step")
    if epoch is None:
        return None
    if step is None:
        return Text(f"epoch {epoch:.2g}", f"第 {epoch:.2g} 轮")
    return Text(f"epoch {epoch:.2g}, step {count(step)}", f"第 {epoch:.2g} 轮，第 {count(step)} 步")


def _device(facts: dict[str, Any]) -> Text | None:
    device, dtype, reason = facts.get("device"), facts.get("dtype"), facts.get("means") or facts.get("device_reason")
    if device is None:
        return None
    if not reason:
        return _plain(f"{device}, {dtype}" if dtype else device)
    # The reason names the number format.
    return Text(f"{device}, {reason['en']}", f"{device}，{reason['zh']}")


def _seconds(seconds: dict[str, float] | None) -> Text | None:
    if not seconds:
        return None
    total = _duration(sum(seconds.values()))
    worth = [(PHASES.get(name, Text(name, name)), value) for name, value in seconds.items() if value >= 0.5]
    if not worth:
        return total
    return Text(
        f"{total.en} ({', '.join(f'{name.en} {value:.0f} s' for name, value in worth)})",
        f"{total.zh}（{'，'.join(f'{name.zh} {value:.0f} 秒' for name, value in worth)}）",
    )


def _duration(seconds: float) -> Text:
    if seconds < 120:
        return Text(f"{seconds:.0f} s", f"{seconds:.0f} 秒")
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return Text(f"{minutes} min {rest} s", f"{minutes} 分 {rest} 秒")
    hours, minutes = divmod(minutes, 60)
    return Text(f"{hours} h {minutes} min", f"{hours} 小时 {minutes} 分")


def _memory(megabytes: float | None) -> Text | None:
    if not megabytes:
        return None
    shown = f"{megabytes / 1024:.1f} GB" if megabytes >= 1024 else f"{megabytes:.0f} MB"
    return Text(shown, shown)


def _digest(digest: str | dict[str, str] | None) -> Text | None:
    if not digest:
        return None
    if isinstance(digest, str):
        return Text(digest, digest)
    shown = ", ".join(f"{name} {value}" for name, value in digest.items())
    return Text(shown, shown)


def _versions(versions: dict[str, str] | None) -> Text | None:
    if not versions:
        return None
    shown = ", ".join(f"{name} {value}" for name, value in versions.items())
    return Text(shown, shown)
