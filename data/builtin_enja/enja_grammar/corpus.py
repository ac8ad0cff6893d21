"""From sentences to a corpus: unique pairs, and a split that keeps chosen combinations of words out of training."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from .choice import Chooser
from .descriptions import Descriptions
from .quotations import Quotations
from .registers import Pair
from .relatives import Relatives
from .statements import Statements
from .subordinate import Subordinates
from .voices import Voices

__all__ = ["SIZES", "Corpus", "is_held_out", "make_corpus"]

SIZES = {"train": 11_000, "valid": 500, "test": 600}
MAX_WORDS = 25
MIN_WORDS = 3
HELD_OUT_SHARE = 0.03


@dataclass(frozen=True)
class Corpus:
    """The pairs of each split; `unseen` counts the test pairs that combine words never combined in training."""

    splits: dict[str, list[Pair]]
    unseen: int


def is_held_out(combination: tuple[str, str]) -> bool:
    """Whether this verb or adjective with this noun is kept for validation and test; the same on every machine."""
    digest = hashlib.sha256("|".join(combination).encode()).digest()
    return int.from_bytes(digest[:4], "big") < HELD_OUT_SHARE * 2**32


def make_corpus(seed: int, sizes: dict[str, int] | None = None) -> Corpus:
    """Make the corpus.

    Every English and every Japanese sentence occurs once in all splits together. Half of the validation and test
    pairs contain a held-out combination of verb or adjective and noun; no training pair does.

    Raises:
        ValueError: an English sentence would have two translations.
    """
    sizes = sizes or SIZES
    choose = Chooser(seed)
    makers = _makers(choose)
    known: dict[str, str] = {}
    japanese_known: set[str] = set()
    ordinary: list[Pair] = []
    special: list[Pair] = []
    kept = (sizes["valid"] + 1) // 2 + (sizes["test"] + 1) // 2
    wanted = sum(sizes.values()) - kept
    while len(ordinary) < wanted or len(special) < kept:
        choose.combinations.clear()
        english, japanese = choose.weighted(makers)()
        if known.setdefault(english, japanese) != japanese:
            raise ValueError(f"two translations of {english!r}: {known[english]!r} and {japanese!r}")
        if japanese in japanese_known or not MIN_WORDS <= len(english.split()) <= MAX_WORDS:
            continue
        japanese_known.add(japanese)
        held_out = any(is_held_out(combination) for combination in choose.combinations)
        pool, room = (special, kept) if held_out else (ordinary, wanted)
        if len(pool) < room:
            pool.append((english, japanese))
    half = (sizes["valid"] + 1) // 2
    valid = special[:half] + ordinary[: sizes["valid"] - half]
    rest = ordinary[sizes["valid"] - half :]
    test_rest = sizes["test"] - (kept - half)
    test = special[half:] + rest[:test_rest]
    splits = {"train": rest[test_rest:], "valid": choose.shuffled(valid), "test": choose.shuffled(test)}
    return Corpus(splits, unseen=kept - half)


def _makers(choose: Chooser) -> list[tuple[float, Callable[[], Pair]]]:
    """The kinds of sentences and how often each is made."""
    statements, descriptions, voices = Statements(choose), Descriptions(choose), Voices(choose)
    relatives, subordinates, quotations = Relatives(choose), Subordinates(choose), Quotations(choose)
    return [
        (20, statements.statement),
        (4, statements.newcomer),
        (6, statements.question),
        (8, statements.asked_for),
        (7, statements.request),
        (7, descriptions.existence),
        (6, descriptions.described),
        (5, descriptions.comparison),
        (2.5, descriptions.possession),
        (4, voices.passive),
        (2.5, voices.causative),
        (5, voices.favour),
        (9, relatives.relative),
        (2, relatives.cleft),
        (4, subordinates.reason),
        (2.5, subordinates.contrast),
        (3.5, subordinates.time),
        (3, subordinates.own_time),
        (3.5, subordinates.condition),
        (3, subordinates.purpose),
        (6, quotations.framed),
        (2.5, quotations.quoted),
    ]
