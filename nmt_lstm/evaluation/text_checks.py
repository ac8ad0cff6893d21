"""Signs that an output is not the plain text that scores are for: subwords, tokens, lower case, the wrong file."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

__all__ = ["text_warnings"]

# Shares of lines: what a system may do now and then is no sign, what it does throughout is.
_FEW = 0.01
_MANY = 0.2
_MOST = 0.5

_JOINED_SUBWORD = re.compile(r"\S@@(?:\s|$)")
_WORD_PIECE = re.compile(r"(?:^|\s)##\w")
_TOKEN_MARK = re.compile(r"\S (?:[.,!?;:)]|'s|n't|@-@)(?: |$)")
_ENTITY = re.compile(r"&(?:apos|quot|amp|lt|gt|#39|#91|#93|#124);")
_UNKNOWN = re.compile("<unk>|⁇")


def text_warnings(
    hypotheses: Sequence[str], references: Sequence[str], sources: Sequence[str] | None = None
) -> list[str]:
    """Return a sentence, with the likely fix, for each sign that an output is not what should be scored.

    A sign that the references show as often is none: some texts have a blank before a full stop.

    Args:
        hypotheses: the output.
        references: as many lines of the first reference.
        sources: as many source lines, if they are known.
    """
    found = [
        *_patterns(hypotheses, references),
        *_case(hypotheses, references),
        *_blanks(hypotheses, references),
    ]
    empty = [
        number
        for number, (line, reference) in enumerate(zip(hypotheses, references, strict=True), 1)
        if not line.strip() and reference.strip()
    ]
    if empty:
        found.append(
            f"{_lines(len(empty))} empty, first line {empty[0]:,}; each lowers the score as an untranslated sentence."
        )
    if sources is not None:
        same = sum(one == other for one, other in zip(hypotheses, sources, strict=True))
        if same > _MOST * len(hypotheses):
            found.append(
                f"{_lines(same)} the source line itself; is it the right file, and the right direction?"
            )
    if len(hypotheses) > 1 and list(hypotheses) == list(references):
        found.append("every line is the reference itself; is it the right file?")
    return found


def _patterns(hypotheses: Sequence[str], references: Sequence[str]) -> list[str]:
    kinds: tuple[tuple[Callable[[str], object], float, str], ...] = (
        (
            _JOINED_SUBWORD.search,
            _FEW,
            "subwords joined by '@@'; undo them with: sed -E 's/@@( |$)//g'.",
        ),
        (
            lambda line: "▁" in line,
            _FEW,
            "SentencePiece's '▁'; undo it with: spm_decode --model=FILE, or sed 's/ //g; s/▁/ /g; s/^ //'.",
        ),
        (_WORD_PIECE.search, _FEW, "word pieces that begin with '##'; undo them with: sed 's/ ##//g'."),
        (
            _ENTITY.search,
            _FEW,
            "escaped characters such as '&apos;'; undo them with Moses' deescape-special-chars.perl or sacremoses.",
        ),
        (
            _TOKEN_MARK.search,
            _MANY,
            "a blank before punctuation, as tokenised text has; undo it with: sacremoses -l LANGUAGE detokenize.",
        ),
        (_UNKNOWN.search, _FEW, "marks of unknown words ('<unk>' or '⁇'); they cannot match any reference."),
    )
    found = []
    for matches, least, meaning in kinds:
        count = sum(1 for line in hypotheses if matches(line))
        usual = sum(1 for line in references if matches(line))
        if count - usual > least * len(hypotheses):
            found.append(f"{_lines(count, have=True)} {meaning}")
    return found


def _case(hypotheses: Sequence[str], references: Sequence[str]) -> list[str]:
    capitals = sum(line != line.lower() for line in references)
    if capitals > _MANY * len(references) and not any(line != line.lower() for line in hypotheses):
        return ["no line has a capital letter, but the references have; the scores are of mixed case."]
    return []


def _blanks(hypotheses: Sequence[str], references: Sequence[str]) -> list[str]:
    """Text without blanks, such as Japanese, that was cut into words."""
    ours, theirs = (sum(line.strip().count(" ") for line in lines) for lines in (hypotheses, references))
    characters = sum(map(len, references))
    if characters and theirs < _FEW * characters and ours > 3 * theirs + _MANY * len(hypotheses):
        return ["it has blanks between words, and the references have none; undo them with: sed 's/ //g'."]
    return []


def _lines(count: int, *, have: bool = False) -> str:
    if have:
        return f"{count:,} line{'s have' if count != 1 else ' has'}"
    return f"{count:,} line{'s are' if count != 1 else ' is'}"
