"""Nine encoder families, three methods, a class for a text and a tag for each token: train, save, reload, same logits.

Run: python -m pytest tests/engine/models/test_adapters.py
"""

from __future__ import annotations

import pytest
import torch
from peft import PeftModel
from torch import nn

from engine.config import MethodConfig
from engine.core.errors import ConfigProblem, ModelProblem, RunFailure
from engine.inference.saved import Description, load_tuned
from engine.models.adapters import (
    apply_method,
    fast_parameters,
    head_modules,
    parameter_counts,
    restore_trainable,
    save_model,
    trainable_state,
    verify_saved,
)
from engine.models.load import check_is_encoder, max_positions, modules_of, set_dropout
from engine.tasks import TASKS
from engine.tasks.classification.decode import Classes
from engine.tasks.model import task_model
from engine.tasks.ner.decode import EntityTypes
from tests.tiny import FAMILIES, save_encoder, tokenizer

CLASSES = Classes(["bad", "good", "so-so"])
TASK = task_model(TASKS["classification"])
# The tagger keeps one of two layers as well, so that a shortened encoder is saved and found again.
KINDS = {"classification": (CLASSES, None), "ner": (EntityTypes(["LOC", "PER"]), 1)}
BATCH = {
    "input_ids": torch.tensor([[1, 5, 6, 2], [1, 8, 2, 0]]),
    "attention_mask": torch.tensor([[1, 1, 1, 1], [1, 1, 1, 0]]),
}


def logits(model: nn.Module) -> torch.Tensor:
    return model(**BATCH).logits


def few_steps(model: nn.Module) -> None:
    """Enough training to move every trainable weight away from where it started."""
    model.train()
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=1e-2)
    for _ in range(4):
        optimizer.zero_grad()
        output = logits(model)
        output = output.reshape(-1, output.shape[-1])
        nn.functional.cross_entropy(output, torch.arange(len(output)) % 2).backward()
        optimizer.step()


@pytest.fixture(scope="module", params=sorted(FAMILIES))
def base(request, tmp_path_factory):
    return save_encoder(request.param, tmp_path_factory.mktemp(request.param))


@pytest.mark.parametrize(
    "method",
    [MethodConfig(name="full"), MethodConfig(name="lora", lora_rank=4), MethodConfig(name="head")],
    ids=lambda m: m.name,
)
@pytest.mark.parametrize("kind", KINDS)
def test_what_is_saved_answers_like_what_was_trained(base, kind, method, tmp_path):
    outputs, layers = KINDS[kind]
    loaded = task_model(TASKS[kind]).load(str(base), outputs, layers=layers, dropout=0.0)
    assert layers is None or loaded.model.config.num_hidden_layers == layers
    before = {name: p.detach().clone() for name, p in loaded.model.named_parameters()}
    model = apply_method(loaded, method, freeze_embeddings=True)
    untrained = logits(model.eval()).detach().clone()
    few_steps(model)
    save_model(model, loaded, tmp_path)
    description = Description(kind, outputs.to_dict(), 16, method.name, str(base), layers=layers)
    description.save(tmp_path)
    assert Description.load(tmp_path) == description

    # Another seed: a head that is not in the files would come back with other random weights.
    torch.manual_seed(99)
    difference = verify_saved(model, lambda: load_tuned(tmp_path, description).model, logits, tolerance=1e-4)
    assert difference <= 1e-4
    assert (logits(model.eval()) - untrained).abs().max() > 1e-2, "training changed nothing"

    assert not list(tmp_path.glob("*.bin")) and not list(tmp_path.glob("*.pt")), "a pickle was written"
    moved = {n for n, p in model.named_parameters() if p.requires_grad}
    if method.name == "full":
        embeddings = {id(p) for p in model.get_input_embeddings().parameters()}
        assert all((id(p) in embeddings) != p.requires_grad for p in model.parameters())
    else:
        # Nothing of the encoder itself may move.
        current = {
            n.removeprefix("base_model.model.").replace(".base_layer", ""): p for n, p in model.named_parameters()
        }
        encoder = [n for n in before if n.startswith(loaded.model.base_model_prefix + ".") and n in current]
        frozen = [
            n for n in encoder if not any(n.startswith(m) for m in head_modules(loaded.model, loaded.new_modules))
        ]
        assert frozen
        assert all(torch.equal(before[n], current[n]) for n in frozen)
    assert moved


def test_lora_touches_every_linear_layer_of_the_encoder_and_no_other(base):
    loaded = TASK.load(str(base), CLASSES)
    linear = {n for n, m in loaded.model.named_modules() if isinstance(m, nn.Linear)}
    head = head_modules(loaded.model, loaded.new_modules)
    model = apply_method(loaded, MethodConfig(name="lora"), freeze_embeddings=True)
    adapted = {
        n.removeprefix("base_model.model.")
        for n, m in model.named_modules()
        if hasattr(m, "lora_A") and hasattr(m, "base_layer")
    }
    assert adapted == {n for n in linear if not any(n == h or n.startswith(h + ".") for h in head)}
    everything, trainable = parameter_counts(model)
    assert 0 < trainable < everything
    assert isinstance(model, PeftModel)


