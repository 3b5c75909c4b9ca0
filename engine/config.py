"""RunConfig: the one description of a run.

The page, the command line, YAML files and Python all make this object, and the engine takes nothing else. The metadata of
its fields (label, help, range) is the single source of what each of them shows. It knows what may be asked for; it does
not know whether the files, columns or models named in it exist.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from engine.errors import ConfigProblem, FileProblem
from engine.options import Problem, check_ranges, option, read
from engine.text import Text

TASK_NAMES = ("classification", "ner", "qa", "summarization")
METHODS = ("full", "lora", "head")


@dataclass
class DataConfig:
    """Where the table comes from and how it is read and split."""

    example: str = option(
        "",
        Text("Example", "示例数据"),
        Text("One of the embedded data sets, instead of files.", "内置数据集，可代替文件。"),
    )
    train: str = option("", Text("Training file", "训练文件"), Text("The table to learn from.", "用于学习的数据表。"))
    validation: str = option(
        "",
        Text("Validation file", "验证文件"),
        Text(
            "Chooses the best checkpoint. Taken from the training rows when not given.",
            "用于挑选最佳检查点；不提供时从训练数据中划分。",
        ),
    )
    test: str = option(
        "",
        Text("Test file", "测试文件"),
        Text(
            "Read once, at the end. Taken from the training rows when not given.",
            "只在最后评估时使用一次；不提供时从训练数据中划分。",
        ),
    )
    hub: str = option(
        "",
        Text("Hub data set", "Hub 数据集"),
        Text(
            "A data set id on the Hugging Face Hub, instead of files.", "Hugging Face Hub 上的数据集 ID，可代替文件。"
        ),
    )
    hub_config: str = option(
        "",
        Text("Hub configuration", "Hub 子集"),
        Text("The configuration of the hub data set.", "Hub 数据集的配置（子集）名称。"),
    )
    columns: dict[str, str] = option(
        {},
        Text("Columns", "列对应"),
        Text("Which column plays which role. Guessed when not given.", "每个角色对应的列名；不填则自动识别。"),
    )
    label_separator: str = option(
        "",
        Text("Label separator", "标签分隔符"),
        Text(
            "Set it when one cell holds several labels, such as a;b: the task becomes multi-label.",
            "当一个单元格含多个标签（如 a;b）时填写，任务随之变为多标签分类。",
        ),
    )
    encoding: str = option(
        "", Text("Encoding", "文件编码"), Text("Detected when not given.", "不填则自动检测。"), advanced=True
    )
    delimiter: str = option(
        "", Text("Delimiter", "列分隔符"), Text("Detected when not given.", "不填则自动检测。"), advanced=True
    )
    sheet: str = option(
        "",
        Text("Worksheet", "工作表"),
        Text("The sheet of an XLSX file; the first when not given.", "XLSX 文件中的工作表；不填则取第一个。"),
        advanced=True,
    )
    max_train_rows: int | None = option(
        None,
        Text("Maximum training rows", "训练行数上限"),
        Text("Train on a random sample of this many rows.", "随机抽取这么多行用于训练。"),
        low=1,
        automatic=Text("all rows", "全部"),
    )
    validation_share: float = option(
        0.1,
        Text("Validation share", "验证集比例"),
        Text(
            "Share of the training rows kept for validation when no file is given.",
            "未提供验证文件时，从训练数据中划出的比例。",
        ),
        low=0.01,
        high=0.5,
        advanced=True,
    )
    test_share: float = option(
        0.2,
        Text("Test share", "测试集比例"),
        Text(
            "Share of all rows kept for the test when no file is given.", "未提供测试文件时，从全部数据中划出的比例。"
        ),
        low=0.01,
        high=0.5,
        advanced=True,
    )
    fixes: list[str] = option(
        [],
        Text("Fixes", "数据修复"),
        Text("Codes of the data check's fixes to apply before training.", "训练前要应用的数据检查修复项代码。"),
        advanced=True,
    )


@dataclass
class ModelConfig:
    """The pretrained model to start from."""

    id: str = option(
        "minilm",
        Text("Model", "模型"),
        Text("An embedded model, a hub id, or a local folder.", "内置模型、Hub 模型 ID 或本地文件夹。"),
    )
    revision: str = option(
        "",
        Text("Revision", "版本"),
        Text("Branch, tag or commit of a hub model.", "Hub 模型的分支、标签或提交号。"),
        advanced=True,
    )
    max_length: int | None = option(
        None,
        Text("Maximum length", "最大长度"),
        Text("Tokens read of each text; the rest is cut off.", "每条文本读入的 token 数，超出部分会被截断。"),
        low=8,
        high=32768,
        automatic=Text("fits the data, up to what the model reads", "按数据自动确定，不超过模型上限"),
    )
    dropout: float | None = option(
        None,
        Text("Dropout", "Dropout"),
        Text("Dropout inside the encoder while training.", "训练时编码器内部的 dropout 比例。"),
        low=0,
        high=0.9,
        advanced=True,
        automatic=Text("chosen for the method and the model", "按方法与模型选择"),
    )


@dataclass
class MethodConfig:
    """Which weights are trained."""

    name: str = option(
        "full",
        Text("Method", "训练方法"),
        Text(
            "full trains every weight, lora small added matrices, head only the last layer.",
            "full 训练全部权重，lora 只训练少量附加矩阵，head 只训练最后的输出层。",
        ),
        choices=METHODS,
    )
    lora_rank: int = option(
        16,
        Text("LoRA rank", "LoRA 秩"),
        Text(
            "Rank of the added matrices: higher learns more and costs more.", "附加矩阵的秩；越大学得越多，开销也越大。"
        ),
        low=1,
        high=512,
    )
    lora_alpha: float = option(
        32,
        Text("LoRA alpha", "LoRA alpha"),
        Text("Scale of the update; it is divided by the rank.", "更新量的缩放系数，实际缩放为 alpha / 秩。"),
        low=0,
        above=True,
        high=4096,
    )
    lora_dropout: float = option(
        0.0,
        Text("LoRA dropout", "LoRA dropout"),
        Text("Dropout on the input of the added matrices.", "附加矩阵输入上的 dropout。"),
        low=0,
        high=0.9,
        advanced=True,
    )
    use_dora: bool = option(
        False,
        Text("DoRA", "DoRA"),
        Text(
            "Learn magnitude and direction apart (Liu et al. 2024); slower.",
            "分别学习幅度与方向（Liu 等，2024），速度较慢。",
        ),
        advanced=True,
    )
    use_rslora: bool = option(
        False,
        Text("rsLoRA", "rsLoRA"),
        Text(
            "Scale by the square root of the rank (Kalajdzievski 2023); for high ranks.",
            "按秩的平方根缩放（Kalajdzievski，2023），适合较大的秩。",
        ),
        advanced=True,
    )
    freeze_embeddings: bool | None = option(
        None,
        Text("Freeze word embeddings", "冻结词嵌入"),
        Text("Leave the word embeddings as they are in full fine-tuning.", "全参数微调时保持词嵌入不变。"),
        advanced=True,
        automatic=Text("frozen", "冻结"),
    )


@dataclass
class TrainingConfig:
    """How the weights are trained."""

    epochs: float = option(
        4.0,
        Text("Epochs", "训练轮数"),
        Text("Passes over the training rows.", "遍历训练数据的次数。"),
        low=0,
        above=True,
        high=1000,
    )
    learning_rate: float | None = option(
        None,
        Text("Learning rate", "学习率"),
        Text(
            "Peak size of a step. Too high and the loss explodes, too low and nothing is learned.",
            "更新步长的峰值；过大损失会发散，过小学不到东西。",
        ),
        low=0,
        above=True,
        high=10,
        automatic=Text("chosen for the method and the model", "按方法与模型选择"),
    )
    batch_size: int | None = option(
        None,
        Text("Batch size", "批大小"),
        Text("Examples per update.", "每次更新使用的样本数。"),
        low=1,
        high=4096,
        automatic=Text("chosen for the data", "按数据选择"),
    )
    gradient_accumulation: int = option(
        1,
        Text("Gradient accumulation", "梯度累积"),
        Text(
            "Split each update over this many smaller batches to save memory.", "把一次更新拆成多个小批次以节省内存。"
        ),
        low=1,
        high=1024,
        advanced=True,
    )
    warmup: float = option(
        0.1,
        Text("Warm-up", "预热比例"),
        Text("Share of the steps over which the learning rate rises.", "学习率从零升到峰值所占的步数比例。"),
        low=0,
        high=0.9,
        advanced=True,
    )
    scheduler: str = option(
        "linear",
        Text("Schedule", "学习率调度"),
        Text("How the learning rate falls after the warm-up.", "预热之后学习率的下降方式。"),
        choices=("linear", "cosine", "constant_with_warmup"),
        advanced=True,
    )
    weight_decay: float = option(
        0.01,
        Text("Weight decay", "权重衰减"),
        Text("Pull of the weights towards zero (AdamW).", "AdamW 将权重拉向零的强度。"),
        low=0,
        high=1,
        advanced=True,
    )
    max_grad_norm: float = option(
        1.0,
        Text("Gradient clipping", "梯度裁剪"),
        Text("Largest gradient norm of a step.", "单步梯度范数的上限。"),
        low=0,
        above=True,
        high=1000,
        advanced=True,
    )
    label_smoothing: float = option(
        0.0,
        Text("Label smoothing", "标签平滑"),
        Text("Share of certainty taken from the true label.", "从真实标签分出的概率比例。"),
        low=0,
        high=0.5,
        advanced=True,
    )
    class_weights: bool = option(
        False,
        Text("Weight classes", "类别加权"),
        Text("Count errors on rare classes more.", "加大稀有类别的错误代价。"),
        advanced=True,
    )
    early_stopping: int = option(
        3,
        Text("Early stopping", "早停"),
        Text(
            "Stop after this many evaluations without a better score; 0 never stops early.",
            "连续多少次评估没有进步就停止；0 表示不早停。",
        ),
        low=0,
        high=1000,
        advanced=True,
    )
    evaluations_per_epoch: int = option(
        1,
        Text("Evaluations per epoch", "每轮评估次数"),
        Text("How often the validation rows are scored.", "每轮在验证集上评估的次数。"),
        low=1,
        high=100,
        advanced=True,
    )
    precision: str = option(
        "auto",
        Text("Precision", "计算精度"),
        Text("auto takes bfloat16 where the device multiplies it fast.", "auto 会在设备支持高速 bfloat16 时使用它。"),
        choices=("auto", "fp32", "bf16", "fp16"),
        advanced=True,
    )
    device: str = option(
        "auto",
        Text("Device", "设备"),
        Text("auto takes CUDA, then MPS, then the CPU.", "auto 依次尝试 CUDA、MPS、CPU。"),
        choices=("auto", "cuda", "mps", "cpu"),
        advanced=True,
    )


@dataclass
class EvaluationConfig:
    """How the model is judged."""

    metric: str = option(
        "",
        Text("Selection metric", "选择指标"),
        Text(
            "Chooses the best checkpoint on the validation rows; the task's own when empty.",
            "在验证集上挑选最佳检查点的指标；留空则用任务默认指标。",
        ),
        advanced=True,
    )
    bootstrap_samples: int = option(
        1000,
        Text("Bootstrap samples", "自助采样次数"),
        Text("Resamples behind every interval.", "计算置信区间所用的重采样次数。"),
        low=100,
        high=100_000,
        advanced=True,
    )
    baselines: bool = option(
        True,
        Text("Baselines", "基线对比"),
        Text(
            "Score simple baselines and the untuned model on the same test rows.",
            "在同一测试集上评估简单基线与未微调的模型。",
        ),
    )
    batch_size: int | None = option(
        None,
        Text("Evaluation batch size", "评估批大小"),
        Text("Examples scored at once.", "一次评估的样本数。"),
        low=1,
        high=4096,
        advanced=True,
        automatic=Text("chosen for the data", "按数据选择"),
    )


@dataclass
class RunConfig:
    """One run: task, data, model, method, training, evaluation."""

    task: str = option(
        "classification", Text("Task", "任务"), Text("What is to be learned.", "要学习的任务。"), choices=TASK_NAMES
    )
    name: str = option("", Text("Name", "名称"), Text("Shown in the run list.", "显示在运行列表中的名称。"))
    seed: int = option(
        42,
        Text("Seed", "随机种子"),
        Text("Same seed, same data, same machine: same model.", "种子、数据和机器相同，则模型相同。"),
        low=0,
        high=2**32 - 1,
        advanced=True,
    )
    data: DataConfig = field(default_factory=DataConfig)
    model: ModelConfig = field(default_factory=ModelConfig)
    method: MethodConfig = field(default_factory=MethodConfig)
    training: TrainingConfig = field(default_factory=TrainingConfig)
    evaluation: EvaluationConfig = field(default_factory=EvaluationConfig)

    def validate(self) -> list[Problem]:
        """Everything that is wrong with this description by itself, all at once."""
        problems = check_ranges(self)
        sources = [name for name in ("example", "train", "hub") if getattr(self.data, name)]
        if not sources:
            problems.append(
                Problem(
                    "data.train",
                    Text(
                        "is empty. Give a training file, an example or a hub data set.",
                        "为空。请提供训练文件、示例数据或 Hub 数据集。",
                    ),
                )
            )
        elif len(sources) > 1:
            given = ", ".join(f"data.{name}" for name in sources)
            problems.append(
                Problem(
                    f"data.{sources[1]}",
                    Text(f"is one source too many: {given}. Keep one.", f"数据来源重复：{given}。请只保留一个。"),
                )
            )
        if self.data.validation_share + self.data.test_share > 0.8:
            problems.append(
                Problem(
                    "data.test_share",
                    Text(
                        "leaves less than 20 % of the rows for training. Lower it or data.validation_share.",
                        "导致训练数据不足 20 %。请调低它或 data.validation_share。",
                    ),
                )
            )
        if not self.model.id.strip():
            problems.append(Problem("model.id", Text("is empty. Name a model.", "为空。请指定模型。")))
        return problems

    def check(self) -> None:
        """Raise ConfigProblem when `validate` finds anything."""
        raise_problems(self.validate())

    def to_dict(self) -> dict[str, Any]:
        return dataclasses.asdict(self)

    def to_yaml(self) -> str:
        """YAML of what differs from the defaults, and of the task and model always: short enough to read."""
        default = RunConfig().to_dict()
        changed = _differences(self.to_dict(), default)
        changed = {"task": self.task, **changed}
        changed.setdefault("model", {}).setdefault("id", self.model.id)
        changed.setdefault("method", {}).setdefault("name", self.method.name)
        order = list(default)
        return yaml.safe_dump(
            {key: changed[key] for key in order if key in changed}, sort_keys=False, allow_unicode=True, width=120
        )

    @classmethod
    def from_dict(cls, values: Any) -> RunConfig:
        """Raises ConfigProblem with every unknown key, wrong type and value out of range."""
        problems: list[Problem] = []
        config = read(cls, values, problems)
        unread = {problem.path for problem in problems}
        # A field that could not be read is at its default; only what was read can be judged further.
        problems += [problem for problem in config.validate() if problem.path not in unread]
        raise_problems(problems)
        return config

    @classmethod
    def from_yaml(cls, text: str, source: str = "config.yaml") -> RunConfig:
        """Raises FileProblem with line and column for what is no YAML, ConfigProblem for what is no RunConfig."""
        try:
            values = yaml.safe_load(text)
        except yaml.YAMLError as error:
            mark = getattr(error, "problem_mark", None)
            row, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
            raise FileProblem(
                "bad_yaml",
                Text(
                    f"{source} is no valid YAML at line {row}, column {column}.",
                    f"{source} 第 {row} 行第 {column} 列不是合法的 YAML。",
                ),
                Text("Correct that line.", "请改正该行。"),
                file=source,
                row=row,
                column=column,
            ) from error
        return cls.from_dict({} if values is None else values)

    @classmethod
    def load(cls, path: str | Path) -> RunConfig:
        path = Path(path)
        try:
            text = path.read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            raise FileProblem(
                "unreadable_config",
                Text(f"Cannot read the configuration {path}: {error}.", f"无法读取配置文件 {path}：{error}。"),
                file=str(path),
            ) from error
        return cls.from_yaml(text, source=path.name)


def raise_problems(problems: list[Problem]) -> None:
    """Raise one ConfigProblem that lists them all, or return when there are none."""
    if not problems:
        return
    raise ConfigProblem(
        "bad_config",
        Text(
            "The configuration has problems:\n" + "\n".join(f"  {p.path} {p.message.en}" for p in problems),
            "配置有以下问题：\n" + "\n".join(f"  {p.path} {p.message.zh}" for p in problems),
        ),
        problems=[{"path": p.path, "message": p.message.to_dict()} for p in problems],
    )


def _differences(values: dict[str, Any], default: dict[str, Any]) -> dict[str, Any]:
    changed: dict[str, Any] = {}
    for key, value in values.items():
        if isinstance(value, dict) and isinstance(default[key], dict) and key != "columns":
            inner = _differences(value, default[key])
            if inner:
                changed[key] = inner
        elif value != default[key]:
            changed[key] = value
    return changed
