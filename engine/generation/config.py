"""How a generative model is prompted, and how it generates. For every task of the kind GENERATIVE."""

from __future__ import annotations

from dataclasses import dataclass

from engine.core.options import option
from engine.core.text import Text
from engine.schema import GENERATIVE


@dataclass
class GenerationConfig:
    """The prompt, the target, and the way from one to the other."""

    prompt: str = option(
        "",
        Text("Prompt", "提示词"),
        Text(
            "Prompt of every row. {document} stands for the text of the row.",
            "每行使用的提示词，{document} 代表该行的原文。",
        ),
        kinds=(GENERATIVE,),
        lines=3,
        automatic=Text(
            "what suits the model: an instruction for chat models, “summarize:” for T5, the bare text for BART",
            "按模型选择：对话模型用指令，T5 用“summarize:”，BART 直接读原文",
        ),
    )
    target: str = option(
        "",
        Text("Target", "目标格式"),
        Text(
            "Text that the model learns to generate. {summary} stands for the summary of the row.",
            "模型学习生成的文本，{summary} 代表该行的摘要。",
        ),
        kinds=(GENERATIVE,),
        lines=1,
        automatic=Text("{summary}, unchanged", "{summary}，即摘要原文"),
    )
    max_new_tokens: int | None = option(
        None,
        Text("Maximum length", "最大生成长度"),
        Text(
            "Maximum number of tokens generated; an English word is about 1.3 tokens.",
            "最多生成的 token 数；一个汉字约为 1 个或更多 token。",
        ),
        low=1,
        high=4096,
        kinds=(GENERATIVE,),
        automatic=Text("room for nearly all training summaries", "能容纳几乎所有训练摘要"),
    )
    beams: int = option(
        1,
        Text("Beams", "束搜索宽度"),
        Text(
            "Number of beams in beam search: more are slightly better and that many times slower.",
            "束搜索的束宽；越大质量略好，耗时也成倍增加。",
        ),
        low=1,
        high=16,
        kinds=(GENERATIVE,),
    )
    temperature: float = option(
        0.0,
        Text("Temperature", "温度"),
        Text(
            "0 always takes the most likely token; higher values vary the wording and make more errors.",
            "0 表示总取概率最高的 token；数值越高措辞越多变，也越容易出错。",
        ),
        low=0,
        high=2,
        kinds=(GENERATIVE,),
    )
    top_p: float = option(
        1.0,
        Text("Top-p", "Top-p"),
        Text(
            "With a temperature above 0: tokens are sampled from the most likely ones whose probabilities add up to this (Holtzman et al. 2020).",
            "温度大于 0 时，只从累计概率达到该值的 token 中采样（Holtzman 等，2020）。",
        ),
        low=0,
        above=True,
        high=1,
        advanced=True,
        kinds=(GENERATIVE,),
    )
    no_repeat_ngram: int = option(
        0,
        Text("No repeated n-grams", "禁止重复的 n 元组"),
        Text(
            "No n-gram of this many tokens is generated twice; 0 sets no limit.",
            "不会重复生成这么多个连续 token；0 表示不限制。",
        ),
        low=0,
        high=20,
        advanced=True,
        kinds=(GENERATIVE,),
    )
    repetition_penalty: float = option(
        1.0,
        Text("Repetition penalty", "重复惩罚"),
        Text(
            "Above 1, tokens that were already generated become less likely.",
            "大于 1 时，已生成的 token 再次出现的概率会降低。",
        ),
        low=1,
        high=3,
        advanced=True,
        kinds=(GENERATIVE,),
    )
    length_penalty: float = option(
        1.0,
        Text("Length penalty", "长度偏好"),
        Text(
            "In beam search: above 1 favours longer texts, below 1 shorter ones.",
            "束搜索时，大于 1 偏好更长的结果，小于 1 偏好更短的结果。",
        ),
        low=-5,
        high=5,
        advanced=True,
        kinds=(GENERATIVE,),
    )
    long_documents: str = option(
        "cut",
        Text("Long documents", "长文档"),
        Text(
            "Read the beginning and say how much is lost, or summarise each part and then the summaries.",
            "只读开头并说明损失多少，或先分段概括，再概括各段的摘要。",
        ),
        choices=("cut", "parts"),
        kinds=(GENERATIVE,),
    )
