"""The catalogue: facts about the models that are offered by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from engine.assets import Package
from engine.assets.package import E5_SMALL, MINILM, SMOLLM2
from engine.core.text import Text
from engine.models.prompt_styles import BARE, CHAT, PREFIXED
from engine.schema import ENCODER, GENERATIVE

MULTILINGUAL = ("multilingual",)


class ModelledTask(Protocol):
    """A task as far as the choice of a model is concerned. `kind` is ENCODER or GENERATIVE."""

    @property
    def name(self) -> str: ...
    @property
    def kind(self) -> str: ...


@dataclass(frozen=True, slots=True)
class CatalogEntry:
    """A model: where it comes from (a package, the hub, or both), and what a person wants to know before choosing it."""

    name: str
    title: Text
    about: Text
    package: Package | None
    hub_id: str | None
    licence: str  # SPDX
    parameters: int
    languages: tuple[str, ...]  # ISO 639-1, or MULTILINGUAL
    kind: str  # ENCODER or GENERATIVE
    max_length: int  # tokens
    size: int  # bytes: of the folder for an embedded model, of the hub's weights for others
    tasks: tuple[str, ...] = ()  # the only tasks of the kind that it serves well; empty: all of them
    layers: Mapping[str, int] = field(default_factory=dict)  # how many a task keeps, where fewer serve it better
    prompt_style: str = ""  # of a generative model (engine/models/prompt_styles.py); "" for encoders

    def reads(self, language: str) -> bool:
        """Whether the model has learned this language (ISO 639-1)."""
        return self.languages == MULTILINGUAL or language in self.languages

    def serves(self, task: ModelledTask) -> bool:
        """Whether the model is offered for the task."""
        return self.kind == task.kind and (not self.tasks or task.name in self.tasks)


def _hub(
    name: str,
    hub_id: str,
    title: str,
    about: Text,
    licence: str,
    parameters: int,
    languages: tuple[str, ...],
    kind: str,
    max_length: int = 512,
    bytes_per_parameter: int = 4,
    tasks: tuple[str, ...] = (),
    prompt_style: str = "",
) -> CatalogEntry:
    size = parameters * bytes_per_parameter
    heading = Text(title, title)
    return CatalogEntry(
        name,
        heading,
        about,
        None,
        hub_id,
        licence,
        parameters,
        languages,
        kind,
        max_length,
        size,
        tasks,
        prompt_style=prompt_style,
    )


CATALOG: dict[str, CatalogEntry] = {
    entry.name: entry
    for entry in (
        CatalogEntry(
            name="minilm",
            title=Text("MiniLM-L6", "MiniLM-L6"),
            about=Text(
                "Small and quick, for English. Embedded: works offline. The best first choice on a CPU.",
                "小巧快速，适合英文。已内置，可离线使用，是 CPU 上的首选。",
            ),
            package=MINILM,
            hub_id="sentence-transformers/all-MiniLM-L6-v2",
            licence="Apache-2.0",
            parameters=22_713_216,
            languages=("en",),
            kind=ENCODER,
            max_length=512,
            size=91_567_205,
        ),
        CatalogEntry(
            name="e5-small",
            title=Text("multilingual-e5-small", "multilingual-e5-small"),
            about=Text(
                "For Chinese and about 100 other languages. Embedded (from a 4-bit copy): works offline.",
                "支持中文等约 100 种语言。已内置（由 4 位量化版本还原），可离线使用。",
            ),
            package=E5_SMALL,
            hub_id="intfloat/multilingual-e5-small",
            licence="MIT",
            parameters=117_505_920,
            languages=MULTILINGUAL,
            kind=ENCODER,
            max_length=512,
            size=478_826_906,
            layers={"ner": 10, "qa": 10},  # its last two are turned to whole sentences (measured: benchmarks/README.md)
        ),
        CatalogEntry(
            name="smollm2",
            title=Text("SmolLM2-135M-Instruct", "SmolLM2-135M-Instruct"),
            about=Text(
                "Writes English text on a CPU. Embedded (from a 4-bit copy): works offline.",
                "可在 CPU 上生成英文文本。已内置（由 4 位量化版本还原），可离线使用。",
            ),
            package=SMOLLM2,
            hub_id="HuggingFaceTB/SmolLM2-135M-Instruct",
            licence="Apache-2.0",
            parameters=134_515_008,
            languages=("en",),
            kind=GENERATIVE,
            max_length=8192,
            size=270_624_954,
            prompt_style=CHAT,
        ),
        _hub(
            "bert-base-uncased",
            "google-bert/bert-base-uncased",
            "BERT base, uncased",
            Text("The classic English encoder; ignores case.", "经典的英文编码器，不区分大小写。"),
            "Apache-2.0",
            109_482_240,
            ("en",),
            ENCODER,
        ),
        _hub(
            "distilbert-base-uncased",
            "distilbert/distilbert-base-uncased",
            "DistilBERT base, uncased",
            Text(
                "BERT distilled to six layers: nearly as good, almost twice as quick.",
                "蒸馏为 6 层的 BERT：效果接近，速度快近一倍。",
            ),
            "Apache-2.0",
            66_362_880,
            ("en",),
            ENCODER,
        ),
        _hub(
            "roberta-base",
            "FacebookAI/roberta-base",
            "RoBERTa base",
            Text("A better-trained BERT for English; keeps case.", "训练更充分的英文 BERT，区分大小写。"),
            "MIT",
            124_645_632,
            ("en",),
            ENCODER,
        ),
        _hub(
            "deberta-v3-small",
            "microsoft/deberta-v3-small",
            "DeBERTa-v3 small",
            Text("Strong for its depth on English; slower than MiniLM.", "同等层数中英文表现出色，比 MiniLM 慢。"),
            "MIT",
            141_304_320,
            ("en",),
            ENCODER,
        ),
        _hub(
            "deberta-v3-base",
            "microsoft/deberta-v3-base",
            "DeBERTa-v3 base",
            Text(
                "Among the most accurate English encoders of its size; best on a GPU.",
                "同等规模中最准确的英文编码器之一，建议使用 GPU。",
            ),
            "MIT",
            183_831_552,
            ("en",),
            ENCODER,
        ),
        _hub(
            "modernbert-base",
            "answerdotai/ModernBERT-base",
            "ModernBERT base",
            Text(
                "A recent English encoder for texts of up to 8,192 tokens.",
                "较新的英文编码器，可读取最长 8192 个词元的文本。",
            ),
            "Apache-2.0",
            149_014_272,
            ("en",),
            ENCODER,
            8192,
        ),
        _hub(
            "bert-base-chinese",
            "google-bert/bert-base-chinese",
            "BERT base, Chinese",
            Text("The classic Chinese encoder, one token per character.", "经典的中文编码器，逐字切分。"),
            "Apache-2.0",
            102_267_648,
            ("zh",),
            ENCODER,
        ),
        _hub(
            "chinese-roberta-wwm-ext",
            "hfl/chinese-roberta-wwm-ext",
            "Chinese RoBERTa (wwm-ext)",
            Text(
                "A Chinese BERT trained on more text, masking whole words.", "以全词遮罩在更多语料上训练的中文 BERT。"
            ),
            "Apache-2.0",
            102_267_648,
            ("zh",),
            ENCODER,
        ),
        _hub(
            "chinese-macbert-base",
            "hfl/chinese-macbert-base",
            "Chinese MacBERT base",
            Text(
                "A Chinese BERT trained to correct similar words; strong on most tasks.",
                "以近义词纠错方式训练的中文 BERT，多数任务表现优秀。",
            ),
            "Apache-2.0",
            102_267_648,
            ("zh",),
            ENCODER,
        ),
        _hub(
            "xlm-roberta-base",
            "FacebookAI/xlm-roberta-base",
            "XLM-RoBERTa base",
            Text(
                "One encoder for 100 languages; large vocabulary, best on a GPU.",
                "支持 100 种语言的编码器，词表大，建议使用 GPU。",
            ),
            "MIT",
            278_043_648,
            MULTILINGUAL,
            ENCODER,
        ),
        _hub(
            "flan-t5-small",
            "google/flan-t5-small",
            "FLAN-T5 small",
            Text(
                "A small encoder-decoder that follows instructions, in English.",
                "能遵循指令的小型编码器-解码器，适合英文。",
            ),
            "Apache-2.0",
            76_961_152,
            ("en",),
            GENERATIVE,
            prompt_style=PREFIXED,
        ),
        _hub(
            "mt5-small",
            "google/mt5-small",
            "mT5 small",
            Text(
                "An encoder-decoder for 101 languages; needs fine-tuning before it is of use.",
                "支持 101 种语言的编码器-解码器，需微调后使用。",
            ),
            "Apache-2.0",
            300_176_768,
            MULTILINGUAL,
            GENERATIVE,
            tasks=("summarization", "translation"),
            prompt_style=PREFIXED,
        ),
        _hub(
            "bart-base",
            "facebook/bart-base",
            "BART base",
            Text("An encoder-decoder for English, well suited to summaries.", "英文编码器-解码器，适合摘要任务。"),
            "Apache-2.0",
            139_420_416,
            ("en",),
            GENERATIVE,
            1024,
            tasks=("summarization",),
            prompt_style=BARE,
        ),
        _hub(
            "qwen2.5-0.5b-instruct",
            "Qwen/Qwen2.5-0.5B-Instruct",
            "Qwen2.5 0.5B Instruct",
            Text(
                "Writes Chinese, English and 27 other languages; best on a GPU.",
                "可生成中、英等 29 种语言的文本，建议使用 GPU。",
            ),
            "Apache-2.0",
            494_032_768,
            MULTILINGUAL,
            GENERATIVE,
            32768,
            2,
            prompt_style=CHAT,
        ),
        _hub(
            "qwen3-0.6b",
            "Qwen/Qwen3-0.6B",
            "Qwen3 0.6B",
            Text("Newer, for more than 100 languages; best on a GPU.", "较新，支持 100 多种语言，建议使用 GPU。"),
            "Apache-2.0",
            596_049_920,
            MULTILINGUAL,
            GENERATIVE,
            32768,
            2,
            prompt_style=CHAT,
        ),
        _hub(
            "opus-mt-en-zh",
            "Helsinki-NLP/opus-mt-en-zh",
            "OPUS-MT English to Chinese",
            Text("Translates English into Chinese; small and quick.", "英译中，小巧快速。"),
            "Apache-2.0",
            77_943_296,
            ("en", "zh"),
            GENERATIVE,
            tasks=("translation",),
            prompt_style=BARE,
        ),
    )
}
