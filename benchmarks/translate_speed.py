"""Sentences per second in translation on one core, and the latency of one: pieces, search and text, without loading."""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from processes import train
from report import Row
from text import find_text

if TYPE_CHECKING:
    from nmt_lstm import Translator

PIECES_OF_ONE = 15


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of this benchmark."""
    parser.add_argument(
        "-m",
        "--model",
        type=Path,
        metavar="FOLDER",
        help="trained or exported model folder; an untrained one runs to the length limit",
    )
    parser.add_argument("--batch-size", type=int, default=64, metavar="N", help="sentences searched at once")
    parser.add_argument("--precision", default="auto", help="auto, float32, bf16 or int8")


def measure(options: argparse.Namespace) -> list[Row]:
    """Translate the test text at both beams, then single sentences."""
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
            model, training = Path(folder) / "model", "untrained: every sentence runs to the length limit"
        translator = Translator.load(model, device="cpu", precision=options.precision)
    rows = []
    for beam_size in (5, 1):
        translator.translate(sentences[:64], beam_size=beam_size, batch_size=options.batch_size)
        begin = time.perf_counter()
        translator.translate(sentences, beam_size=beam_size, batch_size=options.batch_size)
        speed = len(sentences) / (time.perf_counter() - begin)
        counted = f"{len(sentences):,} sentences of {text.name}, {translator.precision}, batch {options.batch_size}, {training}"
        rows.append(Row(f"beam {beam_size}", speed, "sentences/s", counted))
    encode = translator.subwords.source.encode
    # The sentences nearest to 15 pieces, so that a text of any kind has some.
    alike = sorted(sentences, key=lambda sentence: abs(len(encode(sentence)) - PIECES_OF_ONE))[:20]
    taken = [seconds(translator, sentence) for _ in range(1 if options.quick else 5) for sentence in alike]
    counted = f"median of single sentences of about {PIECES_OF_ONE} pieces, warm, {translator.precision}, {training}"
    rows.append(Row("one sentence, greedy", 1_000 * statistics.median(taken), "ms", counted))
    return rows


def seconds(translator: Translator, sentence: str) -> float:
    """Return how long one sentence takes."""
    begin = time.perf_counter()
    translator.translate([sentence], beam_size=1)
    return time.perf_counter() - begin
