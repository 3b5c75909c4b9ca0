"""Eight families that write, four methods: train, save, reload, same texts. And models that cannot write.

Run: python -m pytest tests/engine/models/test_generators.py
"""

from __future__ import annotations

import pytest
import torch

from engine.config import MethodConfig
from engine.core.errors import ConfigProblem, ModelProblem
from engine.core.text import Text
from engine.generation.generation_spec import GenerationSpec
from engine.generation.loss import next_logits, target_loss
from engine.inference.forward import collate
from engine.inference.generative_reader import GenerativeReader
from engine.inference.saved import Description, load_tuned
from engine.models.adapters import apply_method, checkpoint_activations, parameter_counts, save_model, verify_saved
from engine.models.device import Device
from engine.models.generator_methods import linear_layers
from engine.models.generators import load_generator
from engine.schema import Example
from engine.tasks import TASKS
from engine.tasks.model import task_model
from tests.tiny import save_encoder
from tests.tiny_generators import GENERATORS, save_generator

TASK = task_model(TASKS["summarization"])
CPU = Device("cpu", torch.float32, Text("", ""))
FORM = GenerationSpec(prompt="film {document}", target="{summary}", max_new_tokens=6)
ROWS = [
    Example(1, {"document": "the plot was good and the music was fine"}, ("good plot",)),
    Example(2, {"document": "awful cast"}, ("bad film",)),
    Example(3, {"document": "it is not a great film but the music was very fine and the cast is good"}, ("fine cast",)),
]


def writer(model, loaded, form: GenerationSpec = FORM) -> GenerativeReader:
    return GenerativeReader(TASK, form, model, loaded.tokenizer, CPU, 40)


@pytest.fixture(scope="module", params=sorted(GENERATORS))
def base(request, tmp_path_factory):
    return save_generator(request.param, tmp_path_factory.mktemp(request.param))


@pytest.mark.parametrize("name", ["lora", "full", "prefix", "ia3"])
def test_what_is_saved_writes_like_what_was_trained(base, name, tmp_path):
    loaded = load_generator(str(base), dropout=0.0)
    method = MethodConfig(name=name, lora_rank=4, prefix_length=4)
    model = apply_method(loaded, method, freeze_embeddings=True)
    everything, trainable = parameter_counts(model)
    assert 0 < trainable < everything
    teller = writer(model, loaded)
    batch = collate(teller.encode_to_learn(ROWS, 40).features, loaded.tokenizer.pad_token_id)
    before = next_logits(model.eval(), batch).detach().clone()
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=3e-2)
    model.train()
    losses = []
    for _ in range(12):
        loss = target_loss(model, batch)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        losses.append(float(loss))
    assert losses[-1] < losses[0]
    written = teller.predict(ROWS)
    save_model(model, loaded, tmp_path)
    description = Description("summarization", FORM.to_dict(), 40, name, str(base))
    description.save(tmp_path)
    assert Description.load(tmp_path).decoded_outputs == FORM

    torch.manual_seed(99)
    reloaded = load_tuned(tmp_path, description)
    difference = verify_saved(model, lambda: reloaded.model, lambda m: TASK.read(m, batch), tolerance=1e-4)
    assert difference <= 1e-4
    assert writer(reloaded.model, reloaded).predict(ROWS) == written
    assert (next_logits(model.eval(), batch) - before).abs().max() > 1e-3, "training changed nothing"
    assert not list(tmp_path.glob("*.bin")) and not list(tmp_path.glob("*.pt")), "a pickle was written"


def test_lora_leaves_the_output_layer_alone(base):
    model = load_generator(str(base)).model
    head = next(name for name, module in model.named_modules() if module is model.get_output_embeddings())
    assert head not in linear_layers(model) and len(linear_layers(model)) >= 8


def test_checkpointed_activations_give_the_same_gradients(base):
    gradients = []
    for checkpointed in (False, True):
        torch.manual_seed(3)  # LoRA's A matrices are drawn
        loaded = load_generator(str(base), dropout=0.0)
        model = apply_method(loaded, MethodConfig(name="lora", lora_rank=4), True).train()
        if checkpointed:
            checkpoint_activations(model)
        teller = writer(model, loaded)
        target_loss(model, collate(teller.encode_to_learn(ROWS, 40).features, loaded.tokenizer.pad_token_id)).backward()
        gradients.append([p.grad.clone() for p in model.parameters() if p.requires_grad])
    assert any(g.abs().max() > 0 for g in gradients[0])
    assert all(torch.allclose(a, b, atol=1e-6) for a, b in zip(*gradients, strict=True))


def test_an_encoder_cannot_write(tmp_path):
    with pytest.raises(ModelProblem) as caught:
        TASK.load(str(save_encoder("bert", tmp_path)), FORM, dropout=0.0, attention="eager")
    assert caught.value.code == "not_a_generator"


def test_a_checkpoint_without_its_output_layer_is_refused(tmp_path):
    from transformers import LlamaConfig, LlamaModel

    from tests.tiny import tokenizer

    LlamaModel(
        LlamaConfig(vocab_size=24, hidden_size=32, num_hidden_layers=1, num_attention_heads=4, intermediate_size=64)
    ).save_pretrained(tmp_path)
    tokenizer().save_pretrained(tmp_path)
    with pytest.raises(ModelProblem) as caught:
        load_generator(str(tmp_path))
    assert caught.value.code == "incomplete_generator"


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine may be able to keep weights in 4 bits")
def test_four_bits_are_refused_with_the_reason(tmp_path):
    with pytest.raises(ConfigProblem) as caught:
        load_generator(str(save_generator("llama", tmp_path)), four_bit=True)
    assert "NVIDIA" in caught.value.message.en and caught.value.where["field"] == "method.four_bit"
