"""How the progress of a run is shown."""

from __future__ import annotations

import io
import re
from dataclasses import replace

import pytest
from rich.console import Console

from nmt_lstm.training.progress import ProgressDisplay, StepProgress, duration

PROGRESS = StepProgress(
    epoch=2,
    epochs=10,
    step=1234,
    fraction=0.5,
    limit_remaining=None,
    pieces_per_second=5370.4,
    loss=3.21,
    gradient_norm=0.87,
    learning_rate=0.0005,
    bleu=31.4,
)


@pytest.mark.parametrize("terminal", [True, False])
def test_all_facts_about_a_step_are_shown(terminal: bool) -> None:
    file = io.StringIO()
    display = ProgressDisplay(Console(file=file, force_terminal=terminal, width=200))
    display.start(0.0)
    display.show(PROGRESS)
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
    ("limit_remaining", "words"),
    [
        (None, "1m 30s left"),
        (200.0, "1m 30s left"),
        (20.0, "20s left of the limit (all epochs: 1m 30s)"),
    ],
)
def test_the_time_remaining_follows_from_the_speed_of_the_steps_and_the_limit(
    monkeypatch: pytest.MonkeyPatch, limit_remaining: float | None, words: str
) -> None:
    now = 100.0
    monkeypatch.setattr("time.monotonic", lambda: now)
    file = io.StringIO()
    display = ProgressDisplay(Console(file=file, width=200))
    display.start(0.0)
    now = 160.0  # a slow first step does not count
    display.show(replace(PROGRESS, fraction=0.01))
    assert "left" not in file.getvalue()
    now = 170.0
    display.show(replace(PROGRESS, fraction=0.109, limit_remaining=limit_remaining))
    assert file.getvalue().rstrip().endswith(words)


def test_the_bar_follows_whichever_ends_first_steps_or_time(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr("time.monotonic", lambda: now)
    file = io.StringIO()
    display = ProgressDisplay(Console(file=file, force_terminal=True, width=200))
    display.start(0.0)
    now = 30.0
    display.show(replace(PROGRESS, fraction=0.1, limit_remaining=10.0))
    display.show(replace(PROGRESS, fraction=0.9, limit_remaining=10.0))
    display.stop()
    assert " 75%" in file.getvalue()
    assert " 90%" in file.getvalue()


def test_text_that_looks_like_markup_is_shown_verbatim() -> None:
    file = io.StringIO()
    ProgressDisplay(Console(file=file)).say("[bold]word[/bold] [/x]")
    assert file.getvalue() == "[bold]word[/bold] [/x]\n"


LONG = "One sentence of advice that is much longer than the line of a console of this width."
COMMAND = "  nmt-lstm train run.toml --set model.encoder.hidden_size=128 --set model.decoder.hidden_size=128"


def test_lines_are_not_wrapped_outside_a_terminal() -> None:
    file = io.StringIO()
    ProgressDisplay(Console(file=file, width=40)).say(f"{LONG}\n{COMMAND}")
    assert file.getvalue() == f"{LONG}\n{COMMAND}\n"


def test_a_terminal_wraps_sentences_between_words_but_not_commands() -> None:
    file = io.StringIO()
    console = Console(file=file, width=40, force_terminal=True, color_system=None)
    ProgressDisplay(console).say(f"{LONG}\n{COMMAND}")
    *sentence, command = file.getvalue().splitlines()
    assert command == COMMAND
    assert max(map(len, sentence)) <= 40
    assert " ".join(line.strip() for line in sentence) == LONG


def test_progress_is_never_due_on_a_quiet_console() -> None:
    display = ProgressDisplay(Console(quiet=True))
    display.start(0.0)
    assert not display.is_due()


@pytest.mark.parametrize(("seconds", "text"), [(41.6, "42s"), (185, "3m 05s"), (7620, "2h 07m")])
def test_durations_are_readable(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def render(monkeypatch: pytest.MonkeyPatch, width: int, progress: StepProgress) -> str:
    """Return the live line of a resumed run after a minute."""
    now = 100.0
    monkeypatch.setattr("time.monotonic", lambda: now)
    file = io.StringIO()
    display = ProgressDisplay(Console(file=file, force_terminal=True, width=width, color_system=None))
    display.start(0.2)
    display.show(replace(progress, fraction=0.4))
    now = 160.0
    display.show(progress)
    lines = file.getvalue().splitlines()
    display.stop()
    return lines[-1].split("\r")[-1].split("\x1b[2K")[-1]


@pytest.mark.parametrize("limit_remaining", [None, 20.0, 10_000.0])
@pytest.mark.parametrize("width", [60, 80, 100, 130, 200])
def test_the_bar_and_the_time_remaining_are_visible_at_any_width(
    monkeypatch: pytest.MonkeyPatch, width: int, limit_remaining: float | None
) -> None:
    progress = replace(PROGRESS, step=123_456, epochs=100, epoch=50, limit_remaining=limit_remaining)
    line = render(monkeypatch, width, progress)
    assert len(line) <= width
    # Without colours the rest of the bar is blank.
    assert re.match(r"[━╸ ]{10,20} +\d+% epoch", line)
    assert "s left" in line
    assert "…" not in line
    assert "loss 3.210" in line
    # The least important facts are left out first.
    shown = [fact in line for fact in ("rate", "gradient", "pieces/s")]
    assert shown == sorted(shown)
    if width == 200:
        assert all(shown)


def test_a_wide_terminal_shows_all_facts(monkeypatch: pytest.MonkeyPatch) -> None:
    line = render(monkeypatch, 200, replace(PROGRESS, limit_remaining=20.0))
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
