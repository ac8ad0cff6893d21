"""Warnings about gradients that vanish or explode during training, with the settings to change."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from nmt_lstm.config.schema import DecoderSettings, EncoderSettings, ModelSettings
from nmt_lstm.model.gradient_flow import Flow
from nmt_lstm.plain_text import joined_names
from nmt_lstm.registry import CELLS
from nmt_lstm.training.gradient_norms import Norms

__all__ = ["Symptoms", "exploding_norms", "flow_warnings", "lasting_symptoms", "symptoms"]

# A gradient has vanished if less than this share of it arrives this many positions earlier. Far below the tenth of the
# horizon (`HORIZON_SHARE`), which healthy cells cross, too: cells that learn to translate keep about a hundredth or more at
# this lag, even after they have learnt to forget.
VANISHED_SHARE = 1e-3
VANISHED_LAG = 10
MIN_LAG = 5
"""The least number of positions from which a warning follows."""
LARGE_NORM = 10.0
"""A mean norm above this multiple of the clipping norm (of 1 without clipping) counts as exploding."""

Symptoms = dict[str, list[str]]
"""Keys ("encoder.1.forward") of the cells whose gradients "vanish" or "explode" in one measurement, by these two keys."""


def symptoms(flows: Sequence[Flow]) -> Symptoms:
    """Return the cells whose gradients vanish or explode in one measurement."""
    return {
        "vanish": [flow.location.key for flow in flows if _vanishes(flow)],
        "explode": [flow.location.key for flow in flows if flow.explodes],
    }


def lasting_symptoms(before: Symptoms, now: Symptoms) -> Symptoms:
    """Return the cells that have the same symptom in two successive measurements; one alone may be due to chance."""
    return {kind: [cell for cell in cells if cell in before.get(kind, ())] for kind, cells in now.items()}


def flow_warnings(
    lasting: Symptoms, flows: Sequence[Flow], *, step: int, model: ModelSettings, clip_norm: float
) -> dict[str, str]:
    """Return warnings about cells with symptoms, by the keys of `Symptoms`.

    Args:
        lasting: cells that have a symptom in this measurement, too; see `lasting_symptoms`.
        flows: the current measurement.
        step: the optimizer step after which it was made.
        model: settings of the network.
        clip_norm: the largest norm of the gradient; 0 is off.
    """
    vanishing, exploding = (
        [flow for flow in flows if flow.location.key in lasting.get(kind, ())]
        for kind in ("vanish", "explode")
    )
    found = {}
    if vanishing:
        strongest = max(vanishing, key=lambda flow: flow.relative[_far_lag(flow)])
        lag = _far_lag(strongest)
        found["vanish"] = (
            f"Gradients vanish in {_names(vanishing)}: at step {step:,}, at most {strongest.relative[lag]:.2g} of an "
            f"error arrives {lag} positions earlier, so they hardly learn from words farther apart. "
            f"{_advice_on_vanishing(vanishing, model)}"
        )
    if exploding:
        clipping = (
            f"training.clip_norm = {clip_norm:g} bounds each step"
            if clip_norm
            else "Set training.clip_norm = 1, because clipping is off"
        )
        found["explode"] = (
            f"Gradients explode in {_names(exploding)}: at step {step:,}, {_growth(exploding)}. "
            f"{clipping}. Lower training.optimizer.learning_rate, use a gated cell (lstm, gru), "
            f"or remove long sentences (data.cleaning.max_pieces)."
        )
    return found


def exploding_norms(norms: Norms, *, step: int, clip_norm: float) -> str:
    """Return a warning if the mean norm is far above the clipping norm, otherwise an empty string.

    Args:
        norms: the norms since the previous measurement.
        step: the last step among them.
        clip_norm: the largest norm of the gradient; 0 is off.
    """
    if norms.mean <= LARGE_NORM * (clip_norm or 1.0):
        return ""
    said = f"The norm of the gradient was {norms.mean:.3g} on average in the {norms.steps:,} steps up to step {step:,}"
    if not clip_norm:
        return f"{said}, and clipping is off, so one batch can undo the progress of many. Set training.clip_norm = 1."
    return (
        f"{said}, and training.clip_norm is {clip_norm:g}: {norms.clipped_share:.0%} of the steps were clipped to the same "
        f"norm. Lower training.optimizer.learning_rate, or raise training.clip_norm if the loss falls steadily."
    )


def _far_lag(flow: Flow) -> int:
    return min(VANISHED_LAG, len(flow.norms) - 1)


def _vanishes(flow: Flow) -> bool:
    lag = _far_lag(flow)
    return lag >= MIN_LAG and flow.error_arrives and flow.relative[lag] < VANISHED_SHARE


def _growth(flows: Sequence[Flow]) -> str:
    if not all(math.isfinite(share) for flow in flows for share in flow.relative):
        return "they are not finite"
    largest, lag = max((share, lag) for flow in flows for lag, share in enumerate(flow.relative))
    return f"an error is up to {largest:.3g} times as large {lag} positions earlier"


def _names(flows: Iterable[Flow]) -> str:
    return joined_names([flow.location.key for flow in flows])


def _advice_on_vanishing(flows: Sequence[Flow], model: ModelSettings) -> str:
    sides = dict.fromkeys(flow.location.side for flow in flows)
    advice = [_advice_on_cell(side, model.encoder if side == "encoder" else model.decoder) for side in sides]
    return f"{'; '.join(advice)}. Shorter sentences (data.cleaning.max_pieces) also help."


def _advice_on_cell(side: str, settings: EncoderSettings | DecoderSettings) -> str:
    options: Mapping[str, Any] = CELLS.options(settings.cell)
    if "forget_bias" in options:
        bias = settings.cell_options.get("forget_bias", options["forget_bias"].default)
        return f"Raise model.{side}.cell_options.forget_bias (it is {bias:g}), which opens the forget gate initially"
    if settings.cell == "rnn":
        return f'Use a gated cell: model.{side}.cell = "lstm" or "gru"'
    return (
        f"Check the initialisation of the cell {settings.cell} (recurrent weights orthogonal, gates that keep their state "
        f'open), or use a different one: model.{side}.cell = "lstm" or "gru"'
    )
