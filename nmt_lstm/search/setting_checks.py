"""Checks of search settings that contradict each other or have no effect; without torch, so that commands make them at once."""

from __future__ import annotations

from collections.abc import Iterable

from nmt_lstm.config.schema import SearchSettings
from nmt_lstm.errors import ConfigurationError

__all__ = ["check_effects", "check_search"]

SAMPLING_ONLY = ("temperature", "top_k", "top_p")
_OF_TRANSLATION = frozenset(
    {"coverage_penalty", "decision", "language_model_weight", "max_length_ratio", "max_source_pieces", "min_length_ratio", "samples"}
)  # fmt: skip


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


def check_effects(settings: SearchSettings, names: Iterable[str], *, has_source: bool) -> None:
    """Raise ConfigurationError if a setting that the user has just set has no effect beside the others.

    The settings of a run file may have none: they are what later searches begin with.

    Args:
        settings: of the search.
        names: those that the user has set, such as "samples".
        has_source: whether a translation is searched for, not a text without a source.
    """
    for name in names:
        if reason := _lacks_effect(settings, name, has_source=has_source):
            raise ConfigurationError(
                f"search.{name} = {getattr(settings, name)} has no effect: {reason}.",
                key=f"search.{name}",
                value=getattr(settings, name),
            )


def _lacks_effect(settings: SearchSettings, name: str, *, has_source: bool) -> str:
    """Return why a setting has no effect, and what would give it one; empty if it has one."""
    samples = settings.method == "sampling"
    if name == "max_pieces" and has_source:
        return "it limits the texts of a language model; a translation has search.max_length_ratio"
    if name in _OF_TRANSLATION and not has_source:
        return "it is for translations, and a language model has no source text"
    if name in (*SAMPLING_ONLY, "seed") and not samples:
        return 'it is for sampling; add search.method = "sampling", or leave it out'
    if name == "samples" and not (samples and settings.decision != "score"):
        return (
            'it is for the search.decision "chrf" or "bleu" among samples (search.method = "sampling"); add both, or leave it '
            "out"
        )
    if name in ("beam_size", "coverage_penalty") and samples:
        return "it is for beam search, and search.method is sampling; leave one of them out"
    if name == "alpha" and settings.length_penalty == "none":
        return "search.length_penalty is none; leave one of them out"
    if name == "decision" and not samples and settings.beam_size == 1:
        return "a beam of one hypothesis leaves nothing to choose; use a larger beam size"
    return ""


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
