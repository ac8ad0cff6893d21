"""Peak memory of training, and of translating a long file, whose second half should need no more than the first."""

from __future__ import annotations

import argparse
import itertools
import tempfile
from pathlib import Path

from processes import nmt_lstm, train
from report import Row
from text import Text, find_text

MEBIBYTE = 2**20


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of this benchmark."""
    parser.add_argument(
        "-m",
        "--model",
        type=Path,
        metavar="FOLDER",
        help="model folder for translation; by default one is trained",
    )
    parser.add_argument("--lines", type=int, default=1_000_000, metavar="N", help="lines to translate")
    parser.add_argument(
        "--steps", type=int, default=500, metavar="N", help="training steps before a validation"
    )
    parser.add_argument("--beam-size", type=int, default=1, metavar="N", help="beam size for translation")


def measure(options: argparse.Namespace) -> list[Row]:
    """Train for some steps, translate many lines, and return the peak memory of both."""
    text = find_text(options.text)
    steps, lines = (20, 2_000) if options.quick else (options.steps, options.lines)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        training = train(text, folder, steps)
        source = folder / "long.txt"
        repeat_lines(text, source, lines)
        model = options.model or folder / "model"
        translating = nmt_lstm(
            *("translate", "-m", model, "-i", source, "-o", folder / "out.txt"),
            *("--beam-size", str(options.beam_size)),
            watch=0.2,
        )
        with (folder / "out.txt").open("rb") as written:
            if sum(1 for _ in written) != lines:
                raise SystemExit("translate did not write one line for each input line")
    half = len(translating.resident_bytes) // 2
    return [
        Row(
            "training",
            training.peak_bytes / MEBIBYTE,
            "MiB",
            f"peak resident memory, {text.name}, {steps} steps and a validation",
        ),
        Row(
            "translating",
            translating.peak_bytes / MEBIBYTE,
            "MiB",
            f"peak resident memory, {lines:,} lines, beam {options.beam_size}",
        ),
        Row(
            "  first half",
            max(translating.resident_bytes[:half], default=0) / MEBIBYTE,
            "MiB",
            "maximum of samples every 0.2 s",
        ),
        Row(
            "  second half",
            max(translating.resident_bytes[half:], default=0) / MEBIBYTE,
            "MiB",
            "maximum of samples every 0.2 s",
        ),
    ]


def repeat_lines(text: Text, destination: Path, lines: int) -> None:
    """Write `lines` lines that repeat the test text, with the number of the pass so that no cache can help."""
    with text.test_source.open(encoding="utf-8", newline="\n") as stream:
        sentences = [line.rstrip("\n") for line in stream]
    with destination.open("w", encoding="utf-8", newline="\n") as stream:
        for number, sentence in enumerate(itertools.islice(itertools.cycle(sentences), lines)):
            stream.write(f"{number // len(sentences)} {sentence}\n")
