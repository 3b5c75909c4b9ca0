"""Every fast path of the list computes what the plain way computes, and one setting switches all of them off.

Run: python -m pytest tests/engine/models/speed/test_fast_paths.py
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from peft import LoraConfig, TaskType, get_peft_model
from torch import nn
from transformers import (
    AutoModelForCausalLM,
    AutoModelForSequenceClassification,
    AutoTokenizer,
    LlamaConfig,
    PreTrainedModel,
)

from engine.config import RunConfig, TrainingConfig
from engine.core.text import Text
from engine.generation.generation_spec import GenerationSpec
from engine.generation.generator import FAST_PATHS, Generator
from engine.generation.loss import target_loss
from engine.generation.prompt_encoder import PromptEncoder
from engine.models.device import Device, attention_for
from engine.models.load import set_dropout
from engine.models.speed import half_precision_weights, unpadding
from engine.models.speed.fast_paths import ALL, PATHS, Conditions, FastPaths
from engine.models.speed.frozen_layer_cache import freeze_below
from engine.models.speed.shared_prefix_cache import SharedPrefixCache
from engine.schema import Feature
from tests.tiny import FAMILIES
from tests.tiny_generators import save_generator
from tests.tuners import tuner_of

TESTS = Path(__file__).resolve().parents[3]
CPU = Device("cpu", torch.float32, Text("", ""))
BF16 = Device("cpu", torch.bfloat16, Text("", ""))
MASK = torch.tensor([[1] * 19, [1] * 7 + [0] * 12])
IDS = torch.arange(38).view(2, 19) % 25 + 5
PROMPTS = [[5 + (7 * row + 3 * place) % 10 for place in range(2 + 3 * row)] for row in range(9)]

Result = list[torch.Tensor]
Case = Callable[[Path, bool], Result]


def classifier(attention: str = "eager") -> PreTrainedModel:
    torch.manual_seed(0)
    config = FAMILIES["bert"](30)
    set_dropout(config, 0.0)
    config.num_labels = 3
    return AutoModelForSequenceClassification.from_config(config, attn_implementation=attention).train()


def step(model: nn.Module) -> Result:
    """The logits of a batch and the gradients of all trained parameters."""
    model.zero_grad()
    logits = model(input_ids=IDS * MASK, attention_mask=MASK).logits
    logits.square().sum().backward()
    return [logits.detach(), *(p.grad.clone() for p in model.parameters() if p.grad is not None)]


def enabled(name: str, model: nn.Module, conditions: Conditions, optimizations: str, *options: object) -> object:
    """The handle of a path, which must apply under `auto` and must not under `off`."""
    fast = FastPaths.of(optimizations, conditions)
    assert fast.applies(name, model) is (optimizations == "auto")
    return fast.enable(name, model, *options)


def patched(
    name: str, model: nn.Module, conditions: Conditions, fast: bool, run: Callable[..., Result], *options: object
) -> Result:
    """What `run` returns with the path enabled or not; a path that was disabled again leaves the plain model."""
    plain = run(model)
    handle = enabled(name, model, conditions, "auto" if fast else "off", *options)
    assert (handle is not None) is fast
    run(model)  # caches are filled
    result = run(model)
    if fast:
        PATHS[name].disable(model, handle)
    for before, after in zip(plain, run(model), strict=True):
        assert torch.equal(before, after)
    return result


def cpu_eager_attention(folder: Path, fast: bool) -> Result:
    return step(classifier(attention_for(CPU) if fast else "sdpa"))


def cpu_attention(folder: Path, fast: bool) -> Result:
    return patched("cpu_attention", classifier(), Conditions(CPU, "full"), fast, step)


def unpadded(folder: Path, fast: bool) -> Result:
    # On a CPU the path applies nowhere: its loop over texts stands for the kernel of a GPU.
    model = classifier()
    assert not FastPaths.of("auto", Conditions(CPU)).applies("unpadding", model)
    handle = unpadding.enable(model) if fast else None
    result = step(model)
    if handle is not None:
        handle.remove()
        assert all(map(torch.equal, step(model), step(classifier())))
    return result


def last_layer_first_token(folder: Path, fast: bool) -> Result:
    return patched("last_layer_first_token", classifier(), Conditions(CPU, "full"), fast, step)


def fused_lora(folder: Path, fast: bool) -> Result:
    torch.manual_seed(1)
    config = LoraConfig(task_type=TaskType.SEQ_CLS, r=2, target_modules=["query", "value"], init_lora_weights=False)
    return patched("fused_lora", get_peft_model(classifier(), config), Conditions(CPU, "lora"), fast, step)


def frozen_layer_cache(folder: Path, fast: bool) -> Result:
    model = classifier()
    freeze_below(model, 1)
    return patched("frozen_layer_cache", model, Conditions(CPU, "full"), fast, step, 0)


def encoder_output_cache(folder: Path, fast: bool) -> Result:
    model = classifier()
    model.base_model.requires_grad_(False)
    return patched("encoder_output_cache", model, Conditions(CPU, "head"), fast, step)


def half_precision(folder: Path, fast: bool) -> Result:
    model = classifier().eval()
    assert FastPaths.of("auto", Conditions(BF16)).applies("half_precision_weights", model)
    if fast:
        half_precision_weights.cast_linear(model, torch.bfloat16)
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16):
        return [model(input_ids=IDS * MASK, attention_mask=MASK).logits.float()]


def trained(folder: Path, names: frozenset[str]) -> Result:
    """The weights after two updates whose gradients are clipped."""
    torch.manual_seed(0)
    model = nn.Linear(2, 3)
    tuner = tuner_of(
        model,
        [Feature(index, input_ids=[1, 2], target=0) for index in range(8)],
        folder,
        config=TrainingConfig(warmup=0.0, scheduler="constant", max_grad_norm=0.5),
        loss=lambda model, batch: 100 * model(batch["input_ids"].float()).square().mean(),
        fast_paths=names,
    )
    tuner.fit()
    assert tuner.optimizer.optimizer.defaults["fused"] is (True if "fused_optimizer" in names else None)
    assert getattr(tuner.optimizer.optimizer, "grad_scale", None) is None or "clip_in_update" in names
    return [parameter.detach() for parameter in model.parameters()]


def fused_optimizer(folder: Path, fast: bool) -> Result:
    return trained(folder, frozenset({"fused_optimizer"} if fast else ()))


def clip_in_update(folder: Path, fast: bool) -> Result:
    return trained(folder, frozenset({"fused_optimizer", "clip_in_update"} if fast else {"fused_optimizer"}))


def decoder(layers: int = 2) -> PreTrainedModel:
    """In double precision, with weights so large that outputs differ: no token depends on rounding."""
    torch.manual_seed(1)
    config = LlamaConfig(
        vocab_size=40,
        hidden_size=32,
        intermediate_size=48,
        num_hidden_layers=layers,
        num_attention_heads=4,
        num_key_value_heads=2,
        pad_token_id=0,
    )
    model = AutoModelForCausalLM.from_config(config).double().eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(3)
    return model


def generated(folder: Path, names: set[str], model: PreTrainedModel | None = None) -> Result:
    """The tokens after prompts of several lengths, up to the first end token of each."""
    tokenizer = AutoTokenizer.from_pretrained(save_generator("llama", folder / "llama"))
    model = model or decoder()
    spec = GenerationSpec(max_new_tokens=12, prompt="{document}", target="{summary}")
    generator = Generator(model, PromptEncoder(tokenizer, spec, True, "document"), 64, fast_paths=frozenset(names))
    outputs = generator.generate_tokens([Feature(index, input_ids=prompt) for index, prompt in enumerate(PROMPTS)])
    end = tokenizer.eos_token_id
    assert len({len(output) for output in outputs}) == 1 or "shrinking_batch" in names
    return [torch.tensor(output[: output.index(end) + 1] if end in output else output[:12]) for output in outputs]


def target_logits_only(folder: Path, fast: bool) -> Result:
    batch = {"input_ids": IDS * MASK, "attention_mask": MASK, "labels": torch.where((MASK > 0) & (IDS > 10), IDS, -100)}

    def loss_and_gradients(model: nn.Module) -> Result:
        model.zero_grad()
        loss = target_loss(model, batch)
        loss.backward()
        return [loss.detach(), *(p.grad.clone() for p in model.parameters() if p.grad is not None)]

    return patched("target_logits_only", decoder(), Conditions(CPU, "lora"), fast, loss_and_gradients)


def preallocated_kv_cache(folder: Path, fast: bool) -> Result:
    return generated(folder, {"preallocated_kv_cache"} if fast else set())


def unmasked_prefill(folder: Path, fast: bool) -> Result:
    return generated(folder, {"preallocated_kv_cache", *({"unmasked_prefill"} if fast else ())})


def shrinking_batch(folder: Path, fast: bool) -> Result:
    return generated(folder, {"preallocated_kv_cache", *({"shrinking_batch"} if fast else ())})


def few_row_linear(folder: Path, fast: bool) -> Result:
    return generated(folder, {"few_row_linear"} if fast else set(), decoder().float())


def shared_prefix_cache(folder: Path, fast: bool) -> Result:
    """A second model with the same lower layer generates what it generates without the first."""
    pretrained, tuned = decoder(), decoder()
    with torch.no_grad():
        for parameter in tuned.model.layers[-1].parameters():
            parameter.mul_(0.5)
    cache = SharedPrefixCache(1 if fast else 0)
    with cache.shared_with(tuned):
        generated(folder, set(FAST_PATHS), tuned)
    with cache.shared_with(pretrained):
        return generated(folder, set(FAST_PATHS), pretrained)


CASES: dict[str, Case] = {
    "cpu_eager_attention": cpu_eager_attention,
    "cpu_attention": cpu_attention,
    "unpadding": unpadded,
    "last_layer_first_token": last_layer_first_token,
    "target_logits_only": target_logits_only,
    "fused_lora": fused_lora,
    "frozen_layer_cache": frozen_layer_cache,
    "encoder_output_cache": encoder_output_cache,
    "shared_prefix_cache": shared_prefix_cache,
    "half_precision_weights": half_precision,
    "fused_optimizer": fused_optimizer,
    "clip_in_update": clip_in_update,
    "few_row_linear": few_row_linear,
    "preallocated_kv_cache": preallocated_kv_cache,
    "unmasked_prefill": unmasked_prefill,
    "shrinking_batch": shrinking_batch,
}


def test_every_path_has_a_case_here_and_a_test_of_its_own() -> None:
    assert CASES.keys() == PATHS.keys() == ALL
    assert not [path.test for path in PATHS.values() if not (TESTS / path.test).is_file()]
    assert FAST_PATHS < ALL


def test_every_module_of_a_path_is_in_the_list() -> None:
    shared = {"__init__", "fast_paths", "handle", "sequences"}
    modules = {path.stem for path in Path(unpadding.__file__).parent.glob("*.py")} - shared
    assert modules <= PATHS.keys()


@pytest.mark.parametrize("name", PATHS)
def test_a_fast_path_computes_what_the_plain_way_computes(name: str, tmp_path: Path) -> None:
    folders = [tmp_path / "plain", tmp_path / "fast"]
    for folder in folders:
        folder.mkdir()
    plain, fast = (CASES[name](folder, fast) for folder, fast in zip(folders, (False, True), strict=True))
    assert len(plain) == len(fast) > 0
    for expected, result in zip(plain, fast, strict=True):
        torch.testing.assert_close(result, expected, rtol=1e-4, atol=1e-5)


def test_off_leaves_no_path_on() -> None:
    off = FastPaths.of("off", Conditions(CPU, "full"))
    assert not off.names and off.for_prediction().names == frozenset()
    model = classifier()
    assert not any(off.applies(name, model) for name in PATHS)
    assert off.enable("cpu_attention", model) is None and model.config._attn_implementation == "eager"


@pytest.mark.parametrize("text", ["off", "'off'"])
def test_yaml_says_off_with_and_without_quotes(text: str) -> None:
    config = RunConfig.from_yaml(f"data: {{example: rated-sentences}}\ntraining: {{optimizations: {text}}}\n")
    assert config.training.optimizations == "off"
    assert RunConfig.from_yaml(config.to_yaml()).training.optimizations == "off"
