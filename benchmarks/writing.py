"""Seconds to write the test rows of a finished run, beside transformers' own `generate`; and the products that a step consists of.

    python benchmarks/writing.py --run DIR [--rounds 2]     # DIR is the directory of a run that writes
    python benchmarks/writing.py --products [--model smollm2]

With --run the tuned model answers as the report has it made, then `generate` is asked for the same batches, padded on the left, with its
own cache and every row computed until the last one is complete. Says in how many cases the answers differ. With --products: all linear
layers of a model once, x Wᵀ as they compute it and (W xᵀ)ᵀ as `few_rows` does, by the number of rows; milliseconds, the least of five.
Alone on the machine.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from torch import nn

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from engine.assets import model_folder
from engine.generation.generator import TOKENS_PER_BATCH, TOKENS_PER_STEP, Generator, decoding_settings, encode_prompts
from engine.inference.generative_reader import GenerativeReader
from engine.inference.saved import Description, load_tuned
from engine.models.batching import by_cost
from engine.models.device import choose_device, keep_freed_memory, use_threads
from engine.models.generators import load_generator
from engine.models.speed.few_row_linear import few_rows
from engine.schema import Feature
from engine.tasks import TASKS
from engine.tasks.model import task_model

ROWS = (1, 2, 4, 6, 8, 10, 16, 24, 27, 32, 48, 64, 80)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", type=Path)
    parser.add_argument("--products", action="store_true")
    parser.add_argument("--model", default="smollm2")
    parser.add_argument("--rounds", type=int, default=2)
    given = parser.parse_args()
    use_threads()
    keep_freed_memory()
    if given.run:
        answers(given.run, given.rounds)
    if given.products:
        products(given.model)


def answers(run: Path, rounds: int) -> None:
    generator = generator_of(run)
    rows = [json.loads(line)["inputs"] for line in (run / "data/test.jsonl").read_text(encoding="utf-8").splitlines()]
    encoded = encode_prompts(generator.prompt_encoder, rows, generator.max_prompt_tokens)
    ours: list[str] = []
    theirs: list[str] = []
    for number in range(rounds):
        began = time.perf_counter()
        ours = generator.generate(rows, encoded)
        middle = time.perf_counter()
        theirs = [generator.join([text]) for text in generated(generator, encoded.features)]
        ended = time.perf_counter()
        print(f"round {number + 1}: Tunebench {middle - began:.1f} s, generate {ended - middle:.1f} s")
    differing = sum(mine != other for mine, other in zip(ours, theirs, strict=True))
    print(f"{len(rows)} rows, {differing} answers differ")


def generator_of(run: Path) -> Generator:
    directory, device = run / "model", choose_device("cpu")
    description = Description.load(directory)
    task, loaded = task_model(TASKS[description.task]), load_tuned(directory, description)
    model = GenerativeReader.place(loaded.model, device)
    outputs = task.outputs_from(description.outputs)
    return GenerativeReader(task, outputs, model, loaded.tokenizer, device, description.max_length).generator


def generated(generator: Generator, features: Sequence[Feature]) -> list[str]:
    """The same by one call of `generate` a batch, batches cut as they are for `Generator.generate_texts`."""
    tokenizer, spec = generator.prompt_encoder.tokenizer, generator.prompt_encoder.spec
    texts = [""] * len(features)
    lengths = [len(feature) for feature in features]
    for indices in by_cost(lengths, 2 * TOKENS_PER_BATCH, generator.max_batch, TOKENS_PER_STEP * spec.max_new_tokens):
        width = max(lengths[index] for index in indices)
        padding = [width - lengths[index] for index in indices]
        ids = torch.tensor(
            [
                [tokenizer.pad_token_id] * more + list(features[index].input_ids)
                for index, more in zip(indices, padding, strict=True)
            ]
        )
        mask = torch.tensor([[0] * more + [1] * (width - more) for more in padding])
        with torch.inference_mode():
            output = generator.model.generate(
                input_ids=ids,
                attention_mask=mask,
                generation_config=decoding_settings(spec, generator.model.generation_config, tokenizer),
            )
        for index, row in zip(indices, output.tolist(), strict=True):
            texts[index] = generator.prompt_encoder.decode(row[width:])
    return texts


def products(name: str) -> None:
    layers = load_generator(str(model_folder(name)), dropout=0.0).model
    linear = nn.ModuleList(module for module in layers.modules() if type(module) is nn.Linear)
    print(f"{len(linear)} linear layers of {name}, ms: rows, as they are, by few_rows")
    with torch.inference_mode():
        for rows in ROWS:
            states = {width: torch.randn(rows, width) for width in {module.in_features for module in linear}}

            def everything(states: dict[int, torch.Tensor] = states) -> None:
                for module in linear:
                    module(states[module.in_features])

            as_they_are = least(everything)
            with few_rows(linear):
                print(f"{rows:4d} {as_they_are:7.0f} {least(everything):7.0f}")


def least(work: Callable[[], None], times: int = 5) -> float:
    """Milliseconds of the quickest of several times, after one that does not count."""
    work()
    taken = []
    for _ in range(times):
        began = time.perf_counter()
        work()
        taken.append(time.perf_counter() - began)
    return 1e3 * min(taken)


if __name__ == "__main__":
    main()
