"""Where words of Japanese may begin, as far as its scripts show it.

Words of content begin in ideographs or katakana and end in hiragana, so a word begins where hiragana end. Particles, which
follow a word, are hiragana too. This needs no dictionary, and finds most places where a phrase may be inserted.
"""

from __future__ import annotations

import re

__all__ = ["begins_word", "has_kana"]

_HIRAGANA = re.compile("[\u3041-\u309f]")
_KATAKANA = re.compile("[\u30a1-\u30ff\u31f0-\u31ff]")
_IDEOGRAPH = re.compile("[\u3005\u3006\u3400-\u9fff\uf900-\ufaff]")
_PARTICLES = frozenset("はがをにでとのもへや")


def has_kana(text: str) -> bool:
    """Return whether a text is Japanese."""
    return bool(_HIRAGANA.search(text) or _KATAKANA.search(text))


def begins_word(before: str, after: str) -> bool:
    """Return whether a word may begin between two characters of a Japanese text; always, if one has a different script.

    Args:
        before: the last character of what precedes.
        after: the first one of what follows.
    """
    scripts = (_HIRAGANA, _KATAKANA, _IDEOGRAPH)
    first = next((script for script in scripts if script.match(before)), None)
    second = next((script for script in scripts if script.match(after)), None)
    if first is None or second is None:
        return True
    if second is _HIRAGANA:
        return first is not _HIRAGANA and after in _PARTICLES
    return first is not second
