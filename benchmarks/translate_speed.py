"""Sentences per second in translation on one core, at beam 5 and greedy: pieces, search and text, without loading."""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

from processes import train
from report import Row
from text import find_text


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of this benchmark."""
    parser.add_argument(
        "-m",
        "--model",
        type=Path,
        metavar="FOLDER",
        help="trained model folder; an untrained one runs to the length limit",
    )
    parser.add_argument("--batch-size", type=int, default=64, metavar="N", help="sentences searched at once")
    parser.add_argument("--precision", default="auto", help="auto, float32 or bf16")


def measure(options: argparse.Namespace) -> list[Row]:
    """Translate the test text at both beams."""
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
        counted = f"{len(sentences):,} sentences of {text.name}, {options.precision}, batch {options.batch_size}, {training}"
        rows.append(Row(f"beam {beam_size}", speed, "sentences/s", counted))
    return rows
