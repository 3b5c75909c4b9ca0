"""What a model is asked where nobody says otherwise: its family decides the manner, the task and its language the words.

Knows families and how each was trained to be asked. Does not know settings; PyTorch is not needed before a model is there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from engine.core.languages import detect_languages
from engine.generation.generation_spec import BARE, CHAT, PLAIN, PREFIXED
from engine.models.catalog_entries import CATALOG
from engine.schema import Example

if TYPE_CHECKING:
    from torch import nn
    from transformers import PreTrainedTokenizerBase

_PREFIXED_FAMILIES = ("t5", "mt5", "umt5", "longt5", "switch_transformers")
LOOKED_AT = 200  # rows whose language decides


def manner_of(model: nn.Module, tokenizer: PreTrainedTokenizerBase) -> str:
    """How a model expects to be asked: in a chat, with a plain text that it continues, with T5's prefix, or with the bare text."""
    from engine.generation.loss import inner

    config = inner(model).config
    if config.is_encoder_decoder:
        return PREFIXED if config.model_type in _PREFIXED_FAMILIES else BARE
    return CHAT if tokenizer.chat_template else PLAIN


def prompt_for(model: nn.Module, tokenizer: PreTrainedTokenizerBase, task: Any, examples: Sequence[Example]) -> str:
    """The task's prompt for the model's manner, in the language of most rows: Chinese for Chinese, English for all others."""
    texts = [example.inputs[task.source] for example in examples[:LOOKED_AT]]
    return task.prompts[manner_of(model, tokenizer)].in_language(_language_of(texts))


def known_formats(task: Any, model_id: str, texts: Sequence[str]) -> dict[str, str]:
    """`prompt` and `target` as a run with this model would choose them for these texts; empty where nobody knows before it is loaded."""
    entry = next((e for e in CATALOG.values() if model_id in (e.name, e.hub_id)), None)
    if entry is None or not entry.manner:
        return {}
    prompt = task.prompts[entry.manner].in_language(_language_of(texts[:LOOKED_AT]))
    return {"prompt": prompt, "target": task.plain_target}


def _language_of(texts: Sequence[str]) -> str:
    common = Counter(detect_languages(texts)).most_common(1)
    return "zh-CN" if common and common[0][0] == "zh" else "en"
