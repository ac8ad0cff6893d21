"""Signs that text is not plain but was preprocessed: subwords, tokens, escaped characters."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

__all__ = ["FEW", "MANY", "MOST", "lines_text", "processing_signs"]

# Fractions of the lines: a mark that occurs occasionally is not a sign, one that occurs throughout is.
FEW = 0.01
MANY = 0.2
MOST = 0.5

_JOINED_SUBWORD = re.compile(r"\S@@(?:\s|$)")
_WORD_PIECE = re.compile(r"(?:^|\s)##\w")
_TOKEN_MARK = re.compile(r"\S (?:[.,!?;:)]|'s|n't|@-@)(?: |$)")
# Plain French has a space before the other marks, too; Japanese has none before a full stop.
_SURE_TOKEN_MARK = re.compile(r"\S (?:[.,。、]|'s|n't|@-@)(?: |$)")
_ENTITY = re.compile(r"&(?:apos|quot|amp|lt|gt|#39|#91|#93|#124);")
_UNKNOWN = re.compile("<unk>|⁇")


def processing_signs(lines: Sequence[str], reference: Sequence[str] | None = None) -> list[str]:
    """Return the end of a sentence, with the likely fix, for each sign that lines are not plain text.

    Args:
        lines: the text.
        reference: as many lines of plain text; marks that are as frequent there are not signs, since some texts have a
            space before a full stop. Without it, only marks that hardly occur in plain text are signs.
    """
    token_mark = _SURE_TOKEN_MARK if reference is None else _TOKEN_MARK
    kinds: tuple[tuple[Callable[[str], object], float, str], ...] = (
        (
            _JOINED_SUBWORD.search,
            FEW,
            "subwords joined by '@@'; undo them with: sed -E 's/@@( |$)//g'.",
        ),
        (
            lambda line: "▁" in line,
            FEW,
            "SentencePiece's '▁'; undo it with: spm_decode --model=FILE, or sed 's/ //g; s/▁/ /g; s/^ //'.",
        ),
        (_WORD_PIECE.search, FEW, "word pieces that begin with '##'; undo them with: sed 's/ ##//g'."),
        (
            _ENTITY.search,
            FEW,
            "escaped characters such as '&apos;'; undo them with Moses' deescape-special-chars.perl or sacremoses.",
        ),
        (
            token_mark.search,
            MANY,
            "a space before punctuation, as in tokenised text; undo it with: sacremoses -l LANGUAGE detokenize.",
        ),
        (
            lambda line: "\t" in line,
            MOST,
            "tabs; if the file is a table, name the column of this side, such as pairs.tsv:1.",
        ),
        (_UNKNOWN.search, FEW, "marks of unknown words ('<unk>' or '⁇'); they cannot match any reference."),
    )
    signs = []
    for matches, threshold, meaning in kinds:
        count = sum(1 for line in lines if matches(line))
        expected = sum(1 for line in reference or () if matches(line))
        if count - expected > threshold * len(lines):
            signs.append(f"{lines_text(count, have=True)} {meaning}")
    return signs


def lines_text(count: int, *, have: bool = False) -> str:
    """Return "1 line is", "2 lines are", "1 line has" or "2 lines have"."""
    if have:
        return f"{count:,} line{'s have' if count != 1 else ' has'}"
    return f"{count:,} line{'s are' if count != 1 else ' is'}"
