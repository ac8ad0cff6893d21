"""Translating a test set with a model folder, and what the folder knows of its model."""

from __future__ import annotations

import logging
import math
import platform
import time
from collections.abc import Sequence
from pathlib import Path

import torch

from nmt_lstm.checkpoint import model_folder
from nmt_lstm.checkpoint.model_folder import ModelFolder
from nmt_lstm.config.load import dump_toml
from nmt_lstm.config.schema import RunSettings
from nmt_lstm.errors import ConfigurationError
from nmt_lstm.inference.translator import Translator
from nmt_lstm.lab.leaderboard.record import Facts
from nmt_lstm.lab.leaderboard.test_sets import TestSet

__all__ = ["ModelOutput"]

logger = logging.getLogger(__name__)


class ModelOutput:
    """One model, or an ensemble, that translates test sets; its weights are loaded when the first is translated.

    Args:
        folders: the model folders.
        beam_size: None is the model's own.
        batch_size: sentences translated together.
        device: "auto", "cpu", "cuda" or "cuda:N".
        precision: "auto", "float32", "bf16" or "fp16".

    Raises:
        ModelFolderError: a folder is missing or damaged.
    """

    def __init__(
        self,
        folders: Sequence[str | Path],
        *,
        beam_size: int | None,
        batch_size: int,
        device: str,
        precision: str,
    ) -> None:
        self._folders = list(folders)
        self._opened: list[ModelFolder] = [model_folder.read(folder) for folder in folders]
        self._device, self._precision = device, precision
        self._batch_size = batch_size
        self._beam_size = beam_size or self._opened[0].run.search.beam_size
        self._translator: Translator | None = None

    @property
    def name(self) -> str:
        """The name that the system has unless it is given another: that of the folder."""
        return "+".join(Path(folder).absolute().name for folder in self._folders)

    @property
    def direction(self) -> tuple[str, str]:
        """Source and target language of the run; empty where it does not say."""
        data = self._opened[0].run.data
        return data.source_language, data.target_language

    def check_direction(self, test_set: TestSet) -> None:
        """Refuse a test set of another direction.

        Raises:
            ConfigurationError: a language of the model's is another than the test set's.
        """
        if not self.fits(test_set.source_language, test_set.target_language):
            raise ConfigurationError(
                f"the model translates {'-'.join(self.direction)}, but test set '{test_set.name}' is "
                f"{test_set.direction or test_set.source_language + '-' + test_set.target_language}; "
                f"name a test set of the model's direction."
            )

    def fits(self, source_language: str, target_language: str) -> bool:
        """Whether no language that both sides know of differs."""
        pairs = zip(self.direction, (source_language, target_language), strict=True)
        return all(not ours or not theirs or _same(ours, theirs) for ours, theirs in pairs)

    def made(self, facts: Facts) -> bool:
        """Whether facts are those of an output of this model with this search."""
        return (facts.models, facts.beam_size) == (self._weights(), self._beam_size) and (
            self._precision == "auto" or facts.precision == self._precision
        )

    def translate(self, test_set: TestSet) -> tuple[list[str], Facts]:
        """Translate a test set; return its output and the facts.

        Raises:
            ModelFolderError: the model needs a plugin that is not installed.
            ResourceError: the device is not there, or memory does not suffice.
        """
        if self._translator is None:
            self._translator = Translator.load(self._folders, device=self._device, precision=self._precision)
        start = time.perf_counter()
        found = self._translator.translate(
            test_set.sources, beam_size=self._beam_size, batch_size=self._batch_size
        )
        seconds = time.perf_counter() - start
        speed = len(found) / max(seconds, 1e-9)
        logger.info("%s: %d sentences translated in %.1f s (%.0f per second).",
                    test_set.name, len(found), seconds, speed)  # fmt: skip
        return [translation.text for translation in found], self._facts(self._translator, speed)

    def _facts(self, translator: Translator, speed: float) -> Facts:
        metrics = [folder.metrics for folder in self._opened]
        runs = [folder.run for folder in self._opened]
        seconds = [found.get("training_seconds") for found in metrics]
        steps = [found.get("weights_of_steps") for found in metrics]
        pieces = [
            max(found) * run.training.batch_pieces if found else None
            for found, run in zip(steps, runs, strict=True)
        ]
        seeds = {run.seed for run in runs}
        return Facts(
            toolkit="nmt-lstm",
            parameters=sum(folder.manifest.parameters for folder in self._opened),
            training_pieces=sum(each for each in pieces if each) if all(pieces) else None,
            training_hours=round(sum(each for each in seconds if each) / 3600, 4) if all(seconds) else None,
            sentences_per_second=float(f"{speed:.3g}") if math.isfinite(speed) else None,
            hardware=_hardware(translator.device),
            seed=seeds.pop() if len(seeds) == 1 else None,
            beam_size=self._beam_size,
            batch_size=self._batch_size,
            precision=translator.precision,
            models=self._weights(),
            versions=dict(self._opened[0].manifest.versions),
            run_files=tuple(dump_toml(_without_folders(run)) for run in runs),
        )

    def _weights(self) -> tuple[str, ...]:
        return tuple(folder.weights_sha256 for folder in self._opened)


def _without_folders(run: RunSettings) -> RunSettings:
    """Return a run whose paths are names alone: where text lay on somebody's machine is not the board's to tell."""
    paths = {name: Path(value.name) for name, value in run.data if isinstance(value, Path)}
    return run.model_copy(update={"data": run.data.model_copy(update=paths)})


def _same(one: str, other: str) -> bool:
    """Whether two codes name the same language: "pt" and "pt_BR" do."""
    first, second = (code.lower().replace("_", "-").partition("-")[0] for code in (one, other))
    return first == second


def _hardware(device: torch.device) -> str:
    """Return the name of what computes, and for a processor its threads."""
    if device.type == "cuda":
        return str(torch.cuda.get_device_name(device))
    name = platform.processor() or platform.machine()
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                name = line.partition(":")[2].strip()
                break
    except OSError:
        pass  # not Linux
    threads = torch.get_num_threads()
    return f"{name}, {threads} thread{'s' if threads != 1 else ''}"
