"""The charts of a probe: losses by length, learning curves, and gradient flow through time."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence

from nmt_lstm.lab.probes.result import ProbeResult
from nmt_lstm.lab.probes.summary import Outcome, Summary
from nmt_lstm.lab.probes.task import SOLVED_SHARE
from nmt_lstm.lab.report.axes import count_axis, marks_along, power_axis
from nmt_lstm.lab.report.line_chart import Axis, Panel, Reference, Series, chart_file

__all__ = ["draw_curves", "draw_gradient_flow", "draw_losses"]

_COLUMNS = 3
# Losses above the baseline result from failed training, not from a lack of memory.
_TOP_SHARE = 1.4
_SHARES = Axis("loss / baseline", 0.0, _TOP_SHARE, [(0.0, "0"), (0.5, "0.5"), (1.0, "1")])
_REFERENCES = (Reference(1.0, "baseline"), Reference(SOLVED_SHARE, "solved"))
# Smaller norms are zero for training in float32.
_MIN_NORM = 1e-12


def draw_losses(summary: Summary) -> str:
    """Return an SVG with a panel for each task: the loss at each length, as a share of the baseline."""
    panels = []
    for task in summary.tasks:
        lengths = summary.lengths(task)
        series = []
        for key, cell in enumerate(summary.cells):
            outcomes = [each for length in lengths if (each := summary.find(task, length, cell))]
            line = [(each.length, _share(each.loss, each)) for each in outcomes]
            dots = [(each.length, _share(result.loss, each)) for each in outcomes for result in each.results]
            series.append(Series(key, line=line, dots=dots))
        panels.append(Panel(task, _length_axis(lengths), _SHARES, series, _REFERENCES))
    note = (
        "Loss on test sequences, as a share of the baseline, which is the loss of a network without memory.\n"
        "Marks are seeds, lines their medians; marks at the upper edge are at or beyond it."
    )
    return chart_file("What each cell remembers", note, summary.cells, panels, columns=_COLUMNS)


def draw_curves(summary: Summary) -> str:
    """Return an SVG with a panel for each task and length: the loss during training."""
    panels, columns = [], 1
    for task in summary.tasks:
        columns = max(columns, min(_COLUMNS, len(summary.lengths(task))))
        for length in summary.lengths(task):
            outcomes = [(key, summary.find(task, length, cell)) for key, cell in enumerate(summary.cells)]
            series, last = [], 1
            for key, outcome in outcomes:
                if outcome is None:
                    continue
                for result in outcome.results:
                    curve = [(step, _share(loss, outcome)) for step, loss in result.best.curve]
                    last = max(last, curve[-1][0])
                    series.append(Series(key, line=curve, dots=curve[-1:], thin=True))
            panels.append(
                Panel(f"{task}, length {length}", count_axis("steps", last), _SHARES, series, _REFERENCES)
            )
    note = (
        "Loss on test sequences with the best learning rate of each seed; the mark is the end of training.\n"
        "A cell that learns leaves the upper line."
    )
    return chart_file("How each cell learns", note, summary.cells, panels, columns=columns)


def draw_gradient_flow(summary: Summary) -> str:
    """Return an SVG with two panels for each task, at its longest length: before training, and after."""
    panels = []
    for task in summary.tasks:
        length = summary.lengths(task)[-1]
        outcomes = [(key, summary.find(task, length, cell)) for key, cell in enumerate(summary.cells)]
        moments = [
            [(key, _relative_flow(outcome.results, trained)) for key, outcome in outcomes if outcome]
            for trained in (False, True)
        ]
        every = [norms for flows in moments for _, norms in flows]
        x = count_axis("positions before the end", max(map(len, every)))
        # A common scale shows what training changes.
        y = power_axis("relative norm", [norm for norms in every for norm in norms])
        for moment, flows in zip(("at initialisation", "after training"), moments, strict=True):
            lines = [(key, list(enumerate(norms, 1))) for key, norms in flows]
            series = [Series(key, line=line, dots=marks_along(line)) for key, line in lines]
            panels.append(Panel(f"{task}, length {length}, {moment}", x, y, series))
    note = (
        "Norm of the gradient of the last answer's loss with respect to earlier states, relative to that of the last state\n"
        "(lower edge: 10⁻¹² or less). Where a line has fallen, no error tells the cell what to remember."
    )
    return chart_file("Gradient flow through time", note, summary.cells, panels, columns=2)


def _share(loss: float | None, outcome: Outcome) -> float:
    if loss is None or not math.isfinite(loss):
        return _TOP_SHARE
    return min(_TOP_SHARE, loss / outcome.baseline)


def _relative_flow(results: Sequence[ProbeResult], trained: bool) -> list[float]:
    """Return the median over the seeds of norms relative to the first, clamped to the smallest one plotted."""
    flows = []
    for result in results:
        flow = result.gradient_flow
        norms = [value or 0.0 for value in (flow.trained if trained else flow.initial)]
        scale = norms[0] or 1.0
        flows.append([max(_MIN_NORM, norm / scale) for norm in norms])
    return [statistics.median(values) for values in zip(*flows, strict=True)]


def _length_axis(lengths: Sequence[int]) -> Axis:
    low, high = lengths[0], lengths[-1]
    marks = [(float(length), str(length)) for length in lengths]
    if low == high:
        return Axis("length", low / 2, low * 2, marks, log=True)
    margin = (high / low) ** 0.06
    return Axis("length", low / margin, high * margin, marks, log=True)