@pytest.mark.parametrize("switch", ["use_dora", "use_rslora"])
def test_the_lora_variants_save_and_reload(switch, tmp_path):
    base = save_encoder("bert", tmp_path / "base")
    loaded = TASK.load(str(base), CLASSES, dropout=0.0)
    model = apply_method(loaded, MethodConfig(name="lora", lora_rank=2, **{switch: True}), True)
    few_steps(model)
    save_model(model, loaded, tmp_path / "model")
    description = Description("classification", CLASSES.to_dict(), 16, "lora", str(base))
    assert verify_saved(model, lambda: load_tuned(tmp_path / "model", description).model, logits, 1e-4) <= 1e-4


def test_lora_plus_moves_new_weights_faster(base):
    loaded = TASK.load(str(base), CLASSES)
    model = apply_method(loaded, MethodConfig(name="lora", use_dora=True), True)
    names = [n for n, p in model.named_parameters() if p.requires_grad]
    fast = names_of(model, fast_parameters(model, loaded))
    assert fast == {n for n in names if "lora_B" in n or "modules_to_save" in n}
    assert any("lora_B" in n for n in fast) and any("modules_to_save" in n for n in fast)


def test_full_fine_tuning_may_move_the_head_faster(base):
    loaded = TASK.load(str(base), CLASSES)
    model = apply_method(loaded, MethodConfig(name="full"), True)
    fast = names_of(model, fast_parameters(model, loaded))
    new = tuple(f"{module}." for module in loaded.new_modules)
    assert fast == {name for name, p in model.named_parameters() if p.requires_grad and name.startswith(new)}
    assert any("classifier" in name for name in fast) and not any("layer" in name for name in fast)


def names_of(model, parameters):
    known = {id(parameter): name for name, parameter in model.named_parameters()}
    return {known[id(parameter)] for parameter in parameters}


def test_a_model_that_was_not_saved_as_trained_is_never_called_done(tmp_path):
    base = save_encoder("bert", tmp_path)
    first = TASK.load(str(base), CLASSES).model
    second = TASK.load(str(base), CLASSES).model
    with pytest.raises(RunFailure) as caught:
        verify_saved(first, lambda: second, logits, 1e-4)
    assert caught.value.code == "save_mismatch"


def test_trainable_weights_come_back(tmp_path):
    base = save_encoder("bert", tmp_path)
    loaded = TASK.load(str(base), CLASSES, dropout=0.0)
    model = apply_method(loaded, MethodConfig(name="full"), True)
    state, expected = trainable_state(model), logits(model.eval()).detach().clone()
    few_steps(model)
    assert not torch.allclose(logits(model.eval()), expected)
    restore_trainable(model, state)
    assert torch.equal(logits(model.eval()), expected)


def test_a_checkpoint_with_a_head_of_another_size_gets_a_new_one(tmp_path):
    base = save_encoder("bert", tmp_path / "base")
    loaded = TASK.load(str(base), CLASSES)
    loaded.model.save_pretrained(tmp_path / "three")
    loaded.tokenizer.save_pretrained(tmp_path / "three")
    two = TASK.load(str(tmp_path / "three"), Classes(["a", "b"]))
    assert two.new_modules == ["classifier"]
    assert two.model.config.id2label == {0: "a", 1: "b"}
    same = TASK.load(str(tmp_path / "three"), CLASSES)
    assert same.new_modules == []
    # Nothing is new, and still the head is what is trained.
    model = apply_method(same, MethodConfig(name="head"), True)
    assert {n for n, p in model.named_parameters() if p.requires_grad} == {"classifier.weight", "classifier.bias"}


def test_more_layers_than_there_are_is_refused(tmp_path):
    base = save_encoder("bert", tmp_path)
    with pytest.raises(ConfigProblem) as caught:
        TASK.load(str(base), CLASSES, layers=3)
    assert caught.value.code == "too_many_layers" and "has 2" in caught.value.message.en


def test_what_is_no_encoder_is_refused(tmp_path):
    from transformers import GPT2Config, T5Config

    for config in (GPT2Config(n_layer=1), T5Config(num_layers=1)):
        with pytest.raises(ModelProblem) as caught:
            check_is_encoder(config, "x")
        assert caught.value.code == "not_an_encoder"


def test_a_folder_with_damaged_weights_says_so(tmp_path):
    base = save_encoder("bert", tmp_path)
    (base / "model.safetensors").write_bytes(b"\x10\x00\x00\x00\x00\x00\x00\x00not a header at all")
    with pytest.raises(ModelProblem) as caught:
        TASK.load(str(base), CLASSES)
    assert caught.value.code == "damaged_model"


def test_small_helpers():
    assert modules_of({"classifier.weight", "classifier.bias", "bert.pooler.dense.bias"}) == [
        "bert.pooler.dense",
        "classifier",
    ]
    for family, make in FAMILIES.items():
        config = make(30)
        set_dropout(config, 0.25)
        rates = [v for n, v in config.to_dict().items() if "dropout" in n and isinstance(v, float)]
        assert rates and set(rates) == {0.25}, family
    roberta = FAMILIES["roberta"](30)
    roberta.max_position_embeddings = 66
    assert max_positions(roberta, tokenizer()) == 64
    roberta.max_position_embeddings = 34
    assert max_positions(roberta, tokenizer()) == 32
