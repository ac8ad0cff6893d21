"""Sentences that say how far gradients reach: of all cells of a model together, and of one cell in several models."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

from nmt_lstm.lab.inspection.gradient_trace import CellFlow, GradientTrace
from nmt_lstm.model.gradient_flow import Flow
from nmt_lstm.plain_text import joined_names

__all__ = ["cell_sentence", "headline", "horizon_text"]


def headline(traces: Sequence[GradientTrace]) -> str:
    """Return in a few sentences how far gradients reach, in the longest sequences of each model.

    Args:
        traces: one of each model.
    """
    if len(traces) == 1:
        flows = _at_longest(traces[0])
        after, before = _course([flow.after for flow in flows]), _course([flow.before for flow in flows])
        return f"After training, gradients {after}. Before training, they {before}."
    after_training = {trace.model: [flow.after for flow in _at_longest(trace)] for trace in traces}
    decaying = {model: found for model, flows in after_training.items() if (found := _decaying(flows))}
    others = {model: _exceptions(flows) for model, flows in after_training.items()}
    said = [_ranking(decaying)] if decaying else []
    said += [f"In {model}, gradients {joined_names(found)}." for model, found in others.items() if found]
    return " ".join(said)


def cell_sentence(traces: Sequence[GradientTrace], key: str) -> str:
    """Return the horizons of a cell in the longest sequences of each model that has the cell.

    Args:
        traces: one of each model.
        key: of the cell, such as "encoder.1.forward".
    """
    found = [
        (trace.model, flow) for trace in traces for flow in _at_longest(trace) if flow.location.key == key
    ]
    said = [f"{model} {horizon_text(flow.before)} → {horizon_text(flow.after)}" for model, flow in found]
    exploding = [model for model, flow in found if flow.after.explodes]
    explosion = f" Gradients explode after training in {joined_names(exploding)}." if exploding else ""
    return f"Horizon before → after training, in positions: {'; '.join(said)}.{explosion}"


def horizon_text(flow: Flow) -> str:
    """Return the horizon, such as "11", "≥ 39" or "no error arrives"."""
    return str(flow.reach) if flow.error_arrives else "no error arrives"


def _at_longest(trace: GradientTrace) -> list[CellFlow]:
    return [flow for flow in trace.flows if flow.length == trace.lengths[-1]]


def _decaying(flows: Sequence[Flow]) -> list[Flow]:
    """Return the flows whose horizon says how far they reach: an error arrives, and does not explode."""
    return [flow for flow in flows if flow.error_arrives and not flow.explodes]


def _ranking(decaying: dict[str, list[Flow]]) -> str:
    """Return the models whose gradients reach farthest back, and the range of horizons in each.

    Args:
        decaying: the flows of each model that have some, see `_decaying`.
    """
    medians = {
        model: statistics.median(flow.reach.lower_bound for flow in flows)
        for model, flows in decaying.items()
    }
    farthest = [model for model, median in medians.items() if median == max(medians.values())]
    distance = "equally far" if len(farthest) == len(decaying) > 1 else "farthest"
    horizons = joined_names([f"{_range(flows)} in {model}" for model, flows in decaying.items()])
    return (
        f"After training, gradients reach {distance} back in {joined_names(farthest)}. "
        f"Horizons, in positions: {horizons}."
    )


def _range(flows: Sequence[Flow]) -> str:
    ordered = [str(flow.reach) for flow in sorted(flows, key=lambda flow: flow.reach.lower_bound)]
    return ordered[0] if ordered[0] == ordered[-1] else f"{ordered[0]} to {ordered[-1]}"


def _course(flows: Sequence[Flow]) -> str:
    """Return what the gradients of one model do with the distance, to be read after "gradients"."""
    return joined_names([*_decays(_decaying(flows), len(flows)), *_exceptions(flows)])


def _decays(flows: Sequence[Flow], cells: int) -> list[str]:
    """Return where gradients fall below a tenth, and where they do not up to the longest lag.

    Args:
        flows: all of the same length.
        cells: number of all cells of the model.
    """
    fallen = [flow for flow in flows if flow.horizon is not None]
    staying = [flow for flow in flows if flow.horizon is None]
    said = []
    if fallen:
        unit = "position" if all(flow.horizon == 1 for flow in fallen) else "positions"
        said.append(f"fall below a tenth after {_range(fallen)} {unit}{_where(fallen, cells)}")
    if staying:
        longest = staying[0].reach.longest
        said.append(f"stay above a tenth up to the longest lag ({longest}){_where(staying, cells)}")
    return said


def _exceptions(flows: Sequence[Flow]) -> list[str]:
    """Return that gradients explode in some cells, or that no error arrives at them, where this is so."""
    exploding = [flow for flow in flows if flow.explodes]
    without_error = [flow for flow in flows if not flow.error_arrives]
    said = [f"explode{_where(exploding, len(flows), always=True)}"] if exploding else []
    if without_error:
        said.append(f"are zero{_where(without_error, len(flows), always=True)}, where no error arrives")
    return said


def _where(flows: Sequence[Flow], cells: int, *, always: bool = False) -> str:
    """Return in which cells; unless `always`, this is empty for all of them."""
    if len(flows) == cells:
        return " in every cell" if always else ""
    return f" in {joined_names([flow.location.key for flow in flows])}"
