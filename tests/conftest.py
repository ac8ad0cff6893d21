"""Shared by many tests: one thread, a tiny corpus, real corpora, made-up outputs, and skips on some processors."""

from __future__ import annotations

import logging
import os
import random
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

# Before torch is imported: tests must not compete for the cores, nor depend on their number.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import pytest

if TYPE_CHECKING:
    from nmt_lstm.config.schema import RunSettings
    from nmt_lstm.text.subwords import Subwords

# A background job of a shell ignores SIGINT, and so would every program that a test starts and interrupts.
signal.signal(signal.SIGINT, signal.default_int_handler)


# Begins the names of the properties in which tests report how many cases they had.
COUNTED = "counted: "


@dataclass(frozen=True)
class ParallelFiles:
    """Paths of a small parallel text."""

    folder: Path
    train_source: Path
    train_target: Path
    valid_source: Path
    valid_target: Path


def number_sentences(first: int, last: int) -> list[tuple[str, str]]:
    """Pairs that can be learnt in seconds: German digit names, and English ones in reversed order."""
    source_names = ("null", "eins", "zwei", "drei", "vier", "fünf", "sechs", "sieben", "acht", "neun")
    target_names = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
    pairs = []
    for number in range(first, last):
        digits = [int(digit) for digit in str(number * 7919 % 100_003)]
        pairs.append(
            (
                " ".join(source_names[digit] for digit in digits) + " .",
                " ".join(target_names[digit] for digit in reversed(digits)) + " .",
            )
        )
    return pairs


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Distribute the tests over the cores: each file on one core, unless its tests are marked `spread`; slow files first.

    The tests of a file share the models that it trains. A slow file that came last would run alone on one core.
    """
    slow = Counter(item.path for item in items if item.get_closest_marker("slow"))
    items.sort(key=lambda item: -slow[item.path])
    for item in items:
        group = item.nodeid if item.get_closest_marker("spread") else str(item.path)
        item.add_marker(pytest.mark.xdist_group(group))


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip tests marked `needs_bf16` on processors without bf16."""
    if item.get_closest_marker("needs_bf16") is None:
        return
    from nmt_lstm.numerics.bf16_trial import bf16_works

    if not bf16_works():
        pytest.skip("this processor does not compute in bf16")


