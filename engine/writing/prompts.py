"""What a model is asked where nobody says otherwise: its family decides the manner, the task and its language the words.

Knows families and how each was trained to be asked. Does not know settings.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from engine.data.languages import detect_languages
from engine.tasks.base import Example
from engine.writing.form import BARE, CHAT, PLAIN, PREFIXED
from engine.writing.loss import inner

if TYPE_CHECKING:
    from torch import nn
    from transformers import PreTrainedTokenizerBase

_PREFIXED_FAMILIES = ("t5", "mt5", "umt5", "longt5", "switch_transformers")
_LOOKED_AT = 200  # rows whose language decides


def manner_of(model: nn.Module, tokenizer: PreTrainedTokenizerBase) -> str:
    """How a model expects to be asked: in a chat, with a plain text that it continues, with T5's prefix, or with the bare text."""
    config = inner(model).config
    if config.is_encoder_decoder:
        return PREFIXED if config.model_type in _PREFIXED_FAMILIES else BARE
    return CHAT if tokenizer.chat_template else PLAIN


def prompt_for(model: nn.Module, tokenizer: PreTrainedTokenizerBase, task: Any, examples: Sequence[Example]) -> str:
    """The task's prompt for the model's manner, in the language of most rows: Chinese for Chinese, English for all others."""
    texts = [example.inputs[task.source] for example in examples[:_LOOKED_AT]]
    common = Counter(detect_languages(texts)).most_common(1)
    language = "zh-CN" if common and common[0][0] == "zh" else "en"
    return task.prompts[manner_of(model, tokenizer)].in_language(language)
