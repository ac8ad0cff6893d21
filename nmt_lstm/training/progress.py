"""What a person sees of a running training: a live line at a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from dataclasses import dataclass

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from nmt_lstm.plain_text import printable

__all__ = ["Left", "Moment", "ProgressDisplay", "duration", "search_name", "write_lines"]

_LIVE_SECONDS = 0.5
_PLAIN_SECONDS = 20.0
# Characters of the bar, and of terminals in which it has them all.
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
    """Return what a search is called: "greedy", "beam 5"."""
    return "greedy" if beam_size == 1 else f"beam {beam_size}"


@dataclass(frozen=True)
class Left:
    """How long the rest of a training takes."""

    words: str
    """Such as "3m 05s left"; empty if that is not known yet."""
    of_the_limit: str = ""
    """What else there is to say where a time limit ends the training."""


@dataclass(frozen=True)
class Moment:
    """The state of a training at one moment."""

    epoch: int
    """From 1."""
    epochs: int
    step: int
    share: float
    """Of the steps of all epochs, in 0..1."""
    limit_left: float | None
    """Seconds until the time limit; None without one."""
    pieces_per_second: float
    """Target pieces of all processes, padding not counted."""
    loss: float
    """Nats per target piece since the last moment."""
    gradient_norm: float
    learning_rate: float
    bleu: float | None
    """Best so far."""

    def words(self, left: Left, width: int | None = None) -> str:
        """Return it in one line; in one of limited width what matters least is left out, and never the time left.

        Args:
            left: how long it takes.
            width: characters of the line; None is any number.
        """
        parts = {
            "epoch": f"epoch {self.epoch}/{self.epochs}",
            "step": f"step {self.step:,}",
            "speed": f"{self.pieces_per_second:,.0f} target pieces/s",
            "loss": f"loss {self.loss:.3f}",
            "gradient": f"gradient {self.gradient_norm:.2f}",
            "rate": f"rate {self.learning_rate:.2g}",
            "bleu": f"BLEU {self.bleu:.1f}" if self.bleu is not None else "",
            "left": f"{left.words} {left.of_the_limit}".strip(),
        }
        for least in ("", "rate", "gradient", "speed", "left", "step", "bleu", "epoch", "loss"):
            if least == "left":
                parts["left"] = left.words
            else:
                parts.pop(least, None)
            line = "  ".join(part for part in parts.values() if part)
            if width is None or len(line) <= width:
                break
        return line


def write_lines(console: Console, text: str, style: str = "") -> None:
    """Write lines that stay: at a terminal sentences go on at the next word where it ends, elsewhere nothing is broken.

    An indented line is a command or a quotation and is broken nowhere, so that it can be copied.
    """
    for line in text.split("\n"):
        whole = not console.is_terminal or line.startswith("  ")
        console.print(
            printable(line), style=style, markup=False, emoji=False, highlight=False, soft_wrap=whole
        )


class ProgressDisplay:
    """Shows moments not more often than a person can read them; whoever trains asks `is_due` first."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self._interval = _LIVE_SECONDS if console.is_terminal else _PLAIN_SECONDS
        self._live: Progress | None = None
        self._last = self._start = time.monotonic()
        self._first: tuple[float, float] | None = None
        self._bar = _BAR if console.width >= _WIDE else _BAR // 2

    def is_due(self) -> bool:
        """Whether it is time for the next moment."""
        return not self.console.quiet and time.monotonic() - self._last >= self._interval

    def start(self, share: float) -> None:
        """Begin, at `share` of the training (above 0 after a resume)."""
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
            self._live.update(self._live.task_ids[0], completed=share)
            self._live.start()

    def show(self, moment: Moment) -> None:
        """Show a moment."""
        self._last = time.monotonic()
        left = self._left(moment.share)
        rest = _rest(left, moment.limit_left)
        if self._live is not None:
            # The bar, the percentage and a blank after each.
            width = self.console.width - self._bar - len("100%") - 2
            self._live.update(
                self._live.task_ids[0],
                completed=max(moment.share, self._time_share(moment.limit_left)),
                description=moment.words(rest, width),
                refresh=True,
            )
        else:
            self.say(moment.words(rest))

    def busy(self, words: str) -> None:
        """Say at a terminal what takes the time now."""
        if self._live is not None:
            self._live.update(self._live.task_ids[0], description=words, refresh=True)

    def say(self, text: str, style: str = "") -> None:
        """Write lines that stay; see `write_lines`."""
        write_lines(self.console, text, style)

    def stop(self) -> None:
        """Take the live line away."""
        if self._live is not None:
            self._live.stop()
            self._live = None

    def _time_share(self, limit_left: float | None) -> float:
        spent = self._last - self._start
        return 0.0 if limit_left is None else spent / max(1e-9, spent + limit_left)

    def _left(self, share: float) -> float | None:
        """Estimate from the pace since the first moment how many seconds the rest takes; steps before it warm up."""
        if self._first is None:
            self._first = (self._last, share)
        begin, first_share = self._first
        if share <= first_share:
            return None
        return (self._last - begin) / (share - first_share) * (1.0 - share)


def _rest(left: float | None, limit_left: float | None) -> Left:
    if left is None or limit_left is None or left <= limit_left:
        ends_in = left if left is not None else limit_left
        return Left("" if ends_in is None else f"{duration(ends_in)} left")
    return Left(f"{duration(limit_left)} left", f"of the limit (all epochs: {duration(left)})")
