"""Marian in the comparison: its options for the network closest to the shared one."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import peer_toolkit as shared
from peer_environments import Requirements
from peer_marian_model import END, UNKNOWN
from peer_process import Command
from peer_toolkit import SplitText, Training, Translation

RECORDER = Path(__file__).with_name("peer_marian_recorded.py")
FIXED_LENGTH = Path(__file__).with_name("peer_marian_length.py")
REQUIREMENTS = Requirements(
    "marian",
    "pymarian==1.12.42",
    # It always imports these, though only its metrics need them.
    ("huggingface_hub==2.4.0", "portalocker==4.4.2", "pyyaml==6.0.4", "requests==2.34.2", "tqdm==4.70.1"),
    uses_torch=False,
)


@dataclass(frozen=True)
class Marian:
    """Marian 1.12.42, the wheel pymarian: one width for each direction of the encoder and for the decoder.

    Args:
        name: name in the tables.
        width: size of all its LSTM cells.
    """

    name: str = "Marian 1.12.42"
    width: int = shared.DECODER
    requirements: Requirements = REQUIREMENTS

    def help_command(self, python: Path) -> Command:
        """``pymarian --help``."""
        return Command((python.with_name("pymarian"), "--help"))

    def train_command(self, python: Path, training: Training) -> Command:
        """Write its configuration (JSON is YAML) and train on text in pieces."""
        configuration = training.folder / "train.yaml"
        configuration.write_text(json.dumps(self._settings(training), indent=1), "utf-8")
        return Command((python, "-P", RECORDER, training.record, "--config", configuration))

    def checkpoints(self, folder: Path) -> list[Path]:
        """model.iterN.npz."""
        return shared.by_age(folder, "model.iter*.npz")

    def translate_command(self, python: Path, translation: Translation) -> Command:
        """``pymarian decode``, or its Python interface if the length is fixed."""
        # A converted model is in the folder of the original, which has its vocabulary.
        vocabulary = str(vocabulary_of(translation.model.parent))
        words = [
            *("--models", str(translation.model), "--vocabs", vocabulary, vocabulary),
            *("--beam-size", str(translation.beam_size), "--normalize", "1"),
            *("--mini-batch", str(shared.TRANSLATED_AT_ONCE), "--cpu-threads", "1", "--data-threads", "1"),
            *("--quiet", "--quiet-translation"),
        ]
        if translation.length is not None:
            counts = (str(translation.length), str(shared.TRANSLATED_AT_ONCE))
            files = (translation.source, translation.output)
            return Command((python, "-P", FIXED_LENGTH, *counts, *files, *words))
        words += ["--maxi-batch", "100", "--maxi-batch-sort", "src", "--max-length", "250"]
        files = ("--input", translation.source, "--output", translation.output)
        return Command((python.with_name("pymarian"), "decode", *files, *words))

    def convert_command(self, python: Path, model: Path, output: Path) -> Command:
        """``pymarian convert`` to 8-bit weights."""
        files = ("--from", model, "--to", output)
        return Command((python.with_name("pymarian"), "convert", *files, "--gemm-type", "intgemm8"))

    def _settings(self, training: Training) -> dict[str, object]:
        text = training.text
        vocabulary = str(_write_vocabulary(text, training.folder))
        return {
            "model": str(training.folder / "model.npz"),
            "tempdir": str(training.folder),
            "train-sets": [str(text.side("train.source")), str(text.side("train.target"))],
            "vocabs": [vocabulary, vocabulary],
            "type": "s2s",
            "dim-emb": shared.EMBEDDING,
            "dim-rnn": self.width,
            "enc-type": "bidirectional",
            "enc-cell": "lstm",
            "enc-depth": 1,
            "dec-cell": "lstm",
            "dec-depth": 1,
            # The context enters the second cell of a step, which resembles input feeding. With one cell it goes to the
            # output alone.
            "dec-cell-base-depth": 2 if training.input_feeding else 1,
            "layer-normalization": False,
            "tied-embeddings-all": True,
            "dropout-rnn": shared.DROPOUT,
            "label-smoothing": shared.LABEL_SMOOTHING,
            "cost-type": "ce-mean-words",
            "optimizer": "adam",
            "optimizer-params": [0.9, 0.999, 1e-8],
            "learn-rate": shared.LEARNING_RATE,
            "clip-norm": shared.CLIP_NORM,
            "mini-batch": shared.BATCH_SENTENCES,
            "mini-batch-round-up": False,
            # One pass is sorted at a time, so that the batches of each pass have the same pairs.
            "maxi-batch": -(-text.pairs // shared.BATCH_SENTENCES),
            "max-length": 250,
            "after-batches": training.steps,
            "save-freq": f"{training.save_every}u",
            # A line for each update, for the recorder.
            "disp-freq": "1u",
            "cpu-threads": 1,
            "data-threads": 1,
            "seed": 1,
        }


def vocabulary_of(folder: Path) -> Path:
    """Return the vocabulary file of a training run."""
    return folder / "vocabulary.yml"


def _write_vocabulary(text: SplitText, folder: Path) -> Path:
    """Write the number of each piece, the end of a sentence first (JSON is YAML)."""
    with text.vocabulary.open(encoding="utf-8", newline="\n") as stream:
        pieces = [END, UNKNOWN, *(line.rstrip("\n") for line in stream)]
    path = vocabulary_of(folder)
    numbers = {piece: number for number, piece in enumerate(pieces)}
    path.write_text(json.dumps(numbers, ensure_ascii=False, indent=0), "utf-8")
    return path
