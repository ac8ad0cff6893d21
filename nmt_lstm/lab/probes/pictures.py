"""The three pictures of a probe: losses by length, learning curves, and gradient flow through time."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence

from nmt_lstm.lab.probes.record import RunRecord
from nmt_lstm.lab.probes.summary import Outcome, Summary
from nmt_lstm.lab.probes.task import SOLVED_SHARE
from nmt_lstm.lab.report.dot_plot import ticks
from nmt_lstm.lab.report.line_chart import Axis, Panel, Reference, Series, chart_file

__all__ = ["draw_curves", "draw_gradient_flow", "draw_losses"]

_COLUMNS = 3
# Losses above the baseline tell of training that failed, not of memory.
_TOP_SHARE = 1.4
_SHARES = Axis("loss / baseline", 0.0, _TOP_SHARE, [(0.0, "0"), (0.5, "0.5"), (1.0, "1")])
_REFERENCES = (Reference(1.0, "baseline"), Reference(SOLVED_SHARE, "solved"))
# Norms below are zero for any training in float32.
_SMALLEST_NORM = 1e-12


def draw_losses(summary: Summary) -> str:
    """Return an SVG with a panel for each task: the loss at each length, as a share of the baseline."""
    panels = []
    for task in summary.tasks:
        lengths = summary.lengths(task)
        series = []
        for key, cell in enumerate(summary.cells):
            found = [outcome for length in lengths if (outcome := summary.find(task, length, cell))]
            line = [(outcome.length, _share(outcome.loss, outcome)) for outcome in found]
            dots = [(o.length, _share(record.loss, o)) for o in found for record in o.records]
            series.append(Series(key, line=line, dots=dots))
        panels.append(Panel(task, _length_axis(lengths), _SHARES, series, _REFERENCES))
    note = (
        "Loss on sequences never trained on, as a share of the baseline: that of a network which remembers nothing.\n"
        "One mark for each seed, lines through their median; marks at the upper edge are at or beyond it."
    )
    return chart_file("What each cell remembers", note, summary.cells, panels, columns=_COLUMNS)


def draw_curves(summary: Summary) -> str:
    """Return an SVG with a panel for each task and length: the loss as training goes on."""
    panels, columns = [], 1
    for task in summary.tasks:
        columns = max(columns, min(_COLUMNS, len(summary.lengths(task))))
        for length in summary.lengths(task):
            outcomes = [(key, summary.find(task, length, cell)) for key, cell in enumerate(summary.cells)]
            series, last = [], 1
            for key, outcome in outcomes:
                for record in outcome.records if outcome else ():
                    assert outcome is not None
                    curve = [(step, _share(loss, outcome)) for step, loss in record.best.curve]
                    last = max(last, curve[-1][0])
                    series.append(Series(key, line=curve, dots=curve[-1:], thin=True))
            panels.append(Panel(f"{task}, length {length}", _step_axis(last), _SHARES, series, _REFERENCES))
    note = (
        "Loss on sequences never trained on, test by test, of each seed's best learning rate;\n"
        "the mark is where training ended. A cell that learns leaves the upper line."
    )
    return chart_file("How each cell learns", note, summary.cells, panels, columns=columns)


def draw_gradient_flow(summary: Summary) -> str:
    """Return an SVG with two panels for each task, at its longest length: before training, and after."""
    panels = []
    for task in summary.tasks:
        length = summary.lengths(task)[-1]
        outcomes = [(key, summary.find(task, length, cell)) for key, cell in enumerate(summary.cells)]
        found = [(key, outcome.records) for key, outcome in outcomes if outcome]
        flows = [
            [(key, _relative_flow(records, trained)) for key, records in found] for trained in (False, True)
        ]
        every = [norms for moment in flows for _, norms in moment]
        x = _step_axis(max(map(len, every)), title="positions before the end")
        # One scale for both, so that what training changes is seen.
        y = _norm_axis([norm for norms in every for norm in norms])
        for words, moment in zip(("at initialisation", "after training"), flows, strict=True):
            series = [
                Series(key, line=list(enumerate(norms, 1)), dots=_spread(norms)) for key, norms in moment
            ]
            panels.append(Panel(f"{task}, length {length}, {words}", x, y, series))
    note = (
        "Norm of the gradient of the last answer's loss at the state so many positions before it, relative to that at\n"
        "the last state (lower edge: 10⁻¹² or less). Where a line has fallen, no error says what to keep."
    )
    return chart_file("Gradient flow through time", note, summary.cells, panels, columns=2)


def _share(loss: float | None, outcome: Outcome) -> float:
    if loss is None or not math.isfinite(loss):
        return _TOP_SHARE
    return min(_TOP_SHARE, loss / outcome.baseline)


def _relative_flow(records: Sequence[RunRecord], trained: bool) -> list[float]:
    """Return the median over the seeds of norms relative to the first, none below the smallest that is drawn."""
    flows = []
    for record in records:
        flow = record.gradient_flow
        norms = [value or 0.0 for value in (flow.trained if trained else flow.initial)]
        scale = norms[0] or 1.0
        flows.append([max(_SMALLEST_NORM, norm / scale) for norm in norms])
    return [statistics.median(values) for values in zip(*flows, strict=True)]


def _spread(flow: Sequence[float]) -> list[tuple[float, float]]:
    """Return some points of a line, for marks that tell the lines apart."""
    step = max(1, len(flow) // 6)
    return [(distance, flow[distance - 1]) for distance in range(step, len(flow) + 1, step)]


def _length_axis(lengths: Sequence[int]) -> Axis:
    low, high = lengths[0], lengths[-1]
    marks = [(float(length), str(length)) for length in lengths]
    if low == high:
        return Axis("length", low / 2, low * 2, marks, log=True)
    margin = (high / low) ** 0.06
    return Axis("length", low / margin, high * margin, marks, log=True)


def _step_axis(last: float, *, title: str = "steps") -> Axis:
    marks = [mark for mark in ticks(0, last, about=4) if mark <= last]
    return Axis(title, 0.0, float(last), [(mark, f"{mark:,.0f}") for mark in marks])


def _norm_axis(norms: Sequence[float]) -> Axis:
    low = math.floor(math.log10(min([*norms, 0.1])))
    high = math.ceil(math.log10(max([*norms, 1.0])))
    step = max(1, math.ceil((high - low) / 5))
    marks = [(10.0**power, _power(power)) for power in range(high, low - 1, -step)]
    return Axis("relative norm", 10.0**low, 10.0**high, marks, log=True)


def _power(exponent: int) -> str:
    if exponent == 0:
        return "1"
    raised = str(exponent).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
    return f"10{raised}"
