"""Loading a pretrained encoder with a head for a task, and listing the modules that are new.

Knows which checkpoints are supported, and explains the errors of those that are not. Does not know where a model comes from
(`catalog.resolve` turns a name into a folder or a hub id) or which weights are trained (`adapters`).
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from huggingface_hub.errors import (
    GatedRepoError,
    HfHubHTTPError,
    LocalEntryNotFoundError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)
from safetensors import SafetensorError
from transformers import AutoConfig, AutoTokenizer, PretrainedConfig, PreTrainedModel, PreTrainedTokenizerBase
from transformers.models.auto.modeling_auto import MODEL_FOR_MASKED_LM_MAPPING_NAMES

from engine.core.errors import ConfigProblem, ModelProblem, RunFailure, UserError
from engine.core.text import Text


@dataclass(slots=True)
class LoadedModel:
    """A model with its tokenizer. `new_modules` are the modules whose weights are missing in the checkpoint: the head."""

    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    new_modules: list[str]
    source: str  # folder or hub id it was read from

    @property
    def max_positions(self) -> int:
        """The longest input sequence of the model, in tokens, special ones included."""
        return max_positions(self.model.config, self.tokenizer)


def load_encoder(
    source: str,
    auto_class: Any,
    *,
    labels: list[str],
    problem_type: str | None = None,
    dropout: float | None = None,
    revision: str = "",
    token: str | None = None,
    attention: str | None = None,
    layers: int | None = None,
    tokenizer: PreTrainedTokenizerBase | None = None,
) -> LoadedModel:
    """Load `source` (a folder or a hub id) with `auto_class` and a head for `labels`, in float32; of its layers the first `layers`.

    `tokenizer` is the checkpoint's, where it is loaded already: a vocabulary of 250,000 takes seconds to read.

    Raises ModelProblem when it does not exist, is no encoder, is damaged, or has no tokenizer or no safetensors weights, RunFailure
    when the hub is needed and cannot be reached.
    """
    hub_options = {"revision": revision or None, "token": token, "trust_remote_code": False}
    with explained(source):
        config = AutoConfig.from_pretrained(source, **hub_options)
        check_is_encoder(config, source)
        config.num_labels = len(labels)
        config.id2label = dict(enumerate(labels))
        config.label2id = {label: index for index, label in enumerate(labels)}
        config.problem_type = problem_type
        if dropout is not None:
            set_dropout(config, dropout)
        if layers is not None:
            keep_layers(config, layers, source)
        if tokenizer is None:
            tokenizer = AutoTokenizer.from_pretrained(source, **hub_options)
            check_tokenizer(tokenizer, source)
        model, info = auto_class.from_pretrained(
            source,
            config=config,
            dtype=torch.float32,
            use_safetensors=True,
            output_loading_info=True,
            ignore_mismatched_sizes=True,
            **({"attn_implementation": attention} if attention else {}),
            **hub_options,
        )
    missing = set(info["missing_keys"]) | {key for key, *_ in info["mismatched_keys"]}
    return LoadedModel(model, tokenizer, modules_of(missing), source)


def modules_of(parameter_names: set[str]) -> list[str]:
    """The modules that hold the given parameters: `classifier.weight` and `classifier.bias` give `classifier`."""
    return sorted({name.rpartition(".")[0] for name in parameter_names})


def check_is_encoder(config: PretrainedConfig, source: str) -> None:
    """ModelProblem unless the checkpoint is of a bidirectional encoder family (those with a masked language model)."""
    family = config.model_type
    if family in MODEL_FOR_MASKED_LM_MAPPING_NAMES and not config.is_encoder_decoder:
        return
    raise ModelProblem(
        "not_an_encoder",
        Text(f"{source} is a {family} model, which is no encoder.", f"{source} 是 {family} 模型，不是编码器。"),
        Text(
            "Choose an encoder such as minilm, e5-small, bert-base-uncased or xlm-roberta-base.",
            "请选择编码器模型，例如 minilm、e5-small、bert-base-uncased 或 xlm-roberta-base。",
        ),
        model=source,
    )


def check_tokenizer(tokenizer: PreTrainedTokenizerBase, source: str) -> None:
    """ModelProblem for an empty vocabulary: where tokenizer files are missing, transformers makes an empty tokenizer without an error."""
    if len(tokenizer) > len(tokenizer.all_special_ids):
        return
    raise ModelProblem(
        "no_tokenizer",
        Text(f"{source} has no tokenizer.", f"{source} 缺少分词器。"),
        Text(
            "Save the tokenizer into the model's folder as well (tokenizer.json or the vocabulary file).",
            "请把分词器（tokenizer.json 或词表文件）也保存到模型目录中。",
        ),
        model=source,
    )


def set_dropout(config: PretrainedConfig, share: float) -> None:
    """Set every dropout of a model family, whatever its name (`hidden_dropout_prob`, `dropout`, `mlp_dropout`, ...)."""
    for name, value in config.to_dict().items():
        if "dropout" in name and isinstance(value, int | float) and not isinstance(value, bool):
            setattr(config, name, share)


def keep_layers(config: PretrainedConfig, count: int, source: str) -> None:
    """Limit the configuration to the first `count` layers. ConfigProblem when it has fewer."""
    available = config.num_hidden_layers
    if count > available:
        raise ConfigProblem(
            "too_many_layers",
            Text(
                f"model.layers is {count}, but {source} has {available}.",
                f"model.layers 为 {count}，但 {source} 只有 {available} 层。",
            ),
            Text(f"Set it to {available} or less, or leave it empty.", f"请设为不超过 {available}，或留空。"),
            field="model.layers",
        )
    config.num_hidden_layers = count
    kinds = getattr(config, "layer_types", None)  # only families with several kinds of layers list them
    if kinds is not None:
        config.layer_types = kinds[:count]


def max_positions(config: PretrainedConfig, tokenizer: PreTrainedTokenizerBase) -> int:
    """Tokens of the longest input: the smaller of what positions and tokenizer allow."""
    positions = getattr(config, "max_position_embeddings", None) or 512
    if config.model_type in ("roberta", "xlm-roberta", "camembert", "xlm-roberta-xl", "roberta-prelayernorm", "mpnet"):
        # These families count positions from the padding index on, so two positions are never used.
        positions -= 2
    # Tokenizers without a limit of their own report 1e30.
    return int(min(positions, tokenizer.model_max_length, 32768))


@contextlib.contextmanager
def explained(source: str) -> Iterator[None]:
    """Turn exceptions of transformers and the hub about a model into a problem with advice."""
    try:
        yield
    except (OSError, ValueError, KeyError, SafetensorError, HfHubHTTPError) as error:
        raise _problem(error, source) from error


def _problem(error: BaseException, source: str) -> UserError:
    if isinstance(error.__cause__, HfHubHTTPError | LocalEntryNotFoundError):
        # transformers wraps exceptions of the hub in an OSError.
        error = error.__cause__
    if isinstance(error, GatedRepoError):
        return ModelProblem(
            "gated_model",
            Text(f"{source} is gated.", f"{source} 需要授权才能访问。"),
            Text("Accept its terms on the hub and give a token.", "请在 Hub 上接受其条款并提供访问令牌。"),
            model=source,
        )
    if isinstance(error, RepositoryNotFoundError | RevisionNotFoundError):
        return ModelProblem(
            "no_such_model",
            Text(f"The hub has no model {source}.", f"Hub 上没有模型 {source}。"),
            Text("Check the spelling; a private model needs a token.", "请检查拼写；私有模型需要访问令牌。"),
            model=source,
        )
    if isinstance(error, LocalEntryNotFoundError):
        return RunFailure(
            "hub_unreachable",
            Text(
                f"{source} is not on this machine, and the hub cannot be reached.",
                f"本机没有 {source}，也无法连接到 Hub。",
            ),
            Text(
                "Check the network or set HF_ENDPOINT to a mirror, or choose an embedded model (minilm, e5-small).",
                "请检查网络，或用 HF_ENDPOINT 指定镜像；也可以选择内置模型（minilm、e5-small）。",
            ),
            model=source,
        )
    if isinstance(error, HfHubHTTPError):
        return ModelProblem(
            "hub_error",
            Text(f"The hub did not deliver {source}: {error}", f"Hub 未能提供 {source}：{error}"),
            Text("Try again, or choose an embedded model.", "请重试，或选择内置模型。"),
            model=source,
        )
    if isinstance(error, SafetensorError | json.JSONDecodeError):
        return ModelProblem(
            "damaged_model",
            Text(f"The files of {source} are damaged: {error}.", f"{source} 的文件已损坏：{error}。"),
            Text("Fetch the model again.", "请重新获取该模型。"),
            model=source,
        )
    # transformers raises OSError for missing files and ValueError for an unknown configuration.
    first_line = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    return ModelProblem(
        "unreadable_model",
        Text(f"Cannot load the model {source}: {first_line}", f"无法加载模型 {source}：{first_line}"),
        Text(
            "Check the name. Embedded models (minilm, e5-small) always work, also offline.",
            "请检查名称。内置模型（minilm、e5-small）离线也可使用。",
        ),
        model=source,
    )
