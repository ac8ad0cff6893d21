"""A stand-in translator, so that the commands are tested without a model and without torch."""

from __future__ import annotations

import io
import sys
import types
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from nmt_lstm.cli.app import main
from nmt_lstm.config.load import search_settings
from nmt_lstm.registry import ATTENTIONS, CELLS

FAKE = '''
import sys, types
from types import SimpleNamespace as Namespace

class Translator:
    """Says every line backwards."""
    loaded = []
    calls = []
    interrupt_after = None
    tokenizer = "char"
    run = Namespace(search=Namespace(beam_size=5))

    @classmethod
    def load(cls, folders, *, device="auto", precision="auto"):
        cls.loaded.append((folders, device, precision))
        return cls()

    def stream(self, lines, **arguments):
        self.calls.append(arguments)
        for number, line in enumerate(lines):
            if number == self.interrupt_after:
                raise KeyboardInterrupt
            text = line[::-1]
            best = [
                Namespace(text=text[rank:], score=-1.5 - rank, pieces=tuple(text), alignment=((0, 1), (1, 0)))
                for rank in range(min(arguments.get("n_best", 1), 2))
            ]
            yield Namespace(source=line, source_pieces=tuple(line), text=text, score=-1.5, hypotheses=best)

    def translate(self, lines):
        return list(self.stream(lines))

    def score(self, sources, targets, *, batch_size):
        for source, target in zip(sources, targets):
            yield Namespace(log_probability=-0.5 * len(target), pieces=tuple(target),
                            piece_log_probabilities=(-0.5,) * len(target))

def install():
    module = types.ModuleType("nmt_lstm.inference.translator")
    module.Translator = Translator
    sys.modules["nmt_lstm.inference.translator"] = module
    from nmt_lstm.cli import early_checks
    early_checks.check_models = lambda folders, device="auto": None
    early_checks.check_search = lambda folders, overrides: Translator.run.search
'''


@dataclass
class Finished:
    """What a command left behind."""

    status: int
    out: bytes
    err: str
    lines: list[str] = field(init=False)

    def __post_init__(self) -> None:
        self.lines = self.out.decode("utf-8").split("\n")[:-1]


@pytest.fixture
def command(capsysbinary, monkeypatch, tmp_path):
    """Run ``nmt-lstm`` in this process, in an empty folder, with the given stdin; plugins leave no trace."""
    monkeypatch.chdir(tmp_path)
    for registry in (CELLS, ATTENTIONS):
        monkeypatch.setattr(registry, "_decorated", dict(registry._decorated))

    def run(*arguments: object, stdin: bytes = b"") -> Finished:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        status = main([str(argument) for argument in arguments])
        captured = capsysbinary.readouterr()
        return Finished(status, captured.out, captured.err.decode("utf-8"))

    return run


@pytest.fixture
def translator(monkeypatch) -> type:
    """The stand-in class, installed for this test."""
    namespace: dict = {}
    exec(FAKE, namespace)

    def searched(folders, overrides):
        run = namespace["Translator"].run
        return search_settings(run, overrides) if overrides else run.search

    module = types.ModuleType("nmt_lstm.inference.translator")
    module.Translator = namespace["Translator"]
    monkeypatch.setitem(sys.modules, "nmt_lstm.inference.translator", module)
    # Its folders need not be there.
    monkeypatch.setattr("nmt_lstm.cli.early_checks.check_models", lambda folders, device="auto": None)
    monkeypatch.setattr("nmt_lstm.cli.early_checks.check_search", searched)
    return namespace["Translator"]


@pytest.fixture
def subprocess_script(tmp_path: Path) -> Path:
    """A script that runs the command line on the stand-in translator in a process of its own."""
    path = tmp_path / "command.py"
    path.write_text(f"{FAKE}\ninstall()\nfrom nmt_lstm.cli.app import main\nsys.exit(main())\n")
    return path


@pytest.fixture
def fitted(monkeypatch) -> list:
    """What a stand-in for the training was called with."""
    calls = []

    def fit(run, output, *, resume, console, accept_changed_plugins=False):
        assert console.file is sys.stderr
        calls.append((run, output, resume))
        output.mkdir(parents=True, exist_ok=True)
        cut = run.training.time_limit == "1s"
        return types.SimpleNamespace(
            out_of_time=cut, narrowed=cut, epochs=2 if cut else 4, planned_epochs=4, steps=8, seconds=2.0
        )

    module = types.ModuleType("nmt_lstm.training.fit")
    module.fit = fit
    monkeypatch.setitem(sys.modules, "nmt_lstm.training.fit", module)
    return calls
