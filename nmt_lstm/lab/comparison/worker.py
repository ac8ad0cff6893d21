"""The process of one run: it trains, translates the test text, and writes down what it came to.

Started by `nmt_lstm.lab.comparison.processes` as ``python -m nmt_lstm.lab.comparison.worker``. Its standard input stays open as
long as whoever started it lives: when that ends, the run ends too, with a checkpoint.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
import time
import traceback
from pathlib import Path

import torch
from rich.console import Console

from nmt_lstm.config.load import load_run
from nmt_lstm.errors import NmtLstmError
from nmt_lstm.inference.translator import Translator
from nmt_lstm.lab.comparison.folder import RunFiles, write_record, write_text
from nmt_lstm.lab.comparison.measurements import curve_points, device_bytes, peak_bytes, training_speed
from nmt_lstm.lab.comparison.run_result import RunResult, TrainingResult
from nmt_lstm.registry import load_plugin_file
from nmt_lstm.registry.provenance import trust_folder
from nmt_lstm.text.corpus import read_lines
from nmt_lstm.training.fit import fit

__all__ = ["main", "perform"]

_INTERRUPTED = 130
_WARM_UP_LINES = 64


def perform(files: RunFiles, test_source: Path) -> None:
    """Do what is left to do of a run.

    Raises:
        NmtLstmError: it cannot be done.
        TrainingInterrupted: a signal came during the training; a checkpoint was left.
    """
    training = files.read_training() or _train(files)
    lines = list(read_lines(test_source))
    trust_folder(files.model)  # this comparison wrote it, from settings that its user gave
    translator = Translator.load(files.model)
    # The first sentences of a process wait for memory and kernels that the others find.
    translator.translate(lines[:_WARM_UP_LINES])
    begin = time.perf_counter()
    texts = [translation.text for translation in translator.translate(lines)]
    seconds = time.perf_counter() - begin
    write_text(files.translations, "".join(f"{text}\n" for text in texts))
    write_record(
        files.result,
        RunResult(
            training=training,
            translate_seconds=seconds,
            sentences=len(texts),
            beam_size=translator.run.search.beam_size,
        ),
    )


def _train(files: RunFiles) -> TrainingResult:
    run = load_run(files.settings)
    result = fit(run, files.model, resume=True, console=Console(file=sys.stderr))
    gpu = device_bytes()
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
        device_bytes=gpu,
        device=torch.cuda.get_device_name(0) if gpu else "CPU",
        threads=torch.get_num_threads(),
        curve=curve_points(result.curve),
    )
    write_record(files.training, training)
    return training


def main(arguments: list[str] | None = None) -> int:
    """Run one run of a comparison and return the exit status."""
    parser = argparse.ArgumentParser(description="One run of a comparison.")
    parser.add_argument("model", type=Path)
    parser.add_argument("records", type=Path)
    parser.add_argument("test_source", type=Path)
    parser.add_argument("--plugin", action="append", default=[])
    chosen = parser.parse_args(arguments)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        for plugin in chosen.plugin:
            load_plugin_file(plugin)
        perform(RunFiles(chosen.model, chosen.records), chosen.test_source)
    except NmtLstmError as problem:
        return _fail(str(problem), problem.exit_status)
    except KeyboardInterrupt:
        return _INTERRUPTED
    except MemoryError:
        return _fail("not enough memory; lower training.batch_pieces, or --jobs.", 1)
    except Exception as problem:  # noqa: BLE001 - a plugin may fail in any way; the other runs go on
        traceback.print_exc()
        return _fail(f"{type(problem).__name__}: {' '.join(str(problem).split()) or 'no message'}", 1)
    return 0


def _fail(message: str, status: int) -> int:
    sys.stderr.write(f"nmt-lstm: error: {message}\n")
    return status


def _end_with_parent() -> None:
    """Wait for the end of standard input, and then ask this process to stop in good order."""
    # Not through sys.stdin: a thread that waits in it disturbs the end of the interpreter.
    while os.read(0, 1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    sys.exit(main())
