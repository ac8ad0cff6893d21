"""The command line in this process, with fakes of translator and training, so that most tests need no model."""

from __future__ import annotations

import io
import sys
import types
from dataclasses import dataclass
from pathlib import Path

import pytest

from nmt_lstm.cli.app import main
from nmt_lstm.config.load import search_settings
from nmt_lstm.registry import ATTENTIONS, CELLS

FAKE_TRANSLATOR = '''
import sys, types
from types import SimpleNamespace as Namespace

class Translator:
    """Writes every line backwards."""
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
    """A translator that writes every line backwards, in place of the real class."""
    namespace: dict = {}
    exec(FAKE_TRANSLATOR, namespace)

    def check_search(folders, overrides):
        run = namespace["Translator"].run
        return search_settings(run, overrides) if overrides else run.search

    module = types.ModuleType("nmt_lstm.inference.translator")
    module.Translator = namespace["Translator"]
    monkeypatch.setitem(sys.modules, "nmt_lstm.inference.translator", module)
    # The model folders that tests name do not exist.
    monkeypatch.setattr("nmt_lstm.cli.early_checks.check_models", lambda folders, device="auto": None)
    monkeypatch.setattr("nmt_lstm.cli.early_checks.check_search", check_search)
    return namespace["Translator"]


@pytest.fixture
def subprocess_script(tmp_path: Path) -> Path:
    """A script that runs the command line with the fake translator in a separate process."""
    path = tmp_path / "command.py"
    path.write_text(f"{FAKE_TRANSLATOR}\ninstall()\nfrom nmt_lstm.cli.app import main\nsys.exit(main())\n")
    return path


@pytest.fixture
def fit_calls(monkeypatch) -> list:
    """The arguments of each call of ``fit``, which is replaced and trains nothing."""
    calls = []

    def fit(run, output, *, resume, console, accept_changed_plugins=False):
        assert console.file is sys.stderr
        calls.append((run, output, resume))
        output.mkdir(parents=True, exist_ok=True)
        too_slow = run.training.time_limit == "1s"
        return types.SimpleNamespace(
            out_of_time=too_slow, narrowed=too_slow, epochs=2 if too_slow else 4, planned_epochs=4
        )

    module = types.ModuleType("nmt_lstm.training.fit")
    module.fit = fit
    monkeypatch.setitem(sys.modules, "nmt_lstm.training.fit", module)
    return calls
