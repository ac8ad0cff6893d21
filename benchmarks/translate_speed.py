"""Sentences and pieces per second in translation on one core, and the latency of one sentence.

Splitting into pieces, search and joining are included, loading is not.
"""

from __future__ import annotations

import argparse
import math
import statistics
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from endless import without_end
from processes import train
from report import Row
from text import find_text
from timing import Repeated

if TYPE_CHECKING:
    from nmt_lstm import Translator

SINGLE_PIECES = 15
BEAMS = (1, 5, 10)
BATCH_SIZES = (1, 8, 256)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of this benchmark."""
    parser.add_argument(
        "-m",
        "--model",
        type=Path,
        metavar="FOLDER",
        help="trained or exported model folder; by default an untrained model that reaches the length limit",
    )
    parser.add_argument(
        "--repetitions", type=int, default=5, metavar="N", help="repetitions of each measurement"
    )
    parser.add_argument("--precision", default="auto", help="auto, float32, bf16 or int8")


def measure(options: argparse.Namespace) -> list[Row]:
    """Translate the test text at several beams and batch sizes, then single sentences."""
    import torch

    from nmt_lstm import Translator

    torch.set_num_threads(1)
    text = find_text(options.text)
    sentences = text.test_source.read_text(encoding="utf-8").split("\n")[:-1]
    if options.quick:
        sentences = sentences[:100]
    with tempfile.TemporaryDirectory() as folder:
        model, training = options.model, "trained"
        if model is None:
            train(text, Path(folder), steps=1)
            model, training = Path(folder) / "model", "untrained: every sentence reaches the length limit"
            without_end(model)
        translator = Translator.load(model, device="cpu", precision=options.precision)
    rows: list[Row] = []
    repetitions = 1 if options.quick else options.repetitions
    for beam_size, batch_size in (*((beam, 64) for beam in BEAMS), *((5, size) for size in BATCH_SIZES)):
        # Small batches are slow, so fewer sentences suffice.
        sample = sentences[: max(20, min(len(sentences), 16 * batch_size))]
        rows += speed(translator, sample, beam_size, batch_size, repetitions, training)
    return rows + latency(translator, sentences, repetitions, training)


def speed(
    translator: Translator,
    sentences: list[str],
    beam_size: int,
    batch_size: int,
    repetitions: int,
    training: str,
) -> list[Row]:
    """Return sentences and target pieces per second."""
    settings = {"beam_size": beam_size, "batch_size": batch_size}
    translator.translate(sentences[:batch_size], **settings)
    times, pieces = [], 0
    for _ in range(repetitions):
        begin = time.perf_counter()
        translations = translator.translate(sentences, **settings)
        times.append(time.perf_counter() - begin)
        pieces = sum(len(each.pieces) for each in translations)
    what = f"beam {beam_size}, {batch_size} at a time"
    rows = []
    for name, count in (("sentences", len(sentences)), ("pieces", pieces)):
        rates = Repeated(tuple(count / each for each in times))
        counted = f"{count:,} {name}, {translator.precision}, {training}; {rates.spread()}"
        rows.append(Row(what, rates.median, f"{name}/s", counted))
    return rows


def latency(translator: Translator, sentences: list[str], repetitions: int, training: str) -> list[Row]:
    """Return the latency of single sentences."""
    encode = translator.subwords.source.encode
    # The sentences closest to 15 pieces, which every text has.
    similar = sorted(sentences, key=lambda sentence: abs(len(encode(sentence)) - SINGLE_PIECES))[:20]
    for sentence in similar[:3]:
        seconds(translator, sentence)
    times = sorted(1_000 * seconds(translator, sentence) for _ in range(repetitions) for sentence in similar)
    counted = f"single sentences of about {SINGLE_PIECES} pieces, warm, {translator.precision}, {training}"
    return [
        Row("one sentence, greedy, median", statistics.median(times), "ms", counted),
        Row("one sentence, greedy, 99th percentile", times[math.ceil(0.99 * len(times)) - 1], "ms", counted),
    ]


def seconds(translator: Translator, sentence: str) -> float:
    """Return the time to translate a sentence."""
    begin = time.perf_counter()
    translator.translate([sentence], beam_size=1)
    return time.perf_counter() - begin
