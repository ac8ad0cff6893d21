"""A small made-up parallel text: German-like sentences whose verbs stand at the end, and their English-like translations."""

from __future__ import annotations

import random

NOUNS = {
    "hund": "dog", "katze": "cat", "baum": "tree", "haus": "house", "vogel": "bird", "kind": "child", "mann": "man",
    "frau": "woman", "stein": "stone", "fluss": "river", "berg": "mountain", "stern": "star",
}  # fmt: skip
ADJECTIVES = {
    "klein": "small", "gross": "large", "rot": "red", "alt": "old", "neu": "new", "still": "quiet", "blau": "blue",
}  # fmt: skip
VERBS = {
    "sieht": "sees",
    "kennt": "knows",
    "sucht": "seeks",
    "findet": "finds",
    "malt": "paints",
    "hört": "hears",
}
ADVERBS = {"heute": "today", "nie": "never", "oft": "often", "hier": "here"}
LINKS = {"und": "and", "aber": "but", "weil": "because"}


def pairs(count: int, seed: int, *, unknown: float = 0.0) -> list[tuple[str, str]]:
    """Return sentence pairs; `unknown` is the share of source nouns that the training text does not have."""
    source = random.Random(seed)
    return [_sentence(source, unknown) for _ in range(count)]


def _sentence(source: random.Random, unknown: float) -> tuple[str, str]:
    german, english = _clause(source, unknown)
    while source.random() < 0.15:
        link = source.choice(list(LINKS))
        more_german, more_english = _clause(source, unknown)
        german, english = f"{german} , {link} {more_german}", f"{english} , {LINKS[link]} {more_english}"
    return f"{german} .", f"{english} ."


def _clause(source: random.Random, unknown: float) -> tuple[str, str]:
    subject, thing = _phrase(source, unknown), _phrase(source, unknown)
    verb = source.choice(list(VERBS))
    german, english = f"{subject[0]} {thing[0]} {verb}", f"{subject[1]} {VERBS[verb]} {thing[1]}"
    if source.random() < 0.4:
        adverb = source.choice(list(ADVERBS))
        german, english = f"{adverb} {german}", f"{english} {ADVERBS[adverb]}"
    return german, english


def _phrase(source: random.Random, unknown: float) -> tuple[str, str]:
    noun = source.choice(list(NOUNS))
    german, english = noun, NOUNS[noun]
    if source.random() < unknown:
        german = english = source.choice(["zebra", "quarz", "jod"])
    if source.random() < 0.4:
        adjective = source.choice(list(ADJECTIVES))
        german, english = f"{adjective} {german}", f"{ADJECTIVES[adjective]} {english}"
    return f"das {german}", f"the {english}"
