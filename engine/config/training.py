"""How weights are trained, and how the result is evaluated."""

from __future__ import annotations

from dataclasses import dataclass

from engine.core.options import option
from engine.core.text import Text
from engine.schema import ENCODER


@dataclass
class TrainingConfig:
    """How the weights are trained."""

    epochs: float | None = option(
        None,
        Text("Epochs", "训练轮数"),
        Text("Passes over the training rows.", "遍历训练数据的次数。"),
        low=0,
        above=True,
        high=1000,
        automatic=Text("chosen for the data: more for fewer rows", "按数据选择，数据越少轮数越多"),
    )
    learning_rate: float | None = option(
        None,
        Text("Learning rate", "学习率"),
        Text(
            "Peak learning rate. Too high and the loss diverges, too low and the model learns nothing.",
            "学习率的峰值；过大损失会发散，过小则学不到东西。",
        ),
        low=0,
        above=True,
        high=10,
        automatic=Text("chosen for the method, the model and the data", "按方法、模型与数据选择"),
    )
    batch_size: int | None = option(
        None,
        Text("Batch size", "批大小"),
        Text("Examples per update.", "每次更新使用的样本数。"),
        low=1,
        high=4096,
        automatic=Text("chosen for the data", "按数据选择"),
    )
    minutes: float | None = option(
        None,
        Text("Time limit (minutes)", "运行时长上限（分钟）"),
        Text(
            "About how long the run may take, report included. Short of time, it trains for fewer epochs; 0 sets no limit.",
            "整个运行（含报告）大约可用的时间；时间不够时减少训练轮数，0 表示不限时。",
        ),
        low=0,
        high=100_000,
        automatic=Text("two or three for an example; no limit for your own data", "示例数据两三分钟；自己的数据不限时"),
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
    gradient_checkpointing: bool = option(
        False,
        Text("Gradient checkpointing", "梯度检查点"),
        Text(
            "Compute parts of the forward pass twice instead of keeping them: far less memory, a third slower.",
            "不保存中间结果而是重新计算：显著节省内存，速度约慢三分之一。",
        ),
        advanced=True,
    )
    compile: bool = option(
        False,
        Text("Compile the model", "编译模型"),
        Text(
            "torch.compile: a minute at the start, then faster steps on a GPU. For long runs.",
            "使用 torch.compile：开始时多花约一分钟，之后在 GPU 上每步更快，适合长时间的训练。",
        ),
        advanced=True,
    )
    optimizations: str = option(
        "auto",
        Text("Optimizations", "计算优化"),
        Text(
            "off computes everything as PyTorch and transformers do by themselves: the same results, more slowly. For comparisons.",
            "off 会完全按 PyTorch 与 transformers 自身的方式计算：结果一致但更慢，用于对照。",
        ),
        choices=("auto", "off"),
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
        Text("Weight decay of AdamW.", "AdamW 的权重衰减系数。"),
        low=0,
        high=1,
        advanced=True,
    )
    max_grad_norm: float = option(
        1.0,
        Text("Gradient clipping", "梯度裁剪"),
        Text("Maximum norm of the gradients of a step.", "单步梯度范数的上限。"),
        low=0,
        above=True,
        high=1000,
        advanced=True,
    )
    label_smoothing: float = option(
        0.0,
        Text("Label smoothing", "标签平滑"),
        Text("Probability mass moved from the true label to the others.", "从真实标签分给其他标签的概率。"),
        low=0,
        high=0.5,
        advanced=True,
    )
    class_weights: bool = option(
        False,
        Text("Weight classes", "类别加权"),
        Text(
            "Weight the loss by class, so that errors on rare classes count more.",
            "按类别加权损失，加大稀有类别的错误代价。",
        ),
        advanced=True,
        kinds=(ENCODER,),
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
    """How the model is evaluated."""

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
    max_rows: int | None = option(
        None,
        Text("Test rows", "测试行数"),
        Text(
            "Size of the random sample of test rows for the final evaluation; the intervals reflect it.",
            "最后评估时使用的测试行数（随机抽样），置信区间会反映样本大小。",
        ),
        low=1,
        automatic=Text("all; 100 for generative models", "全部；生成模型为 100 行"),
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
