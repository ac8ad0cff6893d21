"""Sizing hidden layers so that networks of different parts have the same number of parameters."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from nmt_lstm.config.schema import ModelSettings
from nmt_lstm.errors import ConfigurationError, PluginError
from nmt_lstm.model.build import build_model

__all__ = ["Sizing", "count_parameters", "size_to"]

_TOLERANCE = 0.02
# Some parts refuse some sizes: an attention of 8 heads takes multiples of 8.
_STEP_OVER = 64
_LARGEST = 65_536


@dataclass(frozen=True)
class Sizing:
    """A network sized to a number of parameters."""

    model: ModelSettings
    parameters: int


def count_parameters(model: ModelSettings, source_size: int, target_size: int) -> int:
    """Return how many values a network trains, shared ones counted once.

    Raises:
        PluginError: a part is unknown, or refuses its sizes or options.
    """
    try:
        with torch.device("meta"):  # no memory, no drawing of weights
            network = build_model(model, source_size, target_size)
    except (RuntimeError, NotImplementedError):
        # A plugin may compute with its weights when it is made, which such tensors cannot.
        network = build_model(model, source_size, target_size)
    return sum(weight.numel() for weight in network.parameters())


def size_to(
    parameters: int, model: ModelSettings, *, source_size: int, target_size: int, name: str
) -> Sizing:
    """Scale the hidden sizes of encoder and decoder together until the network has `parameters`.

    Args:
        parameters: wanted; within 2 % counts as matched.
        model: the network; its hidden sizes give the proportion of encoder to decoder.
        source_size: pieces of the source vocabulary.
        target_size: pieces of the target vocabulary.
        name: of the variant, for messages.

    Raises:
        ConfigurationError: no size comes near enough; the message names the nearest.
        PluginError: a part cannot be built at any size.
    """
    known: dict[int, int | None] = {}
    refusal: PluginError | None = None

    def count(hidden: int) -> int | None:
        nonlocal refusal
        if hidden not in known:
            try:
                known[hidden] = count_parameters(_scaled(model, hidden), source_size, target_size)
            except PluginError as problem:
                refusal, known[hidden] = problem, None
        return known[hidden]

    def accepted_from(hidden: int) -> tuple[int, int] | None:
        """Return the first size from `hidden` on that the parts accept, with its parameters."""
        for size in range(hidden, min(hidden + _STEP_OVER, _LARGEST + 1)):
            found = count(size)
            if found is not None:
                return size, found
        return None

    if accepted_from(model.decoder.hidden_size) is None:
        assert refusal is not None
        raise refusal
    # From the size there is, not from the largest: a network that has to be made in memory should fit into it.
    low, high = 1, model.decoder.hidden_size
    while high < _LARGEST and ((reached := accepted_from(high)) is None or reached[1] < parameters):
        low, high = high, min(2 * high, _LARGEST)
    while low < high:
        middle = (low + high) // 2
        found = accepted_from(middle)
        if found is None or found[1] >= parameters:
            high = middle
        else:
            low = found[0] + 1
    nearby = list(range(max(1, low - _STEP_OVER), min(low + _STEP_OVER, _LARGEST) + 1))
    # Sizes just around the crossing first; further ones only where those are refused.
    nearby.sort(key=lambda size: (abs(size - low), size))
    best = None
    for size in nearby:
        found_here = count(size)
        if found_here is None:
            continue
        off = abs(found_here - parameters)
        if best is None or off < best:
            best = off
        elif abs(size - low) > 2:
            break
    off, size, there = min(
        (abs(values - parameters), size, values) for size, values in known.items() if values is not None
    )
    if off > _TOLERANCE * parameters:
        raise ConfigurationError(
            f"'{name}' cannot be sized to {parameters:,} parameters: with hidden layers of {size} it has {there:,}, and no "
            f"size comes nearer. Change model.embedding_size or the layers, or use --match updates or --match time."
        )
    return Sizing(_scaled(model, size), there)


def _scaled(model: ModelSettings, decoder_size: int) -> ModelSettings:
    """Return the network with this size of the decoder, and the encoder in proportion."""
    ratio = model.encoder.hidden_size / model.decoder.hidden_size
    return model.model_copy(
        update={
            "encoder": model.encoder.model_copy(
                update={"hidden_size": min(_LARGEST, max(1, round(decoder_size * ratio)))}
            ),
            "decoder": model.decoder.model_copy(update={"hidden_size": decoder_size}),
        }
    )
