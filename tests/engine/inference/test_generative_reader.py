"""Writing in batches, in parts, token by token, and not at all once stopped. Run: python -m pytest tests/engine/inference/test_writer.py"""

from __future__ import annotations

import threading
import time
from itertools import pairwise

import pytest
import torch

from engine.config import RunConfig
from engine.core.text import Text
from engine.generation.generation_spec import GenerationSpec
from engine.generation.token_stream import TokenStream
from engine.inference.generative_reader import GenerativeReader
from engine.models.device import Device
from engine.models.generators import load_generator
from engine.schema import Example
from engine.tasks import TASKS
from engine.tasks.model import task_model
from tests.tiny import WORDS
from tests.tiny_generators import GENERATORS, save_generator

CPU = Device("cpu", torch.float32, Text("", ""))
TASK = task_model(TASKS["summarization"])
ROWS = [
    Example(i, {"document": " ".join(WORDS[(i * 7 + j * 3) % len(WORDS)] for j in range(4 + 3 * i))}, ("good film",))
    for i in range(5)
]


def writer_of(family: str, folder, **form) -> GenerativeReader:
    loaded = load_generator(str(save_generator(family, folder)), dropout=0.0)
    settings = {"prompt": "{document}", "target": "{summary}", "max_new_tokens": 12, **form}
    loaded.model.double()  # so that near ties of a random model fall the same way in every batch
    # Random models would write nothing but special tokens, or end at once.
    special = torch.arange(5)
    loaded.model.get_output_embeddings().register_forward_hook(
        lambda m, i, logits: logits.index_fill(-1, special, -1e4)
    )
    return GenerativeReader(TASK, GenerationSpec(**settings), loaded.model, loaded.tokenizer, CPU, 100)


@pytest.mark.parametrize("family", sorted(GENERATORS))
def test_a_text_is_the_same_alone_in_a_batch_and_as_a_stream(family, tmp_path):
    writer = writer_of(family, tmp_path)
    together = writer.predict(ROWS)
    assert all(together)
    assert [writer.predict([row])[0] for row in ROWS] == together
    grown = list(writer.stream(ROWS[2], writer.outputs, threading.Event()))
    assert grown[-1] == together[2] and len(grown) > 2
    assert all(later.startswith(earlier[:-1].rstrip()) for earlier, later in pairwise(grown))


def test_a_brief_evaluation_measures_the_same_loss_and_writes_nothing(tmp_path, monkeypatch):
    writer = writer_of("llama", tmp_path)
    encoded = writer.encode(ROWS)
    loss, metrics, _ = writer.assess(ROWS, encoded)
    assert {"likelihood", "rougeL"} <= set(metrics)
    monkeypatch.setattr(GenerativeReader, "predict", lambda *_: pytest.fail("it wrote"))
    assert writer.assess(ROWS, encoded, briefly=True)[:2] == (loss, {"likelihood": metrics["likelihood"]})


def test_beams_write_and_may_be_stopped(tmp_path):
    writer = writer_of("bart", tmp_path, beams=3)
    [text] = list(writer.stream(ROWS[1], writer.outputs, threading.Event()))
    assert text == writer.predict([ROWS[1]])[0]


def test_stop_ends_generation_at_the_next_token(tmp_path):
    writer = writer_of("llama", tmp_path, max_new_tokens=100)
    stop = threading.Event()
    calls = []
    writer.model.register_forward_hook(lambda *_: calls.append(time.monotonic()))
    stream = writer.stream(ROWS[0], writer.outputs, stop)
    next(stream)
    stop.set()
    list(stream)
    assert len(calls) < 60, "the model went on after the stop"
    done = len(calls)
    time.sleep(0.2)
    assert len(calls) == done, "a thread went on in the background"