@pytest.fixture
def count_cases(record_property: Callable[[str, object], None]) -> Callable[[str, int], None]:
    """Return a function that adds to a number of cases; the sums are printed at the end, those of all processes together."""

    def count(what: str, cases: int) -> None:
        record_property(f"{COUNTED}{what}", cases)

    return count


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the numbers of `count_cases`."""
    totals: Counter[str] = Counter()
    for reports in terminalreporter.stats.values():
        for report in reports:
            for name, value in getattr(report, "user_properties", ()):
                if report.when == "call" and name.startswith(COUNTED):
                    totals[name.removeprefix(COUNTED)] += value
    for what, cases in totals.items():
        terminalreporter.write_line(f"{cases:,} {what}")


@pytest.fixture(autouse=True)
def unregister_plugins() -> Iterator[None]:
    """Remove the parts that a test registers, so that the order of tests does not matter."""
    from nmt_lstm.registry import ATTENTIONS, CELLS, ENCODERS

    with CELLS.isolated(), ATTENTIONS.isolated(), ENCODERS.isolated():
        yield


@pytest.fixture(autouse=True)
def reset_log() -> Iterator[None]:
    """Undo `show_log`, which commands call: pytest attaches its own handler to a logger that does not propagate."""
    _reset_log()  # a fixture of a wider scope may have run a command
    yield
    _reset_log()


def _reset_log() -> None:
    logger = logging.getLogger("nmt_lstm")
    logger.setLevel(logging.NOTSET)
    logger.propagate = True
    logger.handlers.clear()


@pytest.fixture(scope="session")
def parallel_files(tmp_path_factory: pytest.TempPathFactory) -> ParallelFiles:
    """400 training and 40 validation pairs of number sentences."""
    folder = tmp_path_factory.mktemp("parallel")
    for name, pairs in (("train", number_sentences(1, 401)), ("valid", number_sentences(401, 441))):
        (folder / f"{name}.src").write_text("".join(source + "\n" for source, _ in pairs), encoding="utf-8")
        (folder / f"{name}.tgt").write_text("".join(target + "\n" for _, target in pairs), encoding="utf-8")
    return ParallelFiles(
        folder=folder,
        train_source=folder / "train.src",
        train_target=folder / "train.tgt",
        valid_source=folder / "valid.src",
        valid_target=folder / "valid.tgt",
    )


@pytest.fixture(scope="session")
def corpora() -> Path:
    """The folder of real corpora that NMT_LSTM_CORPORA names; tests that need it are skipped if it is not set."""
    folder = os.environ.get("NMT_LSTM_CORPORA", "")
    if not folder:
        pytest.skip("NMT_LSTM_CORPORA names no folder of corpora")
    return Path(folder)


@pytest.fixture(scope="session")
def repository() -> Path:
    """The root of the source tree."""
    return Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def subwords() -> Subwords:
    """A joint vocabulary of the number sentences: about 100 pieces in addition to the 256 bytes."""
    from nmt_lstm.config.schema import SubwordSettings
    from nmt_lstm.text.subwords import train_subwords

    pairs = number_sentences(1, 401)
    return train_subwords(lambda: pairs, SubwordSettings(vocabulary_size=360), len(pairs), seed=1)


@pytest.fixture(scope="session")
def tiny_run(parallel_files: ParallelFiles) -> RunSettings:
    """A run whose model has the default structure but few weights."""
    from nmt_lstm.config.schema import (
        DataSettings,
        DecoderSettings,
        EncoderSettings,
        ModelSettings,
        RunSettings,
    )

    return RunSettings(
        data=DataSettings(
            train_source=parallel_files.train_source,
            train_target=parallel_files.train_target,
            valid_source=parallel_files.valid_source,
            valid_target=parallel_files.valid_target,
            prepared=parallel_files.folder / "prepared",
        ),
        model=ModelSettings(
            embedding_size=12,
            encoder=EncoderSettings(hidden_size=16),
            decoder=DecoderSettings(hidden_size=20),
        ),
    )


@pytest.fixture(scope="session")
def random_model_folder(
    tmp_path_factory: pytest.TempPathFactory, tiny_run: RunSettings, subwords: Subwords
) -> Path:
    """A model folder with random weights, of large variance so that translations differ from line to line."""
    import torch

    from nmt_lstm.checkpoint.model_folder import write
    from nmt_lstm.model.build import build_model

    torch.manual_seed(0)
    model = build_model(tiny_run.model, subwords.source.size, subwords.target.size)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(torch.randn_like(parameter) * 0.5)
    folder = tmp_path_factory.mktemp("random") / "model"
    write(folder, run=tiny_run, subwords=subwords, model_state=model.state_dict(), metrics={"bleu": 1.5})
    return folder


WORDS = """
the a man woman child dog bicycle street house river sits runs walks plays reads blue red green old young two three
people in on under near with hat guitar football quickly together while another group of children
"""


@pytest.fixture(scope="session")
def references() -> list[str]:
    """120 sentences of 3 to 18 words."""
    draw, words = random.Random(1), WORDS.split()
    return [
        " ".join(draw.choice(words) for _ in range(draw.randint(3, 18))).capitalize() + "."
        for _ in range(120)
    ]


@pytest.fixture(scope="session")
def output_of(references) -> Callable[[int, float], list[str]]:
    """A function that returns an output whose words differ from the references with some probability."""

    def output(seed: int, share: float) -> list[str]:
        draw = random.Random(seed)
        lines = []
        for line in references:
            words = [word for word in line.split() if draw.random() > share]
            if len(words) > 1 and draw.random() < 2 * share:
                index = draw.randrange(len(words) - 1)
                words[index], words[index + 1] = words[index + 1], words[index]
            lines.append(" ".join(words))
        return lines

    return output


@pytest.fixture(scope="session")
def language_model_folder(tmp_path_factory: pytest.TempPathFactory, subwords: Subwords) -> Path:
    """A folder of a language model with large random weights and the pieces of the other tests' models."""
    import torch

    from nmt_lstm.checkpoint.model_folder import write
    from nmt_lstm.config.load import make_run
    from nmt_lstm.model.build import build_language_model

    values = {
        "task": "language-model",
        "data": {"train_source": "text"},
        "model": {"embedding_size": 12, "decoder": {"hidden_size": 16, "layers": 2}},
    }
    run = make_run(values)
    torch.manual_seed(3)
    model = build_language_model(run.model, subwords.target.size, subwords.target.size)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(torch.randn_like(parameter) * 0.4)
    folder = tmp_path_factory.mktemp("language-model") / "model"
    write(folder, run=run, subwords=subwords, model_state=model.state_dict(), metrics={})
    return folder
