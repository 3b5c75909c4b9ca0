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
            "What the model is asked. {document} stands for the text of a row.",
            "向模型提出的要求，{document} 代表每行的原文。",
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
            "What the model learns to write. {summary} stands for the summary of a row.",
            "模型要学着写出的内容，{summary} 代表每行的摘要。",
        ),
        kinds=(GENERATIVE,),
        lines=1,
        automatic=Text("{summary}, as it stands", "{summary}，即摘要原文"),
    )
    max_new_tokens: int | None = option(
        None,
        Text("Longest answer", "最大生成长度"),
        Text(
            "Tokens written at most; an English word is about 1.3 tokens.",
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
            "Drafts followed at once; more are a little better and as many times slower.",
            "同时保留的候选数；越多质量略好，耗时也成倍增加。",
        ),
        low=1,
        high=16,
        kinds=(GENERATIVE,),
    )
    temperature: float = option(
        0.0,
        Text("Temperature", "温度"),
        Text(
            "0 always takes the likeliest word; higher values vary the wording and err more.",
            "0 表示总取最可能的词；数值越高措辞越多变，也越容易出错。",
        ),
        low=0,
        high=2,
        kinds=(GENERATIVE,),
    )
    top_p: float = option(
        1.0,
        Text("Top-p", "Top-p"),
        Text(
            "With a temperature: words are drawn from the likeliest ones that make up this share (Holtzman et al. 2020).",
            "温度大于 0 时，只从累计概率达到该比例的词中抽取（Holtzman 等，2020）。",
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
            "No run of this many tokens is written twice; 0 allows all.",
            "不会重复写出这么多个连续 token；0 表示不限制。",
        ),
        low=0,
        high=20,
        advanced=True,
        kinds=(GENERATIVE,),
    )
    repetition_penalty: float = option(
        1.0,
        Text("Repetition penalty", "重复惩罚"),
        Text("Above 1, words already written become less likely.", "大于 1 时，已写过的词出现的概率会降低。"),
        low=1,
        high=3,
        advanced=True,
        kinds=(GENERATIVE,),
    )
    length_penalty: float = option(
        1.0,
        Text("Length penalty", "长度偏好"),
        Text(
            "With several beams: above 1 prefers longer answers, below 1 shorter ones.",
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
