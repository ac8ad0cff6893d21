"""Factors, which are keys of the run file with their values, and the variants that all their combinations make."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass

from nmt_lstm.config.fields import options_of
from nmt_lstm.config.problems import unknown_key
from nmt_lstm.errors import ConfigurationError

__all__ = ["SHORT_NAMES", "Factor", "Variant", "parse_factor", "parse_seeds", "split_values", "variants_of"]

SHORT_NAMES = {
    "cell": ("model.encoder.cell", "model.decoder.cell"),
    "attention": ("model.attention.name",),
    "decoder wiring": ("model.decoder.wiring",),
}
"""Factors that have a command-line option of their own, with the keys that they set."""

_MAX_SEED = 2**32 - 1
_MAX_VARIANTS = 20
_SAME_TEXT = "all variants must be validated on the same text"
_SAME_SCORES = "all variants must be scored in the same way"
_ONE_PROCESS = "each run is one process"
_FIXED = {
    "seed": "give seeds with --seeds",
    "data.valid_source": _SAME_TEXT,
    "data.valid_target": _SAME_TEXT,
    "data.validation": _SAME_TEXT,
    "data.source_language": "it does not affect training",
    "data.target_language": _SAME_SCORES,
    "data.tokenize": _SAME_SCORES,
    "data.prepared": "it does not affect results",
    "training.devices": _ONE_PROCESS,
    "training.nodes": _ONE_PROCESS,
    "training.strategy": _ONE_PROCESS,
    "training.tensorboard": "it does not affect results",
    "training.loggers": "it does not affect results",
    "insight.gradients": "it does not affect results",
    "insight.every": "it does not affect results",
}


@dataclass(frozen=True)
class Factor:
    """A setting that is varied."""

    name: str
    """A short name such as "cell", or the key."""
    keys: tuple[str, ...]
    """Dotted keys of the run file; all of them get the same value."""
    values: tuple[str, ...]
    """The values, as written after ``--set KEY=``."""


@dataclass(frozen=True)
class Variant:
    """One combination of values."""

    name: str
    """The values as text, such as "gru" or "gru, dot"."""
    slug: str
    """The name as part of a file name, unique among the variants."""
    overrides: tuple[str, ...]
    """The overrides, as given by ``--set``."""


def parse_factor(text: str) -> Factor:
    """Parse ``KEY=VALUE,VALUE`` or ``KEY,KEY=VALUE,VALUE``; in the latter, all keys get each value together.

    Raises:
        ConfigurationError: a key is unknown or cannot be varied, or there are no values.
    """
    left, equals, right = text.partition("=")
    keys = tuple(key.strip() for key in left.split(","))
    if not equals or not all(keys):
        raise ConfigurationError(
            f"--vary '{text}' must look like KEY=VALUE,VALUE, such as model.decoder.wiring=gnmt,input_feeding.",
            value=text,
        )
    for key in keys:
        _check_key(key)
    name = next((short for short, long in SHORT_NAMES.items() if long == keys), ", ".join(keys))
    return Factor(name, keys, split_values(right, f"--vary {left}"))


def split_values(text: str, origin: str) -> tuple[str, ...]:
    """Return values separated by commas; commas within quotes, brackets and braces do not separate.

    Args:
        text: the values.
        origin: the option that they were given by, for messages.

    Raises:
        ConfigurationError: a value is empty or repeated.
    """
    values, start, depth, quote = [], 0, 0, ""
    for index, character in enumerate(text):
        if quote:
            quote = "" if character == quote else quote
        elif character in "\"'":
            quote = character
        elif character in "[{":
            depth += 1
        elif character in "]}":
            depth -= 1
        elif character == "," and depth <= 0:
            values.append(text[start:index].strip())
            start = index + 1
    values.append(text[start:].strip())
    if not all(values):
        raise ConfigurationError(
            f"{origin}: '{text}' has an empty value; separate values by single commas.", value=text
        )
    if repeated := _first_repeated(values):
        raise ConfigurationError(f"{origin}: '{repeated}' is repeated; name each value once.", value=repeated)
    return tuple(values)


def parse_seeds(text: str) -> tuple[int, ...]:
    """Parse seeds separated by commas.

    Raises:
        ConfigurationError: one of them is not a seed, or is repeated.
    """
    words = split_values(text, "--seeds")
    for word in words:
        if not re.fullmatch(r"[0-9]{1,10}", word) or int(word) > _MAX_SEED:
            raise ConfigurationError(
                f"--seeds: '{word}' is not a seed; give whole numbers from 0 to {_MAX_SEED}, such as --seeds 1,2,3.",
                value=word,
            )
    seeds = tuple(int(word) for word in words)
    if len(set(seeds)) < len(seeds):
        raise ConfigurationError(f"--seeds: '{text}' repeats a seed; name each seed once.", value=text)
    return seeds


def variants_of(factors: Sequence[Factor]) -> list[Variant]:
    """Return all combinations of the factors' values.

    Raises:
        ConfigurationError: there are fewer than two or too many combinations, or a key is varied twice.
    """
    if repeated := _first_repeated([key for factor in factors for key in factor.keys]):
        raise ConfigurationError(f"'{repeated}' is varied twice; give all its values at once.", key=repeated)
    variants: list[Variant] = []
    slugs: dict[str, int] = {}
    for values in itertools.product(*(factor.values for factor in factors)):
        name = ", ".join(_unquoted(value) for value in values)
        slug = re.sub(r"[^A-Za-z0-9.+]+", "-", name).strip("-.")[:60] or "variant"
        slugs[slug] = slugs.get(slug, 0) + 1
        if slugs[slug] > 1:
            slug = f"{slug}-{slugs[slug]}"
        pairs = zip(factors, values, strict=True)
        overrides = tuple(f"{key}={value}" for factor, value in pairs for key in factor.keys)
        variants.append(Variant(name, slug, overrides))
    if len(variants) < 2:
        problem = f"only '{variants[0].name}' is given" if factors else "nothing is varied"
        raise ConfigurationError(
            f"{problem}, and a comparison needs two variants: add some with --cells, --attentions, --wirings or --vary, "
            f"such as --cells rnn,gru,lstm."
        )
    if len(variants) > _MAX_VARIANTS:
        raise ConfigurationError(
            f"these values make {len(variants)} combinations, and the limit is {_MAX_VARIANTS}; vary fewer."
        )
    return variants


def _check_key(key: str) -> None:
    if key in _FIXED:
        raise ConfigurationError(f"--vary cannot vary '{key}': {_FIXED[key]}.", key=key)
    options = {option.path: option for option in options_of()}
    words = key.split(".")
    # Options of cells and attentions are tables with free keys.
    parents = (".".join(words[:count]) for count in range(1, len(words)))
    if key not in options and not any(name in options and options[name].default == {} for name in parents):
        raise ConfigurationError(f"--vary: {unknown_key(key)}", key=key)


def _first_repeated(values: Sequence[str]) -> str | None:
    return next((value for index, value in enumerate(values) if value in values[:index]), None)


def _unquoted(value: str) -> str:
    """Return a value without the quotes that the shell did not remove."""
    return value[1:-1] if len(value) > 2 and value[0] == value[-1] and value[0] in "\"'" else value
