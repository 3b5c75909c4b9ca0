"""Default prompts: the model's family decides the style, the task and the language of the rows the words.

Knows families and the prompt style each was trained with. Does not know settings; importing it needs no PyTorch.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from engine.core.languages import detect_languages
from engine.core.text import Text
from engine.models.catalog_entries import CATALOG
from engine.models.prompt_styles import BARE, CHAT, PLAIN, PREFIXED
from engine.schema import Example

if TYPE_CHECKING:
    from torch import nn
    from transformers import PreTrainedTokenizerBase

_PREFIXED_FAMILIES = ("t5", "mt5", "umt5", "longt5", "switch_transformers")
LANGUAGE_SAMPLE = 200  # rows whose language decides


class PromptedTask(Protocol):
    """What a default prompt depends on: the role of the long text, the prompts by style, and the template of the target."""

    @property
    def source(self) -> str: ...

    @property
    def prompts(self) -> dict[str, Text]: ...

    @property
    def plain_target(self) -> str: ...


def prompt_style_of(model: nn.Module, tokenizer: PreTrainedTokenizerBase) -> str:
    """The prompt style of a model: a chat, a plain text to continue, T5's prefix, or the bare text."""
    from engine.models.unwrap import unwrap

    config = unwrap(model).config
    if config.is_encoder_decoder:
        return PREFIXED if config.model_type in _PREFIXED_FAMILIES else BARE
    return CHAT if tokenizer.chat_template else PLAIN


def prompt_for(
    model: nn.Module, tokenizer: PreTrainedTokenizerBase, task: PromptedTask, examples: Sequence[Example]
) -> str:
    """The task's prompt in the model's style, in the language of most rows: Chinese for Chinese, English for all others."""
    texts = [example.inputs[task.source] for example in examples[:LANGUAGE_SAMPLE]]
    return task.prompts[prompt_style_of(model, tokenizer)].in_language(_language_of(texts))


def default_templates(task: PromptedTask, model_id: str, texts: Sequence[str]) -> dict[str, str]:
    """`prompt` and `target` as a run with this model would choose them for these texts; empty for a model that is not in the catalogue."""
    entry = next((e for e in CATALOG.values() if model_id in (e.name, e.hub_id)), None)
    if entry is None or not entry.prompt_style:
        return {}
    prompt = task.prompts[entry.prompt_style].in_language(_language_of(texts[:LANGUAGE_SAMPLE]))
    return {"prompt": prompt, "target": task.plain_target}


def _language_of(texts: Sequence[str]) -> str:
    common = Counter(detect_languages(texts)).most_common(1)
    return "zh-CN" if common and common[0][0] == "zh" else "en"
