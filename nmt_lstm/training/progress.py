"""The progress of a run as its user sees it: a live line at a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from dataclasses import dataclass

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from nmt_lstm.evaluation.columns import of_any_size
from nmt_lstm.plain_text import printable

__all__ = ["ProgressDisplay", "StepProgress", "TimeRemaining", "duration", "search_name", "write_lines"]

_LIVE_SECONDS = 0.5
_PLAIN_SECONDS = 20.0
# Characters of the bar, and of the terminals that are wide enough for it; others get a bar of half the width.
_BAR = 20
_WIDE = 100


def duration(seconds: float) -> str:
    """Return a duration as people read it: "42s", "3m 05s", "2h 07m"."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m {whole % 60:02d}s"
    return f"{whole // 3600}h {whole % 3600 // 60:02d}m"


def search_name(beam_size: int) -> str:
    """Return the name of a search: "greedy", "beam 5"."""
    return "greedy" if beam_size == 1 else f"beam {beam_size}"


@dataclass(frozen=True)
class TimeRemaining:
    """How long the rest of a run takes."""

    text: str
    """Such as "3m 05s left"; empty if that is not known yet."""
    limit_text: str = ""
    """What to add where a time limit stops the run, such as "of the limit (all epochs: 2h 07m)"."""


@dataclass(frozen=True)
class StepProgress:
    """The progress of a run after a step."""

    epoch: int
    """From 1."""
    epochs: int
    """0 for a stream, which has none."""
    step: int
    fraction: float
    """Of the steps of all epochs, in 0..1."""
    limit_remaining: float | None
    """Seconds until the time limit; None without one."""
    pieces_per_second: float
    """Target pieces of all processes, without padding."""
    loss: float
    """Nats per target piece since progress was last shown."""
    gradient_norm: float
    learning_rate: float
    bleu: float | None
    """Best so far."""

    def describe(self, remaining: TimeRemaining, width: int | None = None) -> str:
        """Return the progress in one line; to fit, the least important facts are left out, but never the time remaining.

        Args:
            remaining: the time remaining.
            width: characters of the line; None is unlimited.
        """
        facts = {
            "epoch": f"epoch {self.epoch}/{self.epochs}" if self.epochs else "",
            "step": f"step {self.step:,}",
            "speed": f"{self.pieces_per_second:,.0f} target pieces/s",
            "loss": f"loss {of_any_size(self.loss, 3)}",
            "gradient": f"gradient {of_any_size(self.gradient_norm, 2)}",
            "rate": f"rate {self.learning_rate:.2g}",
            "bleu": f"BLEU {self.bleu:.1f}" if self.bleu is not None else "",
            "time": f"{remaining.text} {remaining.limit_text}".strip(),
        }
        for least_important in ("", "rate", "gradient", "speed", "time", "step", "bleu", "epoch", "loss"):
            if least_important == "time":
                facts["time"] = remaining.text
            else:
                facts.pop(least_important, None)
            line = "  ".join(fact for fact in facts.values() if fact)
            if width is None or len(line) <= width:
                break
        return line


def write_lines(console: Console, text: str, style: str = "") -> None:
    """Write permanent lines: a terminal wraps sentences between words, elsewhere no line is broken.

    An indented line is a command or a quotation; it is never broken, so that it can be copied.
    """
    for line in text.split("\n"):
        unbroken = not console.is_terminal or line.startswith("  ")
        console.print(
            printable(line), style=style, markup=False, emoji=False, highlight=False, soft_wrap=unbroken
        )


class ProgressDisplay:
    """Shows progress no more often than a person can read it; callers ask `is_due` first."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self._interval = _LIVE_SECONDS if console.is_terminal else _PLAIN_SECONDS
        self._live: Progress | None = None
        self._last = self._start = time.monotonic()
        self._first: tuple[float, float] | None = None
        self._bar = _BAR if console.width >= _WIDE else _BAR // 2

    def is_due(self) -> bool:
        """Whether it is time to show the progress again."""
        return not self.console.quiet and time.monotonic() - self._last >= self._interval

    def start(self, fraction: float) -> None:
        """Start with `fraction` of the run done (above 0 after a resume)."""
        self._last = self._start = time.monotonic()
        if self.console.is_terminal and not self.console.quiet:
            self._live = Progress(
                BarColumn(bar_width=self._bar),
                TextColumn("{task.percentage:3.0f}%"),
                TextColumn("{task.description}", markup=False),
                console=self.console,
                auto_refresh=False,
                transient=True,
            )
            self._live.add_task("starting", total=1.0)
            self._live.update(self._live.task_ids[0], completed=fraction)
            self._live.start()

    def show(self, progress: StepProgress) -> None:
        """Show the progress after a step."""
        self._last = time.monotonic()
        remaining = _time_remaining(self._estimate_remaining(progress.fraction), progress.limit_remaining)
        if self._live is not None:
            # The bar, the percentage and a space after each.
            width = self.console.width - self._bar - len("100%") - 2
            self._live.update(
                self._live.task_ids[0],
                completed=max(progress.fraction, self._limit_fraction(progress.limit_remaining)),
                description=progress.describe(remaining, width),
                refresh=True,
            )
        else:
            self.say(progress.describe(remaining))

    def busy(self, activity: str) -> None:
        """Show at a terminal what the run is doing instead of steps."""
        if self._live is not None:
            self._live.update(self._live.task_ids[0], description=activity, refresh=True)

    def say(self, text: str, style: str = "") -> None:
        """Write permanent lines; see `write_lines`."""
        write_lines(self.console, text, style)

    def stop(self) -> None:
        """Remove the live line."""
        if self._live is not None:
            self._live.stop()
            self._live = None

    def _limit_fraction(self, limit_remaining: float | None) -> float:
        """Return the fraction of the time limit that is over, counted from `start`."""
        elapsed = self._last - self._start
        return 0.0 if limit_remaining is None else elapsed / max(1e-9, elapsed + limit_remaining)

    def _estimate_remaining(self, fraction: float) -> float | None:
        """Estimate the seconds that the rest takes, from the speed since the first call; steps before it warm up."""
        if self._first is None:
            self._first = (self._last, fraction)
        start, first_fraction = self._first
        if fraction <= first_fraction:
            return None
        return (self._last - start) / (fraction - first_fraction) * (1.0 - fraction)


def _time_remaining(epochs: float | None, limit: float | None) -> TimeRemaining:
    """Return the time remaining from the seconds that all epochs need and those until the limit, None if unknown."""
    if epochs is None or limit is None or epochs <= limit:
        seconds = epochs if epochs is not None else limit
        return TimeRemaining("" if seconds is None else f"{duration(seconds)} left")
    return TimeRemaining(f"{duration(limit)} left", f"of the limit (all epochs: {duration(epochs)})")
