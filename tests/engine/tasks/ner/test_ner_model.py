"""The tagging task by itself: what it learns from, its loss, its targets, its answers.

Run: python -m pytest tests/engine/tasks/test_ner.py
"""

from __future__ import annotations

import numpy as np
import pytest
import torch
from tokenizers import Tokenizer, models, pre_tokenizers, processors, trainers
from torch import nn
from transformers import PreTrainedTokenizerFast

from engine.core.errors import LabelProblem
from engine.schema import IGNORED, Answered, Example
from engine.tasks.ner.conll_export import conll, tagged_words
from engine.tasks.ner.decode import EntityTypes, unit_level
from engine.tasks.ner.model import Ner
from engine.tasks.ner.words import PIECE, TOKEN, WORD
from tests.tiny import tokenizer

TASK = Ner()
TYPES = EntityTypes(["LOC", "PER"])


def example(text: str, *spans: tuple[int, int, str], tokens=None, row: int = 1) -> Example:
    inputs = {"text": text} | ({"tokens": tokens} if tokens else {})
    return Example(row, inputs, tuple({"start": a, "end": b, "label": label} for a, b, label in spans))


class Fixed(nn.Module):
    """A model that says the same of every token."""

    def __init__(self, logits: list[float]):
        super().__init__()
        self.bias = nn.Parameter(torch.tensor(logits))

    def forward(self, input_ids, attention_mask=None):
        return type("Out", (), {"logits": self.bias.expand(*input_ids.shape, -1)})()


def test_types_are_those_of_the_training_rows_in_order():
    train = [example("a b", (0, 1, "PER")), example("c", (0, 1, "LOC")), example("d")]
    assert TASK.outputs(train) == TYPES
    assert TASK.outputs_from(TYPES.to_dict()) == TYPES


def test_nothing_to_find_and_no_types_are_refused():
    with pytest.raises(LabelProblem) as caught:
        TASK.outputs([example("a b")])
    assert caught.value.code == "no_entities"
    with pytest.raises(LabelProblem) as caught:
        TASK.outputs([example("ab", (0, 1, f"text {n}")) for n in range(300)])
    assert caught.value.code == "too_many_types" and "300" in caught.value.message.en


def test_languages_with_endings_are_tagged_by_pieces():
    assert TASK.outputs([example("서울에서 만나", (0, 2, "LOC"))]).pieces
    assert not TASK.outputs([example("Seoul 서울 北京市", (0, 5, "LOC"), (6, 8, "LOC"), (9, 11, "LOC"))]).pieces
    whole = [example("in Rome", (3, 7, "LOC"))] * 200
    assert not TASK.outputs([*whole, example("iPhones", (0, 6, "PER"))]).pieces, "one slip of an annotator in 200"
    tokens = [example("서울에서", (0, 4, "LOC"), tokens=[[0, 4]])]
    assert not TASK.outputs(tokens).pieces, "tokens are a corpus's own words"


def test_an_entity_that_ends_inside_a_word_comes_back_exactly():
    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    special = ["<pad>", "<s>", "</s>", "<unk>"]
    made.train_from_iterator(
        ["a"],
        trainers.BpeTrainer(vocab_size=260, special_tokens=special, initial_alphabet=alphabet, show_progress=False),
    )
    made.post_processor = processors.TemplateProcessing(single="<s> $A </s>", special_tokens=[("<s>", 1), ("</s>", 2)])
    bytes_ = PreTrainedTokenizerFast(tokenizer_object=made, pad_token="<pad>", bos_token="<s>", eos_token="</s>", unk_token="<unk>")  # fmt: skip
    rows = [example("서울에서 만나", (0, 2, "LOC")), example("in 서울에서 iPhones", (3, 5, "LOC"), (8, 14, "PER"))]
    types = EntityTypes(["LOC", "PER"], pieces=True)
    encoded = TASK.encode(rows, bytes_, 20, windows=True)
    assert TASK.attach_targets(encoded, rows, types) == []
    certain = []
    for feature in encoded.features:
        logits = np.zeros((len(feature), 5), dtype=np.float32)
        for position, target in enumerate(feature.token_targets):
            logits[position, max(target, 0)] = 20.0
        certain.append(logits)
    output = TASK.predict(certain, encoded, 2, types)
    places = [tuple((s["start"], s["end"], s["label"]) for s in one.spans) for one in output]
    assert places == [tuple((s["start"], s["end"], s["label"]) for s in row.target) for row in rows]
    assert TASK.score(rows, output, types)["f1"] == 1.0 and TASK.evaluation_loss(rows, output, types) < 1e-3


def test_first_tokens_carry_the_tag_and_all_others_none():
    rows = [example("the film in, good", (4, 8, "PER"))]
    encoded = TASK.encode(rows, tokenizer(), None)
    assert TASK.attach_targets(encoded, rows, TYPES) == []
    (feature,) = encoded.features
    assert feature.token_targets == [IGNORED, 0, 3, 0, 0, 0, IGNORED]


