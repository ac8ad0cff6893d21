"""Figures about a server in the text format of Prometheus.

A few lines here instead of the package prometheus_client, whose figures are global to a process.
"""

from __future__ import annotations

import bisect
from collections.abc import Callable, Iterator, Sequence

__all__ = ["CONTENT_TYPE", "SECONDS", "Counter", "Gauge", "Histogram", "Metrics"]

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
_ESCAPES = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n"})


class Counter:
    """A number that only grows, for each combination of labels.

    Args:
        name: ends in "_total".
        text: what it counts.
        labels: their names.
    """

    def __init__(self, name: str, text: str, labels: Sequence[str] = ()) -> None:
        self._name = name
        self._text = text
        self._labels = tuple(labels)
        self._values: dict[tuple[str, ...], float] = {} if labels else {(): 0.0}

    def add(self, amount: float = 1.0, *labels: str) -> None:
        """Add to the number of these labels."""
        self._values[labels] = self._values.get(labels, 0.0) + amount

    def lines(self) -> Iterator[str]:
        """Yield the lines of the format."""
        yield from _head(self._name, self._text, "counter")
        for labels, value in self._values.items():
            yield f"{self._name}{_labels(self._labels, labels)} {_number(value)}"


class Gauge:
    """A number that goes up and down, asked for when it is shown.

    Args:
        name: of the figure.
        text: what it is.
        value: returns it.
    """

    def __init__(self, name: str, text: str, value: Callable[[], float]) -> None:
        self._name = name
        self._text = text
        self._value = value

    def lines(self) -> Iterator[str]:
        """Yield the lines of the format."""
        yield from _head(self._name, self._text, "gauge")
        yield f"{self._name} {_number(self._value())}"


class Histogram:
    """How often values were in which range, for each combination of labels.

    Args:
        name: of the figure.
        text: what it is.
        bounds: upper bounds of the ranges, in order.
        labels: their names.
    """

    def __init__(self, name: str, text: str, bounds: Sequence[float], labels: Sequence[str] = ()) -> None:
        self._name = name
        self._text = text
        self._bounds = tuple(bounds)
        self._labels = tuple(labels)
        self._counts: dict[tuple[str, ...], list[int]] = {}
        self._sums: dict[tuple[str, ...], float] = {}

    def observe(self, value: float, *labels: str) -> None:
        """Count a value."""
        counts = self._counts.setdefault(labels, [0] * (len(self._bounds) + 1))
        counts[bisect.bisect_left(self._bounds, value)] += 1
        self._sums[labels] = self._sums.get(labels, 0.0) + value

    def lines(self) -> Iterator[str]:
        """Yield the lines of the format."""
        yield from _head(self._name, self._text, "histogram")
        for labels, counts in self._counts.items():
            total = 0
            for bound, count in zip((*map(_number, self._bounds), "+Inf"), counts, strict=True):
                total += count
                yield f"{self._name}_bucket{_labels((*self._labels, 'le'), (*labels, bound))} {total}"
            yield f"{self._name}_sum{_labels(self._labels, labels)} {_number(self._sums[labels])}"
            yield f"{self._name}_count{_labels(self._labels, labels)} {total}"


class Metrics:
    """The figures of a server.

    Args:
        waiting: returns the numbers of lines and of characters that wait.
    """

    def __init__(self, waiting: Callable[[], tuple[int, int]]) -> None:
        self.requests = Counter("nmt_lstm_requests_total", "Requests.", ("path", "status"))
        self.request_seconds = Histogram(
            "nmt_lstm_request_seconds", "From a request to the end of its reply.", SECONDS, ("path",)
        )
        self.stage_seconds = Histogram(
            "nmt_lstm_stage_seconds",
            "Of a batch: its first line waits for a worker, and the worker translates.",
            SECONDS,
            ("stage",),
        )
        self.batch_lines = Histogram(
            "nmt_lstm_batch_lines", "Lines that were translated together.", (1, 2, 4, 8, 16, 32, 64, 128)
        )
        self.lines_total = Counter("nmt_lstm_lines_total", "Lines that were translated.", ("model",))
        self.characters = Counter("nmt_lstm_characters_total", "Their characters.", ("model",))
        self.failures = Counter(
            "nmt_lstm_failed_lines_total", "Lines that could not be translated.", ("model",)
        )
        self.reloads = Counter(
            "nmt_lstm_reloads_total", "Times that changed models were loaded.", ("outcome",)
        )
        self.deaths = Counter("nmt_lstm_worker_deaths_total", "Workers that died and were replaced.")
        self.refused_connections = Counter(
            "nmt_lstm_refused_connections_total", "Connections above the limit, answered by 503."
        )
        self._gauges = (
            Gauge("nmt_lstm_waiting_lines", "Lines that wait for a worker.", lambda: waiting()[0]),
            Gauge("nmt_lstm_waiting_characters", "Characters that wait for a worker.", lambda: waiting()[1]),
        )

    def text(self) -> str:
        """Return all figures."""
        figures = (
            self.requests,
            self.request_seconds,
            self.stage_seconds,
            self.batch_lines,
            self.lines_total,
            self.characters,
            self.failures,
            self.reloads,
            self.deaths,
            self.refused_connections,
            *self._gauges,
        )
        return "".join(f"{line}\n" for figure in figures for line in figure.lines())


def _head(name: str, text: str, kind: str) -> tuple[str, str]:
    return f"# HELP {name} {text}", f"# TYPE {name} {kind}"


def _labels(names: Sequence[str], values: Sequence[str]) -> str:
    pairs = [f'{name}="{value.translate(_ESCAPES)}"' for name, value in zip(names, values, strict=True)]
    return f"{{{','.join(pairs)}}}" if pairs else ""


def _number(value: float) -> str:
    return f"{value:g}" if value == int(value) and abs(value) < 1e6 else repr(float(value))
