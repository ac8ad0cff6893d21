"""``batch_pieces = "auto"``: what suits the text, or what fits into memory; recorded, so that resuming never measures."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from nmt_lstm.checkpoint.model_folder import ModelFolder
from nmt_lstm.config.load import dump_toml, make_run
from nmt_lstm.errors import ConfigurationError
from nmt_lstm.training import batch_budget
from nmt_lstm.training.batch_budget import budget_that_fits
from nmt_lstm.training.fit import fit

MIB = 1 << 20
QUIET = Console(quiet=True)


def linear(fixed: int, per_piece: int, tried: list[int] | None = None, largest: int = 1 << 40) -> Any:
    """Steps that need so many bytes, and fail above `largest`."""

    def measure(pieces: int) -> int:
        if tried is not None:
            tried.append(pieces)
        needed = fixed + per_piece * pieces
        if needed > largest:
            raise MemoryError
        return needed

    return measure


def test_the_number_that_suits_the_text_is_used_if_it_fits() -> None:
    tried: list[int] = []
    choice = budget_that_fits(8_000, linear(10 * MIB, 1_000, tried), 1_000 * MIB)
    assert choice.pieces == 8_000
    assert max(tried) == 2_000, "a step that may not fit is never tried"


def test_fewer_pieces_are_used_if_memory_is_short() -> None:
    choice = budget_that_fits(8_000, linear(10 * MIB, 100_000), 500 * MIB)
    # 0.7 of 500 MiB, without the fixed 10 MiB.
    assert choice.pieces == 3_500
    assert "accumulate = 3" in choice.sentence


@pytest.mark.parametrize("available", [70 * MIB, 30 * MIB, 1])
def test_trials_that_do_not_fit_end_the_search(available) -> None:
    measure = linear(10 * MIB, 100_000, largest=available)
    choice = budget_that_fits(8_000, measure, available)
    assert 1 <= choice.pieces <= 500
    assert choice.pieces == 1 or measure(choice.pieces) <= available


def test_noise_in_small_measurements_does_not_matter() -> None:
    sizes = iter([50 * MIB, 48 * MIB, 49 * MIB])
    assert budget_that_fits(2_000, lambda _: next(sizes), 1_000 * MIB).pieces == 2_000


def test_other_errors_of_a_trial_are_raised() -> None:
    def broken(pieces: int) -> int:
        raise RuntimeError("shapes do not match")

    with pytest.raises(RuntimeError, match="shapes"):
        budget_that_fits(8_000, broken, 1_000 * MIB)


def test_the_number_is_recorded_and_a_resumed_run_does_not_measure(
    make_small_run: Any, output: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def settings(steps: int) -> Any:
        return make_small_run("training.batch_pieces=auto", f"training.max_steps={steps}")

    monkeypatch.setattr(batch_budget, "available_memory", lambda device: 40 * MIB)
    fit(settings(2), output, console=QUIET)
    number = ModelFolder.read(output).run.training.batch_pieces
    assert isinstance(number, int)
    assert 1 <= number < 1_000, "1,000 suit a text of 400 pairs"

    def measures(*_: Any) -> Any:
        raise AssertionError("measured again")

    monkeypatch.setattr(batch_budget, "budget_that_fits", measures)
    assert fit(settings(4), output, console=QUIET, resume=True).steps == 4
    assert ModelFolder.read(output).run.training.batch_pieces == number
    # Before its first checkpoint, a run has only the record.
    for file in (output / "checkpoints").glob("*.ckpt"):
        file.unlink()
    fit(settings(3), output, console=QUIET, resume=True)
    assert ModelFolder.read(output).run.training.batch_pieces == number
    with pytest.raises(ConfigurationError) as caught:
        fit(
            make_small_run("training.batch_pieces=77", "training.max_steps=9"),
            output,
            console=QUIET,
            resume=True,
        )
    assert caught.value.key == "training.batch_pieces", str(caught.value)


def test_a_stream_needs_a_number() -> None:
    values = {
        "data": {"stream": "-", "valid_source": "v.de", "valid_target": "v.en"},
        "subwords": {"model": "pieces"},
        "training": {"validate_every": 5, "max_steps": 9, "batch_pieces": "auto"},
    }
    with pytest.raises(ConfigurationError, match="batch_pieces"):
        make_run(values)


@pytest.mark.parametrize("value", ["many", "0", "1.5", "true"])
def test_other_values_are_one_problem(make_small_run: Any, value: str) -> None:
    with pytest.raises(ConfigurationError, match=r"auto") as caught:
        make_small_run(f"training.batch_pieces={value}")
    assert str(caught.value).count("batch_pieces") == 1


LIMITED = """
import resource, sys
sys.argv = ["nmt-lstm", *sys.argv[2:]]
from pathlib import Path
import torch, pytorch_lightning  # their address space is no matter
import nmt_lstm.training.fit
import nmt_lstm.cli.app
size = int(next(line for line in open("/proc/self/status") if line.startswith("VmSize")).split()[1]) << 10
limit = size + (int(LIMIT) << 20)
resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
sys.exit(nmt_lstm.cli.app.main())
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="macOS does not enforce RLIMIT_AS")
@pytest.mark.long
def test_a_run_under_a_limit_of_its_memory_trains(make_small_run: Any, tmp_path: Path) -> None:
    run = make_small_run(
        "training.batch_pieces=auto", "training.epochs=1", "model.encoder.hidden_size=512",
        "model.decoder.hidden_size=512", "model.decoder.wiring=input_feeding",
    )  # fmt: skip
    (tmp_path / "run.toml").write_text(dump_toml(run), encoding="utf-8")
    program = LIMITED.replace("int(LIMIT)", "1100")
    finished = subprocess.run(
        [sys.executable, "-c", program, "", "train", "run.toml", "-o", "out"],
        cwd=tmp_path, capture_output=True, text=True, check=False, timeout=300,
        env={**os.environ, "GLIBC_TUNABLES": "glibc.malloc.tcache_count=0"},
    )  # fmt: skip
    assert finished.returncode == 0, finished.stderr
    assert "split batches" not in finished.stderr
