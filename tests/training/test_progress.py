"""What is shown of a running training."""

from __future__ import annotations

import io
import re
from dataclasses import replace

import pytest
from rich.console import Console

from nmt_lstm.training.progress import Moment, ProgressDisplay, duration

MOMENT = Moment(
    epoch=2,
    epochs=10,
    step=1234,
    share=0.5,
    limit_left=None,
    pieces_per_second=5370.4,
    loss=3.21,
    gradient_norm=0.87,
    learning_rate=0.0005,
    bleu=31.4,
)


@pytest.mark.parametrize("terminal", [True, False])
def test_a_moment_says_all_that_is_known(terminal: bool) -> None:
    file = io.StringIO()
    display = ProgressDisplay(Console(file=file, force_terminal=terminal, width=200))
    display.start(0.0)
    display.show(MOMENT)
    display.stop()
    for words in (
        "epoch 2/10",
        "step 1,234",
        "5,370 target pieces/s",
        "loss 3.210",
        "gradient 0.87",
        "rate 0.0005",
    ):
        assert words in file.getvalue()
    assert "BLEU 31.4" in file.getvalue()


@pytest.mark.parametrize(
    ("limit_left", "words"),
    [
        (None, "1m 30s left"),
        (200.0, "1m 30s left"),
        (20.0, "20s left of the limit (all epochs: 1m 30s)"),
    ],
)
def test_time_left_is_told_by_the_pace_of_the_steps_and_the_limit(
    monkeypatch: pytest.MonkeyPatch, limit_left: float | None, words: str
) -> None:
    now = 100.0
    monkeypatch.setattr("time.monotonic", lambda: now)
    file = io.StringIO()
    display = ProgressDisplay(Console(file=file, width=200))
    display.start(0.0)
    now = 160.0  # a minute for the first step does not count
    display.show(replace(MOMENT, share=0.01))
    assert "left" not in file.getvalue()
    now = 170.0
    display.show(replace(MOMENT, share=0.109, limit_left=limit_left))
    assert file.getvalue().rstrip().endswith(words)


def test_the_bar_follows_whichever_ends_first(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr("time.monotonic", lambda: now)
    file = io.StringIO()
    display = ProgressDisplay(Console(file=file, force_terminal=True, width=200))
    display.start(0.0)
    now = 30.0
    display.show(replace(MOMENT, share=0.1, limit_left=10.0))
    display.show(replace(MOMENT, share=0.9, limit_left=10.0))
    display.stop()
    assert " 75%" in file.getvalue()
    assert " 90%" in file.getvalue()


def test_what_looks_like_markup_is_shown_as_it_is() -> None:
    file = io.StringIO()
    ProgressDisplay(Console(file=file)).say("[bold]word[/bold] [/x]")
    assert file.getvalue() == "[bold]word[/bold] [/x]\n"


LONG = "One sentence of advice that is much longer than the line of a console of this width."
COMMAND = "  nmt-lstm train run.toml --set model.encoder.hidden_size=128 --set model.decoder.hidden_size=128"


def test_nothing_is_broken_where_no_terminal_is() -> None:
    file = io.StringIO()
    ProgressDisplay(Console(file=file, width=40)).say(f"{LONG}\n{COMMAND}")
    assert file.getvalue() == f"{LONG}\n{COMMAND}\n"


def test_sentences_go_on_at_the_next_word_of_a_terminal_and_commands_stay_whole() -> None:
    file = io.StringIO()
    console = Console(file=file, width=40, force_terminal=True, color_system=None)
    ProgressDisplay(console).say(f"{LONG}\n{COMMAND}")
    *sentence, command = file.getvalue().splitlines()
    assert command == COMMAND
    assert max(map(len, sentence)) <= 40
    assert " ".join(line.strip() for line in sentence) == LONG


def test_a_quiet_console_asks_for_nothing() -> None:
    display = ProgressDisplay(Console(quiet=True))
    display.start(0.0)
    assert not display.is_due()


@pytest.mark.parametrize(("seconds", "text"), [(41.6, "42s"), (185, "3m 05s"), (7620, "2h 07m")])
def test_durations(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def rendered(monkeypatch: pytest.MonkeyPatch, width: int, moment: Moment) -> str:
    """The live line of a resumed run after a minute."""
    now = 100.0
    monkeypatch.setattr("time.monotonic", lambda: now)
    file = io.StringIO()
    display = ProgressDisplay(Console(file=file, force_terminal=True, width=width, color_system=None))
    display.start(0.2)
    display.show(replace(moment, share=0.4))
    now = 160.0
    display.show(moment)
    lines = file.getvalue().splitlines()
    display.stop()
    return lines[-1].split("\r")[-1].split("\x1b[2K")[-1]


@pytest.mark.parametrize("limit_left", [None, 20.0, 10_000.0])
@pytest.mark.parametrize("width", [60, 80, 100, 130, 200])
def test_the_bar_and_the_time_left_are_seen_at_any_width(
    monkeypatch: pytest.MonkeyPatch, width: int, limit_left: float | None
) -> None:
    moment = replace(MOMENT, step=123_456, epochs=100, epoch=50, limit_left=limit_left)
    line = rendered(monkeypatch, width, moment)
    assert len(line) <= width
    # Without colours the rest of the bar is blank.
    assert re.match(r"[━╸ ]{10,20} +\d+% epoch", line)
    assert "s left" in line
    assert "…" not in line
    assert "loss 3.210" in line
    # What matters least is left out first.
    order = ["rate", "gradient", "pieces/s"]
    seen = [word in line for word in order]
    assert seen == sorted(seen)
    assert all(seen) or width < 200


def test_a_wide_terminal_shows_all(monkeypatch: pytest.MonkeyPatch) -> None:
    line = rendered(monkeypatch, 200, replace(MOMENT, limit_left=20.0))
    for words in (
        "epoch 2/10",
        "step 1,234",
        "pieces/s",
        "gradient",
        "rate",
        "BLEU",
        "20s left of the limit",
    ):
        assert words in line
