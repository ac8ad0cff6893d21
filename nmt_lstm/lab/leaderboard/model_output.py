"""Translating a test set with a model folder, and the facts in the folder."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

import torch
from pydantic import BaseModel

from nmt_lstm.checkpoint import model_folder
from nmt_lstm.checkpoint.model_folder import ModelFolder
from nmt_lstm.config.load import dump_toml
from nmt_lstm.config.schema import RunSettings
from nmt_lstm.errors import ConfigurationError
from nmt_lstm.inference.requests import tagged
from nmt_lstm.inference.translator import Translator
from nmt_lstm.lab.leaderboard.record import Facts
from nmt_lstm.lab.leaderboard.test_sets import TestSet
from nmt_lstm.numerics.processor import processor_name
from nmt_lstm.plain_text import count_of
from nmt_lstm.text.tags import tag_pieces

__all__ = ["ModelOutput"]

logger = logging.getLogger(__name__)

DataTable = TypeVar("DataTable", bound=BaseModel)


class ModelOutput:
    """A model, or an ensemble, that translates test sets; its weights are loaded on first use.

    Args:
        folders: the model folders.
        beam_size: hypotheses per sentence; None is the default of the model.
        tag: a piece in front of every source line; empty for none.
        batch_size: sentences translated together.
        device: "auto", "cpu", "cuda" or "cuda:N".
        precision: "auto", "float32", "bf16" or "fp16".

    Raises:
        ConfigurationError: the model does not have the tag.
        ModelFolderError: a folder is missing or damaged.
    """

    def __init__(
        self,
        folders: Sequence[str | Path],
        *,
        beam_size: int | None,
        tag: str = "",
        batch_size: int,
        device: str,
        precision: str,
    ) -> None:
        self._folders = list(folders)
        self._opened: list[ModelFolder] = [model_folder.read(folder) for folder in folders]
        self._device, self._precision = device, precision
        self._batch_size = batch_size
        self._tag = tag
        tag_pieces(self._opened[0].subwords.source, tag)
        self._beam_size = beam_size or self._opened[0].run.search.beam_size
        self._translator: Translator | None = None

    @property
    def name(self) -> str:
        """The default name of the system, which is that of the folder."""
        return "+".join(Path(folder).absolute().name for folder in self._folders)

    @property
    def direction(self) -> tuple[str, str]:
        """Source and target language; empty if the run does not say."""
        data = self._opened[0].run.data
        return data.source_language, data.target_language

    def check_direction(self, test_set: TestSet) -> None:
        """Raise ConfigurationError if a language of the model differs from that of the test set."""
        if not self.fits(test_set.source_language, test_set.target_language):
            raise ConfigurationError(
                f"the model translates {'-'.join(self.direction)}, but test set '{test_set.name}' is "
                f"{test_set.direction or test_set.source_language + '-' + test_set.target_language}; "
                f"name a test set with the direction of the model."
            )

    def fits(self, source_language: str, target_language: str) -> bool:
        """Whether the languages match; unknown ones match all."""
        pairs = zip(self.direction, (source_language, target_language), strict=True)
        return all(not own or not other or _base(own) == _base(other) for own, other in pairs)

    def matches(self, facts: Facts) -> bool:
        """Whether facts describe an output of this model with this search."""
        own = self._weights(), self._beam_size, self._tag
        return (facts.models, facts.beam_size, facts.tag) == own and (
            self._precision == "auto" or facts.precision == self._precision
        )

    def translate(self, test_set: TestSet) -> tuple[list[str], Facts]:
        """Translate a test set, and return the output and the facts.

        Raises:
            ModelFolderError: the model needs a plugin that is not installed.
            ResourceError: the device is missing, or there is not enough memory.
        """
        if self._translator is None:
            self._translator = Translator.load(self._folders, device=self._device, precision=self._precision)
        start = time.perf_counter()
        translations = self._translator.translate(
            tagged(test_set.sources, self._tag), beam_size=self._beam_size, batch_size=self._batch_size
        )
        seconds = time.perf_counter() - start
        speed = len(translations) / max(seconds, 1e-9)
        logger.info("%s: %d sentences translated in %.1f s (%.0f per second).",
                    test_set.name, len(translations), seconds, speed)  # fmt: skip
        return [translation.text for translation in translations], self._facts(self._translator, speed)

    def _facts(self, translator: Translator, speed: float) -> Facts:
        metrics = [folder.metrics for folder in self._opened]
        runs = [folder.run for folder in self._opened]
        seconds = [each.get("training_seconds") for each in metrics]
        steps = [each.get("weights_of_steps") for each in metrics]
        pieces = [
            max(each) * run.training.batch_pieces if each else None
            for each, run in zip(steps, runs, strict=True)
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
            tag=self._tag,
            run_files=tuple(dump_toml(_without_folders(run)) for run in runs),
        )

    def _weights(self) -> tuple[str, ...]:
        return tuple(folder.weights_sha256 for folder in self._opened)


def _without_folders(run: RunSettings) -> RunSettings:
    """Return a run with file names instead of paths: a board should not reveal the folders of its authors."""
    return run.model_copy(update={"data": _with_names(run.data)})


def _with_names(table: DataTable) -> DataTable:
    """Return a table with file names instead of paths, also in its lists of paths and tables."""
    update: dict[str, Any] = {}
    for name, value in table:
        if isinstance(value, Path):
            update[name] = Path(value.name)
        elif isinstance(value, tuple):
            update[name] = tuple(
                Path(each.name)
                if isinstance(each, Path)
                else _with_names(each)
                if isinstance(each, BaseModel)
                else each
                for each in value
            )
    return table.model_copy(update=update)


def _base(code: str) -> str:
    """Return a language code without its region: "pt" for "pt_BR"."""
    return code.lower().replace("_", "-").partition("-")[0]


def _hardware(device: torch.device) -> str:
    """Return the name of the GPU, or of the processor with its number of threads."""
    if device.type == "cuda":
        return str(torch.cuda.get_device_name(device))
    threads = torch.get_num_threads()
    return f"{processor_name()}, {count_of(threads, 'thread')}"
