"""Checks of search settings that contradict each other; they need no torch, so that commands make them at once."""

from __future__ import annotations

from nmt_lstm.config.schema import SearchSettings
from nmt_lstm.errors import ConfigurationError

__all__ = ["check_search"]

SAMPLING_ONLY = ("temperature", "top_k", "top_p")


def check_search(settings: SearchSettings, n_best: int = 1) -> None:
    """Raise ConfigurationError if the settings contradict each other or `n_best`."""
    if settings.method == "sampling":
        if n_best < 1:
            raise ConfigurationError(f"n_best is {n_best}, but must be at least 1.")
    elif not 1 <= n_best <= settings.beam_size:
        raise ConfigurationError(
            f"n_best is {n_best}, but must be between 1 and the beam size ({settings.beam_size}); raise the beam size.",
            key="n_best",
            value=n_best,
        )
    defaults = SearchSettings()
    for name in SAMPLING_ONLY:
        if settings.method != "sampling" and getattr(settings, name) != getattr(defaults, name):
            raise ConfigurationError(
                f'search.{name} = {getattr(settings, name)} is for sampling; add search.method = "sampling", or leave it out.',
                key=f"search.{name}",
                value=getattr(settings, name),
            )
    if settings.min_length_ratio > settings.max_length_ratio:
        raise ConfigurationError(
            f"search.min_length_ratio ({settings.min_length_ratio}) is above search.max_length_ratio "
            f"({settings.max_length_ratio}); lower it.",
            key="search.min_length_ratio",
            value=settings.min_length_ratio,
        )
    _check_groups(settings)


def _check_groups(settings: SearchSettings) -> None:
    groups, size = settings.beam_groups, settings.beam_size
    if groups == 1:
        if settings.diversity != SearchSettings().diversity:
            raise ConfigurationError(
                f"search.diversity = {settings.diversity} is for groups of the beam; add search.beam_groups, such as {size}, "
                f"or leave it out.",
                key="search.diversity",
                value=settings.diversity,
            )
        return
    if settings.method == "sampling":
        raise ConfigurationError(
            f"search.beam_groups = {groups} is for beam search, but search.method is sampling, whose translations differ by "
            f"themselves; leave one of them out.",
            key="search.beam_groups",
            value=groups,
        )
    if size % groups:
        raise ConfigurationError(
            f"search.beam_groups = {groups} does not divide the beam size {size} into equal parts; use a beam size such as "
            f"{groups * -(-size // groups)}.",
            key="search.beam_groups",
            value=groups,
        )
