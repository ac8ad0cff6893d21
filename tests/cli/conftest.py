"""The command line in this process, with fakes of translator and training, so that most tests need no model."""

from __future__ import annotations

import io
import sys
import types
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace as Namespace
from typing import ClassVar

import pytest

from nmt_lstm.cli.app import main
from nmt_lstm.cli.early_checks import checked_search
from nmt_lstm.config.load import search_settings
from nmt_lstm.config.schema import SearchSettings


class FakeTranslator:
    """Writes every line backwards, and records how it was loaded and called."""

    loaded: ClassVar[list]
    calls: ClassVar[list]
    language_models: ClassVar[list]
    interrupt_after: ClassVar[int | None] = None
    tokenizer = "char"
    run = Namespace(search=SearchSettings())

    @classmethod
    def load(cls, folders, *, device="auto", precision="auto", language_model=None):
        cls.language_models.append(language_model)
        cls.loaded.append((folders, device, precision))
        return cls()

    def stream(self, lines, **arguments):
        self.calls.append(arguments)
        for number, line in enumerate(lines, start=arguments.get("first_line", 1) - 1):
            if number == self.interrupt_after:
                raise KeyboardInterrupt
            text = line[::-1]
            hypotheses = [
                Namespace(
                    text=text[rank:],
                    score=-1.5 - rank,
                    pieces=tuple(text),
                    alignment=((0, 1), (1, 0)),
                    piece_log_probabilities=None,
                )
                for rank in range(min(arguments.get("n_best", 1), 2))
            ]
            yield Namespace(
                source=line, source_pieces=tuple(line), text=text, score=-1.5, hypotheses=hypotheses, unmet=()
            )

    def translate(self, lines):
        return list(self.stream(lines))

    def score(self, sources, targets, *, batch_size):
        for target in targets:
            probabilities = (-0.5,) * len(target)
            yield Namespace(
                log_probability=sum(probabilities),
                pieces=tuple(target),
                piece_log_probabilities=probabilities,
            )


@dataclass(frozen=True)
class Finished:
    """The exit status and the output of a command."""

    status: int
    out: bytes
    err: str

    @property
    def text(self) -> str:
        """Everything on stdout."""
        return self.out.decode("utf-8")

    @property
    def lines(self) -> list[str]:
        """The lines on stdout."""
        return self.text.split("\n")[:-1]

    @property
    def error(self) -> str:
        """The message of a failed command, which must be the only line on stderr."""
        assert self.status != 0
        (line,) = self.err.splitlines()
        assert line.startswith("nmt-lstm: error: ")
        return line.removeprefix("nmt-lstm: error: ")


@pytest.fixture
def command(capsysbinary, monkeypatch, tmp_path):
    """Run ``nmt-lstm`` in this process, in an empty folder; the registries forget its plugins afterwards."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: object, stdin: bytes = b"") -> Finished:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        status = main([str(argument) for argument in arguments])
        captured = capsysbinary.readouterr()
        return Finished(status, captured.out, captured.err.decode("utf-8"))

    return run


@pytest.fixture
def plugin_code() -> str:
    """A plugin file that registers the cell "mine"; a test may replace a part of it."""
    return """
import torch
from nmt_lstm import CELLS, GatedCell


@CELLS.register("mine")
class Mine(GatedCell):
    '''A cell of a test.'''

    gates = ("candidate",)

    def update(self, x, h, state):
        return (torch.tanh(x.candidate + h.candidate),)
"""


@pytest.fixture
def translator(monkeypatch) -> type[FakeTranslator]:
    """A fake in place of the class `Translator`; the model folders that tests name do not exist."""
    fake = type("Translator", (FakeTranslator,), {"loaded": [], "calls": [], "language_models": []})

    def check_search(folders, overrides, *, beam_size=None, n_best=1):
        search = search_settings(fake.run, overrides) if overrides else fake.run.search
        return checked_search(search, beam_size=beam_size, n_best=n_best)

    module = types.ModuleType("nmt_lstm.inference.translator")
    module.Translator = fake
    module.WINDOW_BATCHES = 64
    monkeypatch.setitem(sys.modules, "nmt_lstm.inference.translator", module)
    monkeypatch.setattr("nmt_lstm.cli.early_checks.check_models", lambda folders, device="auto": None)
    monkeypatch.setattr("nmt_lstm.cli.early_checks.task_of", lambda folders: "translation")
    monkeypatch.setattr("nmt_lstm.cli.early_checks.check_search", check_search)
    return fake


@pytest.fixture
def fit_calls(monkeypatch) -> list:
    """The arguments of each call of ``fit``, which is replaced and trains nothing."""
    calls = []

    def fit(run, output, *, resume, accept_changed_plugins=False):
        calls.append((run, output, resume))
        output.mkdir(parents=True, exist_ok=True)
        too_slow = run.training.time_limit == "1s"
        return Namespace(
            out_of_time=too_slow, narrowed=too_slow, epochs=2 if too_slow else 4, planned_epochs=4
        )

    module = types.ModuleType("nmt_lstm.training.fit")
    module.fit = fit
    monkeypatch.setitem(sys.modules, "nmt_lstm.training.fit", module)
    return calls


@pytest.fixture
def board_texts(tmp_path) -> Path:
    """A folder with a source text, a reference and three outputs, one of them too short."""
    references = [
        f"The {word} dog runs over the {number} hills." for number, word in enumerate("abcdefghij" * 2)
    ]

    def write(name: str, lines: list[str]) -> None:
        (tmp_path / name).write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")

    write("ref", references)
    write("src", [f"Der {line}" for line in references])
    write("good", [line.replace("runs over", "runs on") for line in references])
    write("bad", [line.replace("dog runs over the", "cat over") for line in references])
    write("short", references[:-1])
    return tmp_path


@pytest.fixture
def board(command, board_texts) -> Path:
    """A board with two systems."""
    init = command("leaderboard", "init", "board", "--name", "hills", "-s", "src", "-r", "ref")
    assert init.status == 0
    assert "'board/board.toml'" in init.err.splitlines()[0]
    assert "\n  nmt-lstm leaderboard add board --system NAME --hypotheses FILE\n" in init.err
    for name in ("good", "bad"):
        added = command("leaderboard", "add", "board", "--system", name, "--hypotheses", name)
        assert added.status == 0, added.err
        assert added.lines[0].startswith(f"hills  {name}  BLEU ")
    return board_texts / "board"
