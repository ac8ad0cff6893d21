"""Trains Marian's models of this folder: ``python make_marian.py ENVIRONMENT``, a virtual environment with pymarian 1.12.42."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from make import write_sentencepiece, write_text

HERE = Path(__file__).resolve().parent
MODELS: dict[str, dict[str, Any]] = {
    # The default: the conditional GRU of Nematus, on words.
    "marian-gru": {"vocabulary": "words"},
    # LSTM cells, one joint SentencePiece model, all embeddings tied.
    "marian-lstm": {"enc-cell": "lstm", "dec-cell": "lstm", "tied-embeddings-all": True, "vocabulary": "spm"},
}


def main() -> None:
    """Train, translate, and keep the files that the importer reads."""
    marian = Path(sys.argv[1]) / "bin" / "pymarian"
    for name in sys.argv[2:] or MODELS:
        settings = dict(MODELS[name])
        with tempfile.TemporaryDirectory() as temporary:
            folder = Path(temporary)
            write_text(folder, "de", "en")
            if settings.pop("vocabulary") == "spm":
                write_sentencepiece(folder, marian=True)
                (folder / "joint.model").rename(folder / "joint.spm")
                vocabularies = [folder / "joint.spm"] * 2
            else:
                vocabularies = [write_words(folder, side) for side in ("de", "en")]
            configuration = folder / "train.yml"
            values = {
                "model": str(folder / "model.npz"),
                "tempdir": str(folder),
                "train-sets": [str(folder / "train.de"), str(folder / "train.en")],
                "vocabs": [str(path) for path in vocabularies],
                "type": "s2s",
                "dim-emb": 16,
                "dim-rnn": 20,
                "cost-type": "ce-mean-words",
                "learn-rate": 0.02,
                "optimizer-params": [0.9, 0.999, 1e-8],
                "clip-norm": 1.0,
                "mini-batch": 64,
                "mini-batch-round-up": False,
                "maxi-batch": 60,
                "after-batches": 600,
                "save-freq": "100000u",
                "disp-freq": "100u",
                "cpu-threads": 1,
                "data-threads": 1,
                "seed": 1,
                **settings,
            }
            configuration.write_text(json.dumps(values, indent=1), "utf-8")
            subprocess.run([marian, "train", "--config", configuration, "-w", "300"], check=True)
            output = HERE / name
            shutil.rmtree(output, ignore_errors=True)
            output.mkdir()
            for beam in (1, 4):
                words = (
                    *(
                        "--models",
                        folder / "model.npz",
                        "--vocabs",
                        *vocabularies,
                        "--input",
                        folder / "test.de",
                    ),
                    *("--output", output / f"translations.{beam}.txt", "--beam-size", beam, "--normalize", 1),
                    *("--max-length-factor", 6, "--cpu-threads", 1, "-w", 300, "--quiet"),
                )
                subprocess.run([marian, "decode", *map(str, words)], check=True)
            write_scores(
                marian, folder / "model.npz", vocabularies, folder / "test.de", output / "scores.txt"
            )
            for path in (folder / "model.npz", *dict.fromkeys(vocabularies)):
                shutil.copy(path, output / path.name)


def write_scores(marian: Path, model: Path, vocabularies: list[Path], source: Path, output: Path) -> None:
    """Write greedy translations with their log-probabilities, separated by a tab."""
    words = (
        *("--models", model, "--vocabs", *vocabularies, "--input", source, "--output", output, "--n-best"),
        *(
            "--beam-size",
            1,
            "--normalize",
            0,
            "--max-length-factor",
            6,
            "--cpu-threads",
            1,
            "-w",
            300,
            "--quiet",
        ),
    )
    subprocess.run([marian, "decode", *map(str, words)], check=True)
    lines = [line.split(" ||| ") for line in output.read_text("utf-8").splitlines()]
    output.write_text("".join(f"{line[1]}\t{line[-1]}\n" for line in lines), "utf-8")


def write_words(folder: Path, side: str) -> Path:
    """Write the vocabulary of a side, in the form of ``marian-vocab``."""
    words = sorted(set((folder / f"train.{side}").read_text("utf-8").split()))
    path = folder / f"vocabulary.{side}.yml"
    numbered = {word: number for number, word in enumerate(["</s>", "<unk>", *words])}
    lines = (f"{json.dumps(word, ensure_ascii=False)}: {number}\n" for word, number in numbered.items())
    path.write_text("".join(lines), "utf-8")
    return path


if __name__ == "__main__":
    main()
