"""Sampled subwords are part of an exact resume: every process and every folder of prepared text has the same."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from nmt_lstm.config.load import dump_toml
from nmt_lstm.errors import ConfigurationError
from nmt_lstm.training.fit import fit
from nmt_lstm.training.run_identity import check_same_run, run_identity

QUIET = Console(quiet=True)
SAMPLED = (
    "subwords.sampling=0.2",
    "model.word_dropout=0.1",
    "training.ema=0.9",
    "training.patience=50",
    "training.checkpoint_every=3",
)
SCRIPT = """
import os, signal, sys
from pathlib import Path
from rich.console import Console
from nmt_lstm.config.load import load_run
from nmt_lstm.training.fit import fit
from nmt_lstm.training.fit_callback import FitCallback

original = FitCallback.on_train_batch_end

def dying(self, trainer, *arguments):
    if trainer.global_step == 5:
        os.kill(os.getpid(), signal.SIGKILL)
    original(self, trainer, *arguments)

FitCallback.on_train_batch_end = dying
fit(load_run(sys.argv[1]), Path(sys.argv[2]), console=Console(quiet=True))
"""


def test_a_killed_run_whose_sampled_text_was_deleted_resumes_exactly(
    make_small_run: Any, tmp_path: Path
) -> None:
    fit(
        make_small_run(*SAMPLED, f"data.prepared={tmp_path / 'one'}"),
        tmp_path / "uninterrupted",
        console=QUIET,
    )
    run = make_small_run(*SAMPLED, f"data.prepared={tmp_path / 'other'}")
    (tmp_path / "run.toml").write_text(dump_toml(run), encoding="utf-8")
    command = [sys.executable, "-c", SCRIPT, str(tmp_path / "run.toml"), str(tmp_path / "killed")]
    assert subprocess.run(command, check=False).returncode == -signal.SIGKILL
    for store in (tmp_path / "other").glob("*/sampled-*"):
        store.rename(tmp_path / store.name)
    fit(run, tmp_path / "killed", resume=True, console=QUIET)
    weights = [(tmp_path / name / "model.safetensors").read_bytes() for name in ("uninterrupted", "killed")]
    assert weights[0] == weights[1]


def test_a_run_cannot_be_resumed_with_different_sampling(tiny_run: Any, subwords: Any) -> None:
    def identity(sampling: float) -> dict[str, Any]:
        settings = tiny_run.subwords.model_copy(update={"sampling": sampling})
        changed = tiny_run.model_copy(update={"subwords": settings}).model_dump(mode="json")
        return run_identity(changed, plugins={}, subwords=subwords, fingerprint="text", requested={})

    with pytest.raises(ConfigurationError, match="sampling was 0.1 and is 0.2") as caught:
        check_same_run(identity(0.1), identity(0.2), path=Path("last.ckpt"))
    assert (caught.value.key, caught.value.value) == ("subwords.sampling", 0.2)
    earlier = identity(0.1)
    del earlier["settings"]["subwords"]  # checkpoints of earlier versions
    check_same_run(earlier, identity(0.2), path=Path("last.ckpt"))
