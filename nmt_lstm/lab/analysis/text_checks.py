"""Warnings about outputs that should not be scored: subwords, tokens, lower case, the wrong file."""

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
    """Return a sentence, with the likely fix, for each sign that an output should not be scored.

    Signs that are as frequent in the references do not count, since some texts have a space before a full stop.

    Args:
        hypotheses: the lines of the output.
        references: the lines of the first reference.
        sources: the source lines; None if unknown.
        more_references: further references.
    """
    warnings = [
        *processing_signs(hypotheses, references),
        *_case(hypotheses, references),
        *_spaces(hypotheses, references),
        *_empty(hypotheses, [references, *more_references]),
    ]
    if sources is not None:
        same = sum(one == other for one, other in zip(hypotheses, sources, strict=True))
        if same > MOST * len(hypotheses):
            warnings.append(f"{lines_text(same)} identical to the source; check the file and the direction.")
    if len(hypotheses) > 1 and any(list(hypotheses) == list(each) for each in (references, *more_references)):
        warnings.append("every line is identical to the reference; check the file.")
    return warnings


def _empty(hypotheses: Sequence[str], references: Sequence[Sequence[str]]) -> list[str]:
    """Return warnings about lines that are empty on one side only."""
    empty, unreferenced = [], []
    for number, (line, *texts) in enumerate(zip(hypotheses, *references, strict=True), 1):
        has_reference = any(reference.strip() for reference in texts)
        if not line.strip() and has_reference:
            empty.append(number)
        elif line.strip() and not has_reference:
            unreferenced.append(number)
    warnings = []
    if empty:
        warnings.append(
            f"{lines_text(len(empty))} empty, first line {empty[0]:,}; each lowers the score like an untranslated sentence."
        )
    if unreferenced:
        warnings.append(
            f"{lines_text(len(unreferenced))} without a reference, first line {unreferenced[0]:,}; "
            f"nothing can match there, which lowers the score."
        )
    return warnings


def _case(hypotheses: Sequence[str], references: Sequence[str]) -> list[str]:
    capitals = sum(line != line.lower() for line in references)
    if capitals > MANY * len(references) and not any(line != line.lower() for line in hypotheses):
        return ["no line has capital letters, but the references do, and scores are case-sensitive."]
    return []


def _spaces(hypotheses: Sequence[str], references: Sequence[str]) -> list[str]:
    """Return a warning about text without spaces, such as Japanese, that was split into words."""
    spaces, expected = (sum(line.strip().count(" ") for line in lines) for lines in (hypotheses, references))
    characters = sum(map(len, references))
    if characters and expected < FEW * characters and spaces > 3 * expected + MANY * len(hypotheses):
        return [
            "it contains spaces between words, but the references do not; remove them with: sed 's/ //g'."
        ]
    return []
