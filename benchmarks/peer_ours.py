"""nmt-lstm in the comparison: its settings for the shared network."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import peer_toolkit as shared
from peer_process import Command
from peer_text import SUBWORDS
from peer_toolkit import SplitText, Training, Translation
from text import Text, data_overrides

Settings = dict[str, str]


@dataclass(frozen=True)
class Ours:
    """nmt-lstm: the encoder size counts each direction; the output layer is as wide as the embeddings.

    Args:
        name: name in the tables.
        network: model settings besides the shared ones.
        text: the training text.
        prepared: folder for prepared text.
        precision: precision in training; auto is the default of users.
    """

    name: str
    network: Settings
    text: Text
    prepared: Path
    precision: str = "auto"

    def help_command(self) -> Command:
        """``nmt-lstm --help``."""
        return Command((sys.executable, "-m", "nmt_lstm", "--help"))

    def settings(self, whole: SplitText, *, input_feeding: bool) -> Settings:
        """Return the settings of a training run, by their keys in a run file."""
        return {
            **SUBWORDS,
            **data_overrides(self.text, self.prepared),
            "seed": "1",
            "model.dropout": str(shared.DROPOUT),
            "model.encoder.hidden_size": str(shared.DIRECTION),
            "model.decoder.hidden_size": str(shared.DECODER),
            "model.decoder.wiring": "input_feeding" if input_feeding else "gnmt",
            "model.attention.name": "bilinear",
            **self.network,
            "training.precision": self.precision,
            "training.label_smoothing": str(shared.LABEL_SMOOTHING),
            "training.clip_norm": str(shared.CLIP_NORM),
            "training.optimizer.learning_rate": str(shared.LEARNING_RATE),
            # The average number of pieces in the batches of the others.
            "training.batch_pieces": str(round(shared.BATCH_SENTENCES * whole.target_pieces / whole.pairs)),
            "training.tensorboard": "false",
        }

    def train_command(self, training: Training, extra: Settings) -> Command:
        """``nmt-lstm train`` with the recorder around it."""
        settings = {**self.settings(training.text, input_feeding=training.input_feeding), **extra}
        words = [word for key, value in settings.items() for word in ("--set", f"{key}={value}")]
        text = self.text
        files = ("-s", text.train_source, "-t", text.train_target)
        valid = ("--valid-source", text.valid_source, "--valid-target", text.valid_target)
        return Command(
            shared.recorded(
                Path(sys.executable), training.record, "nmt_lstm", "train", *files, *valid,
                "-o", training.folder / "model", *words,
            )
        )  # fmt: skip

    def export_command(self, model: Path, output: Path, *words: str) -> Command:
        """``nmt-lstm export``."""
        return Command(
            (sys.executable, "-m", "nmt_lstm", "export", "-m", model, "-o", output, "--overwrite", *words)
        )

    def translate_command(self, translation: Translation) -> Command:
        """``nmt-lstm translate``."""
        files = ("-m", translation.model, "-i", translation.source, "-o", translation.output)
        search = ("--beam-size", str(translation.beam_size), "--batch-size", str(shared.TRANSLATED_AT_ONCE))
        return Command((sys.executable, "-m", "nmt_lstm", "translate", *files, *search))


def variants(text: Text, prepared: Path) -> list[Ours]:
    """Return the variants: with defaults, in float32, and with an output layer as wide as that of the others."""
    narrow = {"model.embedding_size": str(shared.EMBEDDING), "model.tied_embeddings": "none"}
    wide = {"model.embedding_size": str(shared.DECODER), "model.tied_embeddings": "all"}
    return [
        Ours("nmt-lstm", narrow, text, prepared),
        Ours("nmt-lstm, float32", narrow, text, prepared, "float32"),
        Ours("nmt-lstm, wide output", wide, text, prepared),
    ]


def pieces_of_steps(settings: Settings, steps: int) -> list[int]:
    """Return the target pieces in each of the first steps, with ends of sentences, from the plan of batches.

    Call this with `in_process`: it imports torch.
    """
    from nmt_lstm.batching.loader import plan_batches
    from nmt_lstm.config.load import make_run
    from nmt_lstm.text.preparation import prepare

    run = make_run({}, [f"{key}={value}" for key, value in settings.items()])
    store = prepare(run).train
    lengths = store.target.lengths + 1
    pieces: list[int] = []
    for epoch in range(run.training.epochs):
        plan = plan_batches(store, batch_pieces=run.training.batch_pieces, seed=run.seed, epoch=epoch)
        pieces += [int(lengths[plan.pairs(step)].sum()) for step in range(len(plan))]
        if len(pieces) >= steps:
            break
    return pieces[:steps]
