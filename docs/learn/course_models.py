"""The models of the course: texts, trained models and probes in one folder, made on demand."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from memory_task import DISTANCES

ROOT = Path(__file__).resolve().parents[2]
PLUGIN = ("--plugin", "docs/learn/last_state.py")
# A cell without gates needs smaller steps on the translation task.
RNN_STEPS = ("--set", "training.optimizer.learning_rate=0.003")
FAR_VARIANTS = {
    "rnn": ("--cell", "rnn"),
    "gru": ("--cell", "gru"),
    "lstm": ("--cell", "lstm"),
    "lstm, forget bias 4": ("--cell", "lstm", "--set", "model.encoder.cell_options.forget_bias=4"),
}
PROBE = ("--tasks", "adding", "--hidden-size", "32", "--jobs", "1", "--time-limit", "10m")


def run(*words: str, text: str | None = None) -> str:
    """Print a command, run it in the folder of the source tree on one thread, and return what it wrote on stdout."""
    print(f"$ {shlex.join(words)}", flush=True)
    module = ("-m", "nmt_lstm") if words[0] == "nmt-lstm" else ()
    command = [sys.executable, *module, *words[1:]]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, cwd=ROOT, env=environment, input=text, stdout=subprocess.PIPE, text=True)
    if done.returncode:
        sys.exit(f"this command failed with status {done.returncode}.")
    return done.stdout


def program(*words: str, text: str | None = None) -> str:
    """Run a command of nmt-lstm and return what it wrote on stdout."""
    return run("nmt-lstm", *words, text=text)


class Course:
    """The models in a folder, made when they are asked for.

    Args:
        folder: where texts, models and probes are kept.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def _path(self, name: str) -> str:
        return str(self.folder / name)

    def _train(self, name: str, *words: str) -> str:
        folder = self._path(name)
        if not (self.folder / name / "metrics.json").exists():
            shutil.rmtree(folder, ignore_errors=True)
            program("train", *words, "-o", folder, "--set", f"data.prepared={self._path('prepared')}")
        return folder

    def memory(self, name: str, *words: str, text: str = "memory", makes: tuple[str, ...] = ()) -> str:
        """Return the folder of a model of the memory task, trained on a text that `makes` says how to write."""
        place = self._path(text)
        if not Path(place, "test-80.out").exists():
            run("python", "docs/learn/memory_task.py", *makes, "-o", place)
        files = [
            f"data.{part}_{side}={place}/{part}.{end}"
            for part in ("train", "valid")
            for side, end in (("source", "in"), ("target", "out"))
        ]
        sets = [word for each in files for word in ("--set", each)]
        return self._train(name, "docs/learn/memory.toml", *PLUGIN, *words, *sets)

    def far(self, variant: str) -> str:
        """Return a model that was trained on far letters alone."""
        makes = ("--shortest", "20", "--longest", "40", "--pairs", "10000")
        name = f"far-{variant.replace(', forget bias ', '-bias-')}"
        return self.memory(name, *FAR_VARIANTS[variant], text="far", makes=makes)

    def few(self, cell: str, pairs: int, seed: int) -> str:
        """Return a model that was trained on few lines, with as many updates as any other."""
        words: tuple[str, ...] = ("--cell", cell, "--seed", str(seed), "--set", "training.epochs=1000")
        words += ("--set", "training.max_steps=300", "--set", "training.validate_every=300")
        return self.memory(
            f"few-{cell}-{pairs}-{seed}", *words, text=f"few-{pairs}", makes=("--pairs", str(pairs))
        )

    def translator(self, name: str) -> str:
        """Return a model that translates the built-in corpus: rnn, gru, lstm, or no-attention."""
        if name == "no-attention":
            words = (*PLUGIN, "--cell", "lstm", "--set", "model.attention.name=last_state")
        else:
            words = ("--cell", name, *(RNN_STEPS if name == "rnn" else ()))
        return self._train(name, "docs/learn/translator.toml", *words)

    def probe(self, name: str, *words: str) -> Path:
        """Return the folder of a probe, which does not repeat what it has done."""
        program("probe", *words, *PROBE, "-o", self._path(name))
        return self.folder / name

    def right(self, model: str, text: str, distances: Sequence[int] = DISTANCES) -> list[str]:
        """Return the percentages of right answers to test texts of the memory task."""
        tests = [self.folder / text / f"test-{distance}" for distance in distances]
        sources, wanted = (
            [path.with_suffix(end).read_text(encoding="utf-8") for path in tests] for end in (".in", ".out")
        )
        command = ("translate", "-m", model, *PLUGIN, "--beam-size", "1")
        given = iter(program(*command, text="".join(sources)).splitlines())
        shares = []
        for answers in wanted:
            right = [answer == next(given) for answer in answers.splitlines()]
            shares.append(f"{100 * sum(right) / len(right):.0f}")
        return shares
