"""Which pretrained model a run starts from, and which of its weights are trained."""

from __future__ import annotations

from dataclasses import dataclass

from engine.core.options import option
from engine.core.text import Text
from engine.schema import ENCODER, GENERATIVE

METHODS = ("full", "lora", "head", "prefix", "ia3")  # each task names those that make sense for it


@dataclass
class ModelConfig:
    """The pretrained model to start from."""

    id: str = option(
        "auto",
        Text("Model", "模型"),
        Text(
            "An embedded model, a hub id, or a local folder; auto suits the task and the language of the data.",
            "内置模型、Hub 模型 ID 或本地文件夹；auto 会按任务和数据的语言选择。",
        ),
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
    layers: int | None = option(
        None,
        Text("Layers", "层数"),
        Text(
            "How many of the encoder's layers are kept, counted from the embeddings up. The last layers are often specific to the model's pretraining task.",
            "从词嵌入往上数，保留编码器的多少层；最后几层往往只适合模型的预训练任务。",
        ),
        low=1,
        high=200,
        advanced=True,
        automatic=Text("all, or as many as suit the model and the task", "全部，或按模型与任务选择"),
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
            "full trains all weights of the model, lora low-rank matrices added to it, head only the output layer, prefix virtual tokens before each layer, ia3 one scaling factor for each feature.",
            "full 训练模型的全部权重，lora 只训练附加的低秩矩阵，head 只训练输出层，prefix 只训练各层之前的虚拟 token，ia3 只训练每个特征的缩放系数。",
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
    lora_plus_ratio: float = option(
        4.0,
        Text("LoRA+ ratio", "LoRA+ 倍率"),
        Text(
            "Learning rate of the zero-initialised matrices and of the head, as a multiple of that of the others (Hayou et al. 2024).",
            "初始为零的矩阵和输出层的学习率是其余矩阵的多少倍（Hayou 等，2024）。",
        ),
        low=1,
        high=64,
        advanced=True,
    )
    head_ratio: float | None = option(
        None,
        Text("Head ratio", "输出层倍率"),
        Text(
            "Learning rate of the new output layer in full fine-tuning, as a multiple of that of the other weights.",
            "全参数微调时，新输出层的学习率是其余权重的多少倍。",
        ),
        low=1,
        high=1000,
        advanced=True,
        kinds=(ENCODER,),
        automatic=Text(
            "100 over fewer than 1,000 texts, for named entities and for classes of few texts each; otherwise 1",
            "文本少于 1000 条的命名实体识别，以及每类文本很少的分类，为 100；其他情况为 1",
        ),
    )
    use_dora: bool = option(
        False,
        Text("DoRA", "DoRA"),
        Text(
            "Train magnitude and direction of the weights separately (Liu et al. 2024); slower.",
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
    frozen_layers: int | None = option(
        None,
        Text("Frozen layers", "冻结层数"),
        Text(
            "How many layers, counted from the word embeddings up, stay as they are in full fine-tuning.",
            "全参数微调时，自词嵌入起往上有多少层保持不变。",
        ),
        low=0,
        high=200,
        advanced=True,
        kinds=(ENCODER,),
        automatic=Text(
            "a third for 25 classes and more, otherwise none", "类别达到 25 个时为三分之一的层，其他情况为 0"
        ),
    )
    lora_layers: int | None = option(
        None,
        Text("LoRA layers", "LoRA 层数"),
        Text(
            "How many layers of a decoder, counted from the top, get LoRA matrices; no gradients are computed for the others.",
            "自上而下给解码器的多少层添加 LoRA 矩阵；其余各层不计算梯度。",
        ),
        low=1,
        high=200,
        advanced=True,
        kinds=(GENERATIVE,),
        automatic=Text("all on a GPU, the upper half on a CPU", "GPU 上为全部，CPU 上为上半部分"),
    )
    prefix_length: int = option(
        20,
        Text("Prefix length", "前缀长度"),
        Text(
            "Number of virtual tokens that prefix tuning trains before the input of every layer (Li & Liang 2021).",
            "前缀微调在每一层输入之前训练的虚拟 token 数量（Li 与 Liang，2021）。",
        ),
        low=1,
        high=512,
        advanced=True,
        kinds=(GENERATIVE,),
    )
    four_bit: bool = option(
        False,
        Text("4-bit base", "4 位基座"),
        Text(
            "Keep the untrained weights in 4 bits (QLoRA, Dettmers et al. 2023): an NVIDIA GPU and bitsandbytes only.",
            "以 4 位保存不训练的权重（QLoRA，Dettmers 等，2023），仅限装有 bitsandbytes 的 NVIDIA GPU。",
        ),
        advanced=True,
        kinds=(GENERATIVE,),
    )
