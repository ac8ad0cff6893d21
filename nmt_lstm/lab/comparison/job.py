"""One run of a comparison: training, translation of the test text, and their results."""

from __future__ import annotations

import math
import resource
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, TextIO

import torch
from rich.console import Console

from nmt_lstm.config.load import load_run
from nmt_lstm.files.checksums import sha256_of_content
from nmt_lstm.inference.requests import tagged
from nmt_lstm.inference.translator import Translator
from nmt_lstm.lab.comparison.folder import RunFiles, write_result, write_text
from nmt_lstm.lab.comparison.run_result import CurvePoint, RunResult, TrainingResult
from nmt_lstm.lab.experiment.job import Job
from nmt_lstm.registry.provenance import trust_folder
from nmt_lstm.text.text_file import read_lines
from nmt_lstm.training.diagnosis import ValidationPoint
from nmt_lstm.training.fit import fit
from nmt_lstm.training.progress import duration

__all__ = ["ComparisonJob", "curve_points", "peak_bytes", "training_speed"]

_WARM_UP_LINES = 64
_VALIDATION = "validation at step "


@dataclass(frozen=True)
class ComparisonJob(Job[RunResult]):
    """A run; training and translation are each done only once."""

    memory_advice: ClassVar[str] = "lower training.batch_pieces, or --jobs"

    files: RunFiles
    test_source: Path
    tag: str = ""
    """The piece in front of every source line."""

    def perform(self, report: Callable[[str], None]) -> RunResult:
        """Train and translate, unless that is done; validations are reported.

        Raises:
            NmtLstmError: the run failed.
            TrainingInterrupted: a signal was received during training; a checkpoint was saved.
        """
        files = self.files
        training = files.read_training() or _train(files, report)
        lines = tagged(list(read_lines(self.test_source)), self.tag)
        trust_folder(files.model)  # written by this comparison, with the settings of its user
        translator = Translator.load(files.model)
        # The first sentences are slow: memory and kernels are set up for them.
        translator.translate(lines[:_WARM_UP_LINES])
        begin = time.perf_counter()
        texts = [translation.text for translation in translator.translate(lines)]
        seconds = time.perf_counter() - begin
        translations = "".join(f"{text}\n" for text in texts)
        write_text(files.translations, translations)
        result = RunResult(
            training=training,
            translate_seconds=seconds,
            sentences=len(texts),
            beam_size=translator.run.search.beam_size,
            translations_sha256=sha256_of_content(translations),
        )
        write_result(files.result, result)
        return result

    def outcome(self, result: RunResult) -> str:
        """Return how long the training took."""
        return f"done, trained in {duration(result.training.seconds)}"


class _ReportingStream:
    """A text stream that also reports the lines about validations."""

    def __init__(self, report: Callable[[str], None], stream: TextIO) -> None:
        self._report, self._stream = report, stream

    def write(self, text: str) -> int:
        for line in text.splitlines():
            if line.startswith(_VALIDATION):
                self._report(line.strip())
        return self._stream.write(text)

    def flush(self) -> None:
        self._stream.flush()


def _train(files: RunFiles, report: Callable[[str], None]) -> TrainingResult:
    run = load_run(files.settings)
    console = Console(file=_ReportingStream(report, sys.stderr))  # type: ignore[arg-type]
    result = fit(run, files.model, resume=True, console=console)
    gpu = int(torch.cuda.max_memory_allocated()) if torch.cuda.is_available() else 0
    training = TrainingResult(
        steps=result.steps,
        epochs=result.epochs,
        seconds=result.seconds,
        reason=result.reason,
        parameters=result.parameters,
        fingerprint=result.fingerprint,
        validation=result.metrics,
        pieces_per_second=training_speed(result.curve),
        peak_bytes=peak_bytes(),
        device_bytes=gpu or None,
        device=torch.cuda.get_device_name(0) if gpu else "CPU",
        threads=torch.get_num_threads(),
        curve=curve_points(result.curve),
    )
    write_result(files.training, training)
    return training


def curve_points(curve: Sequence[ValidationPoint]) -> list[CurvePoint]:
    """Return the validations of a training run, except those from earlier versions, which logged only the loss."""
    return [
        CurvePoint(step=point.step, seconds=point.seconds, loss=point.loss, bleu=point.bleu, chrf=point.chrf)
        for point in curve
        if not math.isnan(point.bleu)
    ]


def training_speed(curve: Sequence[ValidationPoint]) -> float:
    """Return target pieces per second, as the median over the intervals between validations; 0 if unknown."""
    speeds = [point.pieces_per_second for point in curve if not math.isnan(point.pieces_per_second)]
    return statistics.median(speeds) if speeds else 0.0


def peak_bytes() -> int:
    """Return the peak resident memory of this process."""
    try:
        # getrusage also counts the memory of the parent at the time it started this process.
        with Path("/proc/self/status").open(encoding="ascii") as status:
            for line in status:
                if line.startswith("VmHWM:"):
                    return int(line.split()[1]) * 1024
    except OSError:
        pass
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
