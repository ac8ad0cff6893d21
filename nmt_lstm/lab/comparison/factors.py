"""What is varied: keys of the run file with their values, and the variants that all their combinations make."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from nmt_lstm.config.fields import options_of
from nmt_lstm.config.problems import nearest_path
from nmt_lstm.errors import ConfigurationError

__all__ = ["SHORT_NAMES", "Factor", "Variant", "parse_factor", "parse_seeds", "split_values", "variants_of"]

SHORT_NAMES = {
    "cell": ("model.encoder.cell", "model.decoder.cell"),
    "attention": ("model.attention.name",),
    "decoder wiring": ("model.decoder.wiring",),
}
"""What has an option of its own, with the keys that it sets."""

_LARGEST_SEED = 2**32 - 1
_MOST_VARIANTS = 20
# All variants must be judged on one text, and each run is one process.
_FIXED = {
    "seed": "give seeds by --seeds",
    "data.valid_source": "all variants must be validated on the same text",
    "data.valid_target": "all variants must be validated on the same text",
    "data.source_language": "it is only shown",
    "data.target_language": "all variants must be scored alike",
    "data.tokenize": "all variants must be scored alike",
    "data.prepared": "it changes no result",
    "training.devices": "each run is one process",
    "training.nodes": "each run is one process",
    "training.strategy": "each run is one process",
    "training.tensorboard": "it changes no result",
}


@dataclass(frozen=True)
class Factor:
    """Something that is varied."""

    name: str
    """As a person calls it: "cell", or the key."""
    keys: tuple[str, ...]
    """Dotted keys of the run file, all of which get the value."""
    values: tuple[str, ...]
    """As they would stand after ``--set KEY=``."""


@dataclass(frozen=True)
class Variant:
    """One combination of values."""

    name: str
    """The values as text, such as "gru" or "gru, dot"."""
    slug: str
    """The same as a part of a file name; no two variants share one."""
    overrides: tuple[str, ...]
    """What ``--set`` would be given."""


def parse_factor(text: str) -> Factor:
    """Read ``KEY=VALUE,VALUE`` or ``KEY,KEY=VALUE,VALUE``; in the second all keys get each value together.

    Raises:
        ConfigurationError: a key is unknown or cannot be varied, or there are no values.
    """
    left, equals, right = text.partition("=")
    keys = tuple(key.strip() for key in left.split(","))
    if not equals or not all(keys):
        raise ConfigurationError(
            f"--vary '{text}' must look like KEY=VALUE,VALUE, such as model.decoder.wiring=gnmt,input_feeding."
        )
    for key in keys:
        _check_key(key)
    name = next((short for short, long in SHORT_NAMES.items() if long == keys), ", ".join(keys))
    return Factor(name, keys, split_values(right, f"--vary {left}"))


def split_values(text: str, origin: str) -> tuple[str, ...]:
    """Return values separated by commas; commas within quotes, brackets and braces do not separate.

    Raises:
        ConfigurationError: a value is empty or is there twice.
    """
    values, start, depth, quote = [], 0, 0, ""
    for place, character in enumerate(text):
        if quote:
            quote = "" if character == quote else quote
        elif character in "\"'":
            quote = character
        elif character in "[{":
            depth += 1
        elif character in "]}":
            depth -= 1
        elif character == "," and depth <= 0:
            values.append(text[start:place].strip())
            start = place + 1
    values.append(text[start:].strip())
    if not all(values):
        raise ConfigurationError(f"{origin}: '{text}' has an empty value; separate values by single commas.")
    twice = [value for value in dict.fromkeys(values) if values.count(value) > 1]
    if twice:
        raise ConfigurationError(f"{origin}: '{twice[0]}' is there twice; name each value once.")
    return tuple(values)


def parse_seeds(text: str) -> tuple[int, ...]:
    """Read seeds separated by commas.

    Raises:
        ConfigurationError: one is no seed, or is there twice.
    """
    words = split_values(text, "--seeds")
    for word in words:
        if not re.fullmatch(r"[0-9]{1,10}", word) or int(word) > _LARGEST_SEED:
            raise ConfigurationError(
                f"--seeds: '{word}' is no seed; give whole numbers from 0 to {_LARGEST_SEED}, such as --seeds 1,2,3."
            )
    seeds = tuple(int(word) for word in words)
    if len(set(seeds)) < len(seeds):
        raise ConfigurationError(f"--seeds: '{text}' has a seed twice; name each seed once.")
    return seeds


def variants_of(factors: Sequence[Factor]) -> list[Variant]:
    """Return all combinations of the factors' values.

    Raises:
        ConfigurationError: there is nothing to compare, a key is varied twice, or there are too many.
    """
    keys = [key for factor in factors for key in factor.keys]
    twice = [key for key in dict.fromkeys(keys) if keys.count(key) > 1]
    if twice:
        raise ConfigurationError(f"'{twice[0]}' is varied twice; give all its values in one place.")
    found: list[Variant] = []
    slugs: dict[str, int] = {}
    for values in itertools.product(*(factor.values for factor in factors)):
        name = ", ".join(_bare(value) for value in values)
        slug = re.sub(r"[^A-Za-z0-9.+]+", "-", name).strip("-.")[:60] or "variant"
        slugs[slug] = slugs.get(slug, 0) + 1
        if slugs[slug] > 1:
            slug = f"{slug}-{slugs[slug]}"
        overrides = [
            f"{key}={value}" for factor, value in zip(factors, values, strict=True) for key in factor.keys
        ]
        found.append(Variant(name, slug, tuple(overrides)))
    if len(found) < 2:
        only = f"only '{found[0].name}' is given" if factors else "nothing is varied"
        raise ConfigurationError(
            f"{only}, and a comparison needs two: name more with --cells, --attentions, --wirings or --vary, such as "
            f"--cells rnn,gru,lstm."
        )
    if len(found) > _MOST_VARIANTS:
        raise ConfigurationError(
            f"these values make {len(found)} combinations; at most {_MOST_VARIANTS} are compared at once: vary fewer."
        )
    return found


def _check_key(key: str) -> None:
    if key in _FIXED:
        raise ConfigurationError(f"--vary cannot vary '{key}': {_FIXED[key]}.")
    options = {option.path: option for option in options_of()}
    if key not in options and not any(
        parent in options and options[parent].default == {} for parent in _parents(key)
    ):
        raise ConfigurationError(f"--vary: unknown key '{key}'.{nearest_path(key)}")


def _parents(key: str) -> Iterable[str]:
    words = key.split(".")
    return (".".join(words[:count]) for count in range(1, len(words)))


def _bare(value: str) -> str:
    """Return a value without the quotes that a shell let through."""
    return value[1:-1] if len(value) > 2 and value[0] == value[-1] and value[0] in "\"'" else value
