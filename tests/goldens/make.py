"""Trains the models of this folder: ``python tests/goldens/make.py`` (minutes), once for each format version.

Folders of older formats are not changed: they prove that old models still load.
"""

from __future__ import annotations

import itertools
import json
import random
import tempfile
from pathlib import Path
from typing import Any

from rich.console import Console

from nmt_lstm import Translator, fit
from nmt_lstm.checkpoint import model_folder
from nmt_lstm.checkpoint.manifest import FORMAT_VERSION
from nmt_lstm.config.load import make_run
from nmt_lstm.config.schema import RunSettings

HERE = Path(__file__).resolve().parent
NUMBERS = dict(
    zip(
        ["zwei", "drei", "vier", "fünf", "sechs", "sieben", "acht", "neun"],
        ["two", "three", "four", "five", "six", "seven", "eight", "nine"],
        strict=True,
    )
)
NOUNS = dict(
    zip(
        ["Äpfel", "Birnen", "Nüsse", "Bücher", "Häuser", "Hüte", "Türen"],
        ["apples", "pears", "nuts", "books", "houses", "hats", "doors"],
        strict=True,
    )
)
MODELS: dict[str, dict[str, Any]] = {
    "lstm-gnmt-bilinear": {},
    "gru-input_feeding-additive": {
        "subwords": {"joint": False, "kind": "unigram", "vocabulary_size": 290},
        "model": {
            "tied_embeddings": "target",
            "encoder": {"cell": "gru"},
            "decoder": {"cell": "gru", "wiring": "input_feeding"},
            "attention": {"name": "additive", "options": {"normed": True}},
        },
    },
    "rnn-conditional-multi_head": {
        "model": {
            "tied_embeddings": "none",
            "encoder": {"cell": "rnn", "layers": 3, "directions": "first", "residual": True},
            "decoder": {
                "cell": "rnn",
                "cell_options": {"nonlinearity": "tanh"},
                "layers": 2,
                "wiring": "conditional",
                "bridge": "zero",
            },
            "attention": {"name": "multi_head", "options": {"heads": 4}},
        },
    },
}
LINES = [
    "drei Äpfel und zwei Birnen",
    "neun Türen und sieben Häuser",
    "fünf Hüte",
    "acht Nüsse und sechs Bücher und vier Türen",
    "",
    "zwei Elefanten, 12 % und ein Baum",
    "漢字 und drei Äpfel",
]


def pairs() -> list[tuple[str, str]]:
    """Numbers of objects in German, and in English in reversed order; shuffled."""
    counted = [
        (f"{number} {noun}", f"{NUMBERS[number]} {NOUNS[noun]}")
        for number, noun in itertools.product(NUMBERS, NOUNS)
    ]
    sentences = [
        (f"{first[0]} und {second[0]}", f"{second[1]} and {first[1]}")
        for first, second in itertools.product(counted, counted)
    ]
    sentences += counted
    random.Random(1).shuffle(sentences)
    return sentences


def merged(base: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """Return nested settings with changes."""
    result = dict(base)
    for key, value in changes.items():
        nested = isinstance(value, dict) and isinstance(result.get(key), dict)
        result[key] = merged(result[key], value) if nested else value
    return result


def settings(folder: Path) -> dict[str, Any]:
    """The settings that all models share."""
    return {
        "data": {
            **{name.replace(".", "_"): str(folder / name) for name in ("train.source", "train.target")},
            **{name.replace(".", "_"): str(folder / name) for name in ("valid.source", "valid.target")},
            "prepared": str(folder / "prepared"),
        },
        "subwords": {"kind": "bpe", "vocabulary_size": 380},
        "model": {
            "embedding_size": 24,
            "encoder": {"cell": "lstm", "hidden_size": 16},
            "decoder": {"cell": "lstm", "hidden_size": 24},
            "attention": {"name": "bilinear"},
            "dropout": 0.0,
        },
        "training": {
            "epochs": 14,
            "batch_pieces": 300,
            "precision": "float32",
            "accelerator": "cpu",
            "tensorboard": False,
            "optimizer": {"learning_rate": 0.01},
            "schedule": {"warmup_steps": 20},
        },
    }


def make_golden(name: str, folder: Path) -> None:
    """Train a model in `folder`, write it beside this script, and record its translations."""
    folder.mkdir()
    for split, sentences in (("train", pairs()[:-40]), ("valid", pairs()[-40:])):
        for index, side in enumerate(("source", "target")):
            text = "".join(pair[index] + "\n" for pair in sentences)
            (folder / f"{split}.{side}").write_text(text, encoding="utf-8")
    fit(make_run(merged(settings(folder), MODELS[name])), folder / "run", console=Console(quiet=True))
    trained = model_folder.read(folder / "run")
    golden = HERE / str(FORMAT_VERSION) / name
    model_folder.write(
        golden,
        run=with_bare_file_names(trained.run),
        subwords=trained.subwords,
        model_state=trained.load_model().state_dict(),
        metrics=trained.metrics,
    )
    translations = [
        {
            "source": translation.source,
            "hypotheses": [
                {
                    "text": hypothesis.text,
                    "score": hypothesis.score,
                    "log_probability": hypothesis.log_probability,
                    "pieces": " ".join(hypothesis.pieces),
                    "alignment": " ".join(f"{source}-{target}" for source, target in hypothesis.alignment),
                }
                for hypothesis in translation.hypotheses
            ],
        }
        for translation in Translator.load(golden, device="cpu").translate(LINES, beam_size=4, n_best=2)
    ]
    record = json.dumps(translations, ensure_ascii=False, indent=1) + "\n"
    (golden.parent / f"{name}.json").write_text(record, encoding="utf-8")


def with_bare_file_names(run: RunSettings) -> RunSettings:
    """Return the run with file names instead of paths, so that it contains no folders of this machine."""
    names = {name: Path(value.name) for name, value in run.data if isinstance(value, Path)}
    return run.model_copy(update={"data": run.data.model_copy(update=names)})


if __name__ == "__main__":
    for name in MODELS:
        with tempfile.TemporaryDirectory() as folder:
            make_golden(name, Path(folder) / "work")
