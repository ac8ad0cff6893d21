"""Hidden sizes that give networks with different parts the same number of parameters."""

from __future__ import annotations

import bisect

import torch

from nmt_lstm.config.schema import ModelSettings
from nmt_lstm.errors import ConfigurationError, PluginError
from nmt_lstm.model.build import build_model

__all__ = ["count_parameters", "size_to"]

_TOLERANCE = 0.02
# Some parts reject some sizes: attention with 8 heads needs multiples of 8.
_MAX_GAP = 64
_MAX_HIDDEN_SIZE = 65_536
_INFINITE = 2**63  # more parameters than any network has


def count_parameters(model: ModelSettings, source_size: int, target_size: int) -> int:
    """Return the number of trained parameters of a network, shared ones counted once.

    Args:
        model: the network.
        source_size: pieces in the source vocabulary.
        target_size: pieces in the target vocabulary.

    Raises:
        PluginError: a part is unknown, or rejects its sizes or options.
    """
    try:
        with torch.device("meta"):  # neither allocates memory nor initialises weights
            network = build_model(model, source_size, target_size)
    except (RuntimeError, NotImplementedError):
        # The constructor of a plugin may compute with its weights, which meta tensors do not support.
        network = build_model(model, source_size, target_size)
    return sum(weight.numel() for weight in network.parameters())


def size_to(
    parameters: int, model: ModelSettings, *, source_size: int, target_size: int, name: str
) -> ModelSettings:
    """Return the network with the hidden sizes whose number of parameters is closest to `parameters`.

    Encoder and decoder are scaled together; an encoder other than the recurrent one keeps its size.

    Args:
        parameters: the target; a deviation of up to 2 % counts as matched.
        model: the network; its hidden sizes give the ratio of encoder to decoder.
        source_size: pieces in the source vocabulary.
        target_size: pieces in the target vocabulary.
        name: name of the variant, for messages.

    Raises:
        ConfigurationError: no size is close enough; the message names the closest one.
        PluginError: a part rejects all sizes.
    """
    counts: dict[int, int] = {}
    refusals: dict[int, PluginError] = {}

    def count(hidden: int) -> int | None:
        """Return the number of parameters; None if a part rejects the size."""
        if hidden not in counts and hidden not in refusals:
            try:
                counts[hidden] = count_parameters(_scaled(model, hidden), source_size, target_size)
            except PluginError as problem:
                refusals[hidden] = problem
        return counts.get(hidden)

    def count_from(hidden: int) -> int:
        """Return the number of parameters at the first size from `hidden` on that all parts accept."""
        sizes = range(hidden, min(hidden + _MAX_GAP, _MAX_HIDDEN_SIZE + 1))
        return next((number for size in sizes if (number := count(size)) is not None), _INFINITE)

    start = model.decoder.hidden_size
    if count_from(start) == _INFINITE:
        raise refusals[start]
    # Doubling from the present size avoids building far larger networks, some of which need real memory.
    low, high = 1, start
    while high < _MAX_HIDDEN_SIZE and not parameters <= count_from(high) < _INFINITE:
        low, high = high, min(2 * high, _MAX_HIDDEN_SIZE)
    crossing = low + bisect.bisect_left(range(low, high), parameters, key=count_from)
    nearby = range(max(1, crossing - _MAX_GAP), min(crossing + _MAX_GAP, _MAX_HIDDEN_SIZE) + 1)
    # Sizes around the crossing that are rejected are skipped; an accepted one further away that is no better ends the
    # search.
    error = _INFINITE
    for size in sorted(nearby, key=lambda size: abs(size - crossing)):
        number = count(size)
        if number is not None and abs(number - parameters) >= error and abs(size - crossing) > 2:
            break
        if number is not None:
            error = min(error, abs(number - parameters))
    best = min(counts, key=lambda size: (abs(counts[size] - parameters), size))
    if abs(counts[best] - parameters) > _TOLERANCE * parameters:
        raise ConfigurationError(
            f"'{name}' cannot be sized to {parameters:,} parameters: the closest is {counts[best]:,}, with hidden size "
            f"{best}. Change model.embedding_size or the layers, or use --match updates or --match time.",
            value=parameters,
        )
    return _scaled(model, best)


def _scaled(model: ModelSettings, decoder_size: int) -> ModelSettings:
    """Return the network with this decoder size, and the encoder in proportion."""
    encoder_size = round(decoder_size * model.encoder.hidden_size / model.decoder.hidden_size)
    encoder = model.encoder.model_copy(update={"hidden_size": min(_MAX_HIDDEN_SIZE, max(1, encoder_size))})
    decoder = model.decoder.model_copy(update={"hidden_size": decoder_size})
    return model.model_copy(update={"encoder": encoder, "decoder": decoder})
