"""The scripts of languages, to tell from letters alone that a text cannot be in a language."""

from __future__ import annotations

import functools
import unicodedata
from collections import Counter
from collections.abc import Iterable

__all__ = ["letter_scripts", "scripts_of"]

# By the first word of the names that Unicode gives to letters. Languages that are often written in several of these scripts,
# such as Serbian or Kazakh, are left out.
_LANGUAGES = {
    (
        "LATIN",
    ): "af br ca cs cy da de en eo es et eu fi fo fr fy ga gd gl hr ht hu id is it la lb lt lv mg mi ms mt nb nl nn no "
    "oc pb pl pt ro sk sl so sq sv sw tl tr vi zu",
    ("CYRILLIC",): "be bg ky mk ru tg uk",
    ("GREEK",): "el",
    ("ARABIC",): "ar fa ps ur",
    ("HEBREW",): "he yi",
    ("DEVANAGARI",): "hi mr ne",
    ("BENGALI",): "as bn",
    ("TAMIL",): "ta",
    ("TELUGU",): "te",
    ("THAI",): "th",
    ("GEORGIAN",): "ka",
    ("ARMENIAN",): "hy",
    ("ETHIOPIC",): "am ti",
    ("HANGUL",): "ko",
    ("CJK", "BOPOMOFO"): "zh zt",
    ("CJK", "HIRAGANA", "KATAKANA"): "ja",
}
_SCRIPTS = {
    code: frozenset(scripts) for scripts, languages in _LANGUAGES.items() for code in languages.split()
}


def scripts_of(language: str) -> frozenset[str]:
    """Return the scripts of a language such as "ja" or "pt-BR", as `letter_scripts` calls them; none if they are not known.

    A code that names a script itself, such as "sr-Latn", is not known.
    """
    code, *parts = language.replace("_", "-").split("-")
    return frozenset() if any(len(part) == 4 for part in parts) else _SCRIPTS.get(code.lower(), frozenset())


def letter_scripts(texts: Iterable[str]) -> Counter[str]:
    """Return how many letters of each script texts have; compatibility forms count as the letters that they stand for."""
    return Counter(
        _script(letter)
        for text in texts
        for letter in unicodedata.normalize("NFKC", text)
        if letter.isalpha() and letter not in _SHARED
    )


# Signs of Japanese whose names begin differently: they lengthen a vowel, or repeat a character.
_SHARED = frozenset("ー々")


@functools.lru_cache(maxsize=1 << 14)
def _script(letter: str) -> str:
    return unicodedata.name(letter, "").partition(" ")[0]