def test_a_token_of_the_corpus_is_one_tag_however_many_words_it_is():
    rows = [example("the film in, good", (4, 8, "PER"), tokens=[[0, 3], [4, 8], [9, 12], [13, 17]])]
    encoded = TASK.encode(rows, tokenizer(), None)
    assert TASK.attach_targets(encoded, rows, TYPES) == []
    (feature,) = encoded.features
    assert feature.token_targets == [IGNORED, 0, 3, 0, IGNORED, 0, IGNORED]


def test_spans_that_cannot_be_tagged_are_told_with_their_rows():
    rows = [example("the film", (0, 8, "PER"), (4, 8, "LOC"), row=7)]
    encoded = TASK.encode(rows, tokenizer(), None)
    (notice,) = TASK.attach_targets(encoded, rows, TYPES)
    assert (notice.code, notice.count) == ("cannot_be_tagged", 1)
    assert notice.rows[0].row == 7 and "LOC (1)" in notice.message.en


def test_what_is_read_of_a_row():
    (plain, tokened) = TASK.encode(
        [example("a film"), example("a film", tokens=[[0, 6]])], tokenizer(), None
    ).pieces  # fmt: skip
    assert unit_level(plain, TYPES) == WORD and unit_level(tokened, TYPES) == TOKEN
    assert unit_level(plain, EntityTypes(["A"], pieces=True)) == PIECE


def test_the_loss_is_the_mean_over_tagged_tokens():
    model = Fixed([0.0, 1.0, 0.0, 0.0, 0.0])
    batch = {"input_ids": torch.zeros(1, 4, dtype=torch.long), "labels": torch.tensor([[IGNORED, 1, 0, IGNORED]])}
    log = torch.log_softmax(torch.tensor([0.0, 1.0, 0.0, 0.0, 0.0]), 0)
    assert TASK.loss(model, dict(batch)).item() == pytest.approx(-(log[1] + log[0]).item() / 2)
    weights = torch.tensor([1.0, 3.0, 1.0, 1.0, 1.0])
    assert TASK.loss(model, dict(batch), weights).item() == pytest.approx(-(3 * log[1] + log[0]).item() / 4)
    assert TASK.loss(model, dict(batch), None, 0.1).item() > TASK.loss(model, dict(batch)).item() - 1
    nothing = {**batch, "labels": torch.full((1, 4), IGNORED)}
    loss = TASK.loss(model, nothing)
    loss.backward()
    assert loss.item() == 0.0 and model.bias.grad.abs().sum() == 0


def test_class_weights_favour_rare_tags_without_drowning_words_outside():
    rows = [example("a b c d e f g Ann", (14, 17, "PER")), example("Rome a b", (0, 4, "LOC"))] + [example("a b c")] * 9
    weights = dict(zip(["O", "B-LOC", "I-LOC", "B-PER", "I-PER"], TASK.class_weights(rows, TYPES), strict=True))
    assert weights["B-LOC"] == weights["B-PER"] > 1 > weights["O"] > 0.5


def test_predictions_are_legal_exact_and_scored():
    rows = [example("the  film\twas good")]
    encoded = TASK.encode(rows, tokenizer(), None)
    logits = np.full((6, 5), -9.0, dtype=np.float32)
    for position, tag in enumerate([0, 0, 4, 4, 3, 0]):  # I-PER without a beginning
        logits[position, tag] = 5.0
    logits[2, 3] = 4.0
    (output,) = TASK.predict([logits], encoded, 1, TYPES)
    assert [(s["start"], s["end"], s["label"]) for s in output.spans] == [(5, 13, "PER"), (14, 18, "PER")]
    (answer,) = TASK.answers(rows, [output], encoded, TYPES)
    assert [e["text"] for e in answer["entities"]] == ["film\twas", "good"] and answer["windows"] == 1
    assert all(0 < e["score"] < 1 for e in answer["entities"])
    cells = TASK.cells([answer, None], TYPES)
    assert cells["found"] == ["film\twas (PER); good (PER)", None] and cells["entities"][1] is None
    assert TASK.evaluation_loss(rows, [output], TYPES) > 3, "every entity is invented"


def test_conll_of_texts_and_of_tokens():
    entities = [{"start": 0, "end": 6, "label": "PRODUCT"}, {"start": 7, "end": 9, "label": "LOC"}]
    assert tagged_words("iPhones 北京!", None, [{"start": 0, "end": 6, "label": "P"}, {"start": 8, "end": 10, "label": "L"}]) == [
        ("iPhone", "B-P"), ("s", "O"), ("北", "B-L"), ("京", "I-L"), ("!", "O"),
    ]  # fmt: skip
    assert tagged_words("a b c", [[0, 1], [2, 3], [4, 5]], [{"start": 0, "end": 3, "label": "X"}, {"start": 4, "end": 5, "label": "X"}]) == [
        ("a", "B-X"), ("b", "I-X"), ("c", "B-X"),
    ]  # fmt: skip
    answered = Answered({"text": "text"}, [{"text": "iPhone in"}, None], [{"entities": entities}, None])
    assert conll(None, answered) == "iPhone\tB-PRODUCT\nin\tB-LOC\n\n"