def test_a_stream_that_nobody_reads_any_more_ends(tmp_path):
    writer = writer_of("llama", tmp_path, max_new_tokens=100)
    stop, calls = threading.Event(), []
    writer.model.register_forward_hook(lambda *_: calls.append(1))
    stream = writer.stream(ROWS[0], writer.outputs, stop)
    next(stream)
    stream.close()
    done = len(calls)
    time.sleep(0.2)
    assert done == len(calls) < 60, "a thread went on in the background"
    assert not stop.is_set(), "the request may have more to ask"


def test_what_fails_in_the_thread_is_raised_where_it_is_read():
    def fail(streamer):
        raise ValueError("no")

    stream = TokenStream(str)
    threading.Thread(target=stream.run, args=(fail,)).start()
    with pytest.raises(ValueError, match="no"):
        list(stream)


def test_half_a_character_is_not_shown():
    shown = {(1,): "a\ufffd", (1, 2): "a好"}
    stream = TokenStream(lambda ids: shown[tuple(ids)])

    def generate(streamer):
        for value in ([[0]], [1], [2]):
            streamer.put(torch.tensor(value))
        streamer.end()

    stream.run(generate)
    assert list(stream) == ["a好"]


def test_long_documents_are_cut_or_written_in_parts(tmp_path):
    long = Example(1, {"document": "the film was good. " * 30}, ("good film",))
    cut = writer_of("gpt2", tmp_path)
    cut.max_length = 40
    encoded = cut.encode([long, ROWS[0]])
    assert encoded.truncated == 1 and encoded.shortened == {0} and 0.5 < encoded.lost < 0.9
    [answer, whole] = TASK.answers([long, ROWS[0]], cut.predict([long, ROWS[0]], encoded), encoded, cut.outputs)
    assert answer["cut"] and answer["parts"] == 1 and not whole["cut"]

    parts = writer_of("gpt2", tmp_path, long_documents="parts")
    parts.max_length = 40
    encoded = parts.encode([long, ROWS[0]])
    assert encoded.lost == 0 and not encoded.shortened
    texts = parts.predict([long, ROWS[0]], encoded)
    answers = TASK.answers([long, ROWS[0]], texts, encoded, parts.outputs)
    assert [a["parts"] for a in answers] == [sum(f.example == i for f in encoded.features) for i in (0, 1)]
    assert answers[0]["parts"] > 3 and answers[1]["parts"] == 1
    summaries = TASK.join_parts(parts.generator.generate_texts([f for f in encoded.features if f.example == 0]))
    again = Example(1, {"document": summaries}, ("good film",))
    assert texts[0] == parts.predict([again])[0], "the summaries of the parts are what is summarised at last"
    assert list(parts.stream(long, parts.outputs, threading.Event()))[-1] == texts[0]


@pytest.mark.parametrize(
    ("family", "style"), [("llama", "Summarize"), ("gpt2", "Summary:"), ("t5", "summarize: "), ("bart", "{document}")]
)
def test_the_prompt_suits_the_family_and_the_language(family, style, tmp_path):
    writer = writer_of(family, tmp_path)
    config = RunConfig.from_dict({"task": "summarization", "data": {"train": "x"}})
    form = writer.prepare(ROWS, config)
    assert style in form.prompt and "{document}" in form.prompt
    assert 0 < form.max_new_tokens <= 8, "room for targets of three tokens"
    chinese = [Example(1, {"document": "这是一篇关于天气的中文文章，今天天气很好。"}, ("天气很好。",))]
    requests = writer.prepare(chinese, config).prompt
    assert ("概括" in requests) == (family == "llama")
    config.generation.prompt, config.generation.max_new_tokens = "so: {document}", 77
    form = writer.prepare(ROWS, config)
    assert (form.prompt, form.max_new_tokens) == ("so: {document}", 77)


def test_a_decoder_keeps_room_for_its_answer(tmp_path):
    assert writer_of("llama", tmp_path, max_new_tokens=30).input_tokens(128) == 98
    assert writer_of("t5", tmp_path, max_new_tokens=30).input_tokens(128) == 128
