"""Writing the model folder during and after a training."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from nmt_lstm.checkpoint import model_folder
from nmt_lstm.config.schema import RunSettings
from nmt_lstm.errors import ResourceError
from nmt_lstm.files.parsing import parse_json
from nmt_lstm.files.regular import read_regular
from nmt_lstm.text.subwords import Subwords
from nmt_lstm.training.clock import Clock
from nmt_lstm.training.validation import ValidationResult

__all__ = ["ModelWriter"]


class ModelWriter:
    """Writes weights with what belongs to them into the run's folder."""

    def __init__(self, *, run: RunSettings, folder: Path, subwords: Subwords, clock: Clock) -> None:
        self.run = run
        self.folder = folder
        self.subwords = subwords
        self.clock = clock

    def written(self) -> dict[str, Any]:
        """Return the metrics in the folder, as `write` put them there."""
        metrics: dict[str, Any] = parse_json(read_regular(self.folder / "metrics.json"))
        return metrics

    def write(
        self, state: Mapping[str, Tensor], result: ValidationResult, beam_size: int, steps: list[int]
    ) -> None:
        """Write the model folder; the model before it stays whole until this one is.

        Raises:
            ResourceError: the disk is full or cannot be written.
        """
        metrics: dict[str, Any] = {
            "validation": result.record(beam_size),
            "weights_of_steps": steps,
            "training_seconds": round(self.clock.elapsed(), 1),
        }
        try:
            model_folder.write(
                self.folder, run=self.run, subwords=self.subwords, model_state=state, metrics=metrics
            )
        except OSError as problem:
            raise ResourceError(
                f"cannot write the model folder '{self.folder}' ({problem.strerror or problem}); what was saved before "
                f"is whole: free some space, then continue with --resume."
            ) from problem
