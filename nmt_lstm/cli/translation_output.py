"""How ``translate`` writes a translation: lines of text with optional columns, or a JSON object."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nmt_lstm.cli.arguments import TranslationFormat
from nmt_lstm.files.checksums import with_checksum
from nmt_lstm.plain_text import json_text

if TYPE_CHECKING:
    from nmt_lstm.inference.translation import Hypothesis, Translation

__all__ = ["OutputFormat", "hypothesis_values", "json_line"]


@dataclass(frozen=True)
class OutputFormat:
    """The values of the options."""

    line_format: TranslationFormat = TranslationFormat.text
    n_best: int = 1
    """Lines of text for each translation."""
    scores: bool = False
    """Write the score before the text."""
    alignments: bool = False
    """Write the alignment of pieces after the text."""
    word_alignments: bool = False
    """Write the alignment of words after that of pieces."""

    @property
    def needs_alignment(self) -> bool:
        """Whether alignments have to be computed."""
        return self.alignments or self.word_alignments or self.line_format is TranslationFormat.jsonl

    def lines_of(self, translation: Translation) -> bytes:
        """Return the output for one input line: one line of JSON, or exactly `n_best` lines of text."""
        lines = (
            [json_line(translation)]
            if self.line_format is TranslationFormat.jsonl
            else self._texts(translation)
        )
        return "".join(f"{line}\n" for line in lines).encode("utf-8")

    def _texts(self, translation: Translation) -> Iterator[str]:
        """Yield exactly `n_best` lines; the last ones are empty if the search found fewer hypotheses."""
        hypotheses: Iterable[Hypothesis | None] = itertools.chain(
            translation.hypotheses, itertools.repeat(None)
        )
        for hypothesis in itertools.islice(hypotheses, self.n_best):
            columns = [hypothesis.text if hypothesis else ""]
            if self.scores:
                columns.insert(0, f"{hypothesis.score:.4f}" if hypothesis else "")
            if self.alignments:
                columns.append(_pairs(hypothesis.alignment) if hypothesis else "")
            if self.word_alignments:
                columns.append(
                    _pairs(hypothesis.word_alignment(translation.source_pieces)) if hypothesis else ""
                )
            yield "\t".join(columns)


def _pairs(alignment: Iterable[tuple[int, int]] | None) -> str:
    return " ".join(f"{source}-{target}" for source, target in alignment or ())


def json_line(translation: Translation) -> str:
    """Return a JSON object with the line and its pieces, the best translation, all hypotheses, and a checksum."""
    values = {
        "source": translation.source,
        "source_pieces": list(translation.source_pieces),
        "translation": translation.text,
        "score": translation.score,
        "hypotheses": [hypothesis_values(hypothesis) for hypothesis in translation.hypotheses],
        "unmet": [each._asdict() for each in translation.unmet],
    }
    return json_text(with_checksum(values))


def hypothesis_values(hypothesis: Hypothesis) -> dict[str, Any]:
    """Return the values of a hypothesis for JSON."""
    values = {
        "text": hypothesis.text,
        "score": hypothesis.score,
        "pieces": list(hypothesis.pieces),
        "alignment": [list(pair) for pair in hypothesis.alignment or ()],
    }
    if hypothesis.piece_log_probabilities is not None:
        values["piece_log_probabilities"] = list(hypothesis.piece_log_probabilities)
        values["words"] = [
            {"text": word.text, "log_probability": word.log_probability} for word in hypothesis.words
        ]
    return values
