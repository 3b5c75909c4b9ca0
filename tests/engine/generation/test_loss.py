"""The loss of the target alone equals the model's own. Run: python -m pytest tests/engine/generation/test_loss.py"""

from __future__ import annotations

import pytest
import torch

from engine.generation.generation_spec import GenerationSpec
from engine.generation.loss import next_logits, target_logits, target_loss, target_losses
from engine.generation.prompt_encoder import PromptEncoder
from engine.inference.forward import collate
from engine.models.generators import load_generator
from engine.models.speed import target_logits_only
from tests.tiny_generators import DECODERS, GENERATORS, save_generator


@pytest.mark.parametrize("fast", [True, False])
@pytest.mark.parametrize("family", sorted(GENERATORS))
def test_the_loss_is_the_models_own(family, fast, tmp_path):
    loaded = load_generator(str(save_generator(family, tmp_path)), dropout=0.0)
    prompt_encoder = PromptEncoder(
        loaded.tokenizer, GenerationSpec(prompt="{document}"), family in DECODERS, "document"
    )
    rows = [("the plot was good and the music was fine", "good film"), ("bad film", "it was a very poor plot")]
    features = [
        prompt_encoder.with_target(prompt_encoder.encode_prompt(i, {"document": text}, None)[0], target)
        for i, (text, target) in enumerate(rows)
    ]
    batch = collate(features, loaded.tokenizer.pad_token_id)
    model = loaded.model.eval()
    if fast:
        target_logits_only.enable(model)
    rows_of_head = []
    model.get_output_embeddings().register_forward_pre_hook(
        lambda layer, args: rows_of_head.append(args[0].shape[:-1].numel())
    )
    with torch.no_grad():
        expected = model(**batch).loss
        logits, targets = target_logits(model, batch)
        assert len(logits) == len(targets) == int((batch["labels"] != -100).sum())
        assert (rows_of_head[-1] == len(targets)) is fast
        assert torch.allclose(target_loss(model, batch), expected, atol=1e-5)
        sums, counted = target_losses(model, batch)
        assert torch.allclose(sums.sum() / counted.sum(), expected, atol=1e-5)
        # A row by itself has the loss that it has in the batch: padding changes nothing.
        alone = collate(features[1:], loaded.tokenizer.pad_token_id)
        assert torch.allclose(target_losses(model, alone)[0][0], sums[1], atol=1e-4)
        # The first token to be written is asked for where the prompt ends.
        batch.pop("labels")
        if family in DECODERS:
            whole = model(**batch).logits
            ends = batch["attention_mask"].sum(dim=1) - 1
            assert torch.allclose(next_logits(model, batch), whole[torch.arange(2), ends], atol=1e-5)
        assert next_logits(model, batch).shape == (2, len(loaded.tokenizer))
