"""The command for all benchmarks: ``python benchmarks/run.py NAME [--quick] [--json FILE]``."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from pathlib import Path

BENCHMARKS = {
    "limits": ("limits", "limits of the machine: matrix products, fused LSTM, copies"),
    "attentions": ("attentions", "cost of each registered attention relative to the bilinear one, one core"),
    "cells": ("cells", "cost of each registered cell relative to the fused LSTM, one core"),
    "train": ("train_speed", "target pieces per second in training, one core"),
    "profile": ("profile_training", "time of a training step by kind of operator, one core"),
    "translate": ("translate_speed", "sentences per second in translation, one core"),
    "search-costs": (
        "search_costs",
        "cost of a search by beam, batch, length and vocabulary, one core",
    ),
    "decoding-options": (
        "decoding_options",
        "cost of sampling, requests and other options in time and BLEU, one core",
    ),
    "kept-parts": (
        "kept_parts",
        "placeholders and tags: how often they are kept, in time and BLEU, one core",
    ),
    "gnmt": ("gnmt", "training and translation with the GNMT network on a GPU, on random text"),
    "memory": ("memory", "peak memory of training and of translating a long file"),
    "growth": ("growth", "memory of a long training run, and its growth after the first epoch"),
    "checkpoints": ("checkpoint_cost", "share of a training run's time in which it writes checkpoints"),
    "scaling": ("scaling", "training with two processes; memory against corpus and network"),
    "scale": ("scale", "preparing, training on and translating a text of any number of generated pairs"),
    "peers": ("peers", "the same work with other toolkits, which are installed in build/peers"),
    "serving": ("serving", "a server under load, next to translate --jobs and --interactive"),
    "startup": ("startup", "processor time of --help, time until the first translation"),
}


def main(arguments: list[str] | None = None) -> None:
    """Parse the command line and run one benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(dest="benchmark", required=True)
    modules = {}
    for name, (module_name, description) in BENCHMARKS.items():
        modules[name] = importlib.import_module(module_name)
        command = commands.add_parser(name, help=description, description=modules[name].__doc__)
        command.add_argument("--quick", action="store_true", help="only a few repetitions, as a test")
        command.add_argument("--json", type=Path, metavar="FILE", help="also write the measurements as JSON")
        command.add_argument(
            "--text",
            type=Path,
            metavar="FOLDER",
            help="train.de, train.en, val.de, val.en, test_2016_flickr.de; without them, the built-in corpus",
        )
        modules[name].add_arguments(command)
    options = parser.parse_args(arguments)
    if options.text is None:
        options.text = Path(os.environ.get("NMT_LSTM_CORPORA", "data")) / "multi30k"
    elif not options.text.is_dir():
        parser.error(f"--text {options.text}: the folder does not exist")
    for name in ("json", "plot"):
        # Check now, not after an hour of measurements.
        file = getattr(options, name, None)
        if file is not None and not file.resolve().parent.is_dir():
            parser.error(f"--{name} {file}: the folder '{file.parent}' does not exist; create it first")

    import report

    from nmt_lstm.errors import NmtLstmError

    try:
        rows = modules[options.benchmark].measure(options)
    except NmtLstmError as problem:
        raise SystemExit(f"{options.benchmark}: {problem}") from None
    except KeyboardInterrupt:
        print(f"{options.benchmark}: interrupted; no measurements were written", file=sys.stderr)
        raise SystemExit(130) from None
    report.show(rows, options.json)
    if all(row.unit == report.FAILED for row in rows):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
