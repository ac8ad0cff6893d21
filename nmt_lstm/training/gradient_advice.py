"""Whether gradients vanish or explode in a training run, in plain language, and which settings to change."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from nmt_lstm.config.schema import DecoderSettings, EncoderSettings, ModelSettings
from nmt_lstm.model.gradient_flow import Flow
from nmt_lstm.registry import CELLS

__all__ = ["Norms", "Suspicions", "exploding_norms", "suspicions", "warnings_of"]

# A gradient has vanished if less than this share arrives so many positions back. Cells that learn to translate stay at or
# above a hundredth there, trained ones that have learnt to forget included.
VANISHED_SHARE = 1e-3
VANISHED_LAG = 10
SHORTEST_LAG = 5
"""Batches of shorter sentences say nothing."""
LARGE_NORM = 10.0
"""Multiple of the clipping norm, or of 1 without clipping, above which a mean norm is that of exploding gradients."""

Suspicions = dict[str, list[str]]
"""For "vanish" and "grow" the names of the places at which a measurement shows it."""


class Norms(NamedTuple):
    """Norms of the whole gradient over some steps."""

    steps: int
    mean: float
    """Before clipping."""
    mean_clipped: float
    """After clipping."""
    clipped: float
    """Share of the steps that were clipped, from 0 to 1."""


def suspicions(flows: Sequence[Flow]) -> Suspicions:
    """Return at which places one measurement shows gradients that vanish or grow."""
    return {
        "vanish": [flow.place.name for flow in flows if _vanishes(flow)],
        "grow": [flow.place.name for flow in flows if flow.grows],
    }


def warnings_of(
    before: Mapping[str, Sequence[str]],
    flows: Sequence[Flow],
    *,
    step: int,
    model: ModelSettings,
    clip_norm: float,
) -> dict[str, str]:
    """Return a warning by kind, "vanish" or "grow", about what two measurements in a row show.

    Args:
        before: what the measurement before showed.
        flows: of the measurement now.
        step: after which optimizer step it was made.
        model: whose cells these are.
        clip_norm: the largest norm of the gradient; 0 is off.
    """
    now = suspicions(flows)
    twice = {
        kind: [flow for flow in flows if flow.place.name in set(now[kind]) & set(before.get(kind, ()))]
        for kind in now
    }
    found = {}
    if twice["vanish"]:
        first = twice["vanish"][0]
        lag = _far_lag(first)
        found["vanish"] = (
            f"Gradients vanish in the {_names(twice['vanish'])}: at step {step:,}, {first.relative[lag]:.2g} of an error "
            f"arrives {lag} positions before it, so the cell hardly learns from words farther apart. "
            f"{_advice_on_vanishing(twice['vanish'], model)}"
        )
    if twice["grow"]:
        first = twice["grow"][0]
        largest = max(first.relative)
        lag = first.relative.index(largest)
        clipping = (
            f"training.clip_norm = {clip_norm:g} bounds each step"
            if clip_norm
            else "Set training.clip_norm = 1: clipping is off"
        )
        found["grow"] = (
            f"Gradients explode in the {_names(twice['grow'])}: at step {step:,}, an error is {largest:.3g} times as large "
            f"{lag} positions before it. {clipping}. Lower training.optimizer.learning_rate, use a gated cell (lstm, gru), "
            f"or leave out long sentences (data.cleaning.max_pieces)."
        )
    return found


def exploding_norms(norms: Norms, *, step: int, clip_norm: float) -> str:
    """Return a warning if the gradients of the last steps are far larger than the steps that may be taken, or an empty text.

    Args:
        norms: of these steps.
        step: the last of them.
        clip_norm: the largest norm of the gradient; 0 is off.
    """
    if norms.mean <= LARGE_NORM * (clip_norm or 1.0):
        return ""
    said = f"The gradient's norm was {norms.mean:.3g} on average over the last {norms.steps:,} steps before step {step:,}"
    if not clip_norm:
        return f"{said}, and clipping is off: one batch can undo what many have learnt. Set training.clip_norm = 1."
    return (
        f"{said}, and training.clip_norm is {clip_norm:g}: {norms.clipped:.0%} of the steps were clipped, so the sizes of "
        f"gradients hardly count. Lower training.optimizer.learning_rate, or raise training.clip_norm if training is steady."
    )


def _far_lag(flow: Flow) -> int:
    return min(VANISHED_LAG, len(flow.norms) - 1)


def _vanishes(flow: Flow) -> bool:
    lag = _far_lag(flow)
    return lag >= SHORTEST_LAG and flow.norms[0] > 0.0 and flow.relative[lag] < VANISHED_SHARE


def _names(flows: Iterable[Flow]) -> str:
    return " and the ".join(flow.place.name for flow in flows)


def _advice_on_vanishing(flows: Sequence[Flow], model: ModelSettings) -> str:
    sides = dict.fromkeys(flow.place.side for flow in flows)
    advice = [_advice_on_cell(side, model.encoder if side == "encoder" else model.decoder) for side in sides]
    return f"{'; '.join(advice)}. Shorter sentences (data.cleaning.max_pieces) need less memory."


def _advice_on_cell(side: str, settings: EncoderSettings | DecoderSettings) -> str:
    options: Mapping[str, Any] = CELLS.options(settings.cell)
    if "forget_bias" in options:
        bias = settings.cell_options.get("forget_bias", options["forget_bias"].default)
        return f"Raise model.{side}.cell_options.forget_bias (it is {bias:g}), which opens the forget gate at the start"
    if settings.cell == "rnn":
        return f'Use a gated cell: model.{side}.cell = "lstm" or "gru"'
    return (
        f"Check the initialisation of the cell {settings.cell} (recurrent weights orthogonal, gates that keep their state "
        f'open), or use a different one: model.{side}.cell = "lstm" or "gru"'
    )
