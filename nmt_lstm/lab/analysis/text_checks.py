"""Signs that an output is not the plain text that scores are for: subwords, tokens, lower case, the wrong file."""

from __future__ import annotations

from collections.abc import Sequence

from nmt_lstm.text.processing_signs import FEW, MANY, MOST, lines_text, processing_signs

__all__ = ["text_warnings"]


def text_warnings(
    hypotheses: Sequence[str],
    references: Sequence[str],
    sources: Sequence[str] | None = None,
    *,
    more_references: Sequence[Sequence[str]] = (),
) -> list[str]:
    """Return a sentence, with the likely fix, for each sign that an output is not what should be scored.

    A sign that the references show as often is none: some texts have a blank before a full stop.

    Args:
        hypotheses: the output.
        references: as many lines of the first reference.
        sources: as many source lines, if they are known.
        more_references: further references.
    """
    found = [
        *processing_signs(hypotheses, references),
        *_case(hypotheses, references),
        *_blanks(hypotheses, references),
        *_empty(hypotheses, [references, *more_references]),
    ]
    if sources is not None:
        same = sum(one == other for one, other in zip(hypotheses, sources, strict=True))
        if same > MOST * len(hypotheses):
            found.append(
                f"{lines_text(same)} the source line itself; is it the right file, and the right direction?"
            )
    if len(hypotheses) > 1 and any(list(hypotheses) == list(each) for each in (references, *more_references)):
        found.append("every line is the reference itself; is it the right file?")
    return found


def _empty(hypotheses: Sequence[str], references: Sequence[Sequence[str]]) -> list[str]:
    """Lines that are empty on one side alone."""
    empty, unreferenced = [], []
    for number, (line, *truth) in enumerate(zip(hypotheses, *references, strict=True), 1):
        has_reference = any(reference.strip() for reference in truth)
        if not line.strip() and has_reference:
            empty.append(number)
        elif line.strip() and not has_reference:
            unreferenced.append(number)
    found = []
    if empty:
        found.append(
            f"{lines_text(len(empty))} empty, first line {empty[0]:,}; each lowers the score as an untranslated sentence."
        )
    if unreferenced:
        found.append(
            f"{lines_text(len(unreferenced))} without a reference, which is blank there, first line "
            f"{unreferenced[0]:,}; nothing can match, which lowers the score."
        )
    return found


def _case(hypotheses: Sequence[str], references: Sequence[str]) -> list[str]:
    capitals = sum(line != line.lower() for line in references)
    if capitals > MANY * len(references) and not any(line != line.lower() for line in hypotheses):
        return ["no line has a capital letter, but the references have; the scores are of mixed case."]
    return []


def _blanks(hypotheses: Sequence[str], references: Sequence[str]) -> list[str]:
    """Text without blanks, such as Japanese, that was cut into words."""
    ours, theirs = (sum(line.strip().count(" ") for line in lines) for lines in (hypotheses, references))
    characters = sum(map(len, references))
    if characters and theirs < FEW * characters and ours > 3 * theirs + MANY * len(hypotheses):
        return ["it has blanks between words, and the references have none; undo them with: sed 's/ //g'."]
    return []
