"""What a line can ask for beyond its translation, and lines made ready for search."""

from __future__ import annotations

import dataclasses
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial

from nmt_lstm.errors import ConfigurationError
from nmt_lstm.inference.checked_arguments import checked_text
from nmt_lstm.inference.translation import Unmet
from nmt_lstm.search.constraints import PieceConstraints
from nmt_lstm.text.casing import LineCase
from nmt_lstm.text.lines import LineWarnings, has_unsafe, single_line, without_line_end
from nmt_lstm.text.phrases import is_spaced_letter, phrase_spans
from nmt_lstm.text.special_pieces import UNKNOWN
from nmt_lstm.text.subwords import Subwords, Vocabulary

__all__ = ["LinePreparation", "PreparedLine", "TranslationRequest", "as_request", "tagged"]


@dataclass(frozen=True)
class TranslationRequest:
    """A line to translate, with what its translation must begin with, contain and not contain, and its tag.

    Phrases are whole words, with the letters' case as given; in scripts without spaces they may stand anywhere.
    What a translation does not meet after all is named in `Translation.unmet` and in a warning.

    Attributes:
        text: the line.
        prefix: what the translation begins with.
        require: phrases that it contains, each as often as it is listed.
        avoid: phrases that it does not contain. The prefix and required phrases win over them.
        tag: a piece in front of the line, as in training, such as the target language "<2de>".

    Raises:
        ConfigurationError: `require` or `avoid` is one string.
    """

    text: str
    prefix: str = ""
    require: Sequence[str] = ()
    avoid: Sequence[str] = ()
    tag: str = ""

    def __post_init__(self) -> None:
        for name in ("require", "avoid"):
            if isinstance(getattr(self, name), str):
                raise ConfigurationError(f"{name} is one string; give a list of phrases, such as [phrase].")

    def changed(self, change: Callable[[str], str]) -> TranslationRequest:
        """Return the request for a translation whose text is changed."""
        return dataclasses.replace(
            self,
            prefix=change(self.prefix),
            require=tuple(map(change, self.require)),
            avoid=tuple(map(change, self.avoid)),
        )

    def unmet(self, translation: str) -> tuple[Unmet, ...]:
        """Return what a translation does not meet: the prefix, required phrases that it lacks, avoided ones that it has."""
        prefix = _text(self.prefix)
        required = Counter(_phrases(self.require))
        return (
            *([Unmet("prefix", prefix)] if not translation.startswith(prefix) else []),
            *(
                Unmet("require", phrase)
                for phrase, count in required.items()
                if _occurrences(translation, phrase) < count
            ),
            *(
                Unmet("avoid", phrase)
                for phrase in dict.fromkeys(_phrases(self.avoid))
                if _occurrences(translation, phrase)
            ),
        )


@dataclass(frozen=True)
class PreparedLine:
    """A line as search needs it."""

    number: int
    """From 1."""
    request: TranslationRequest
    pieces: list[int]
    """Source pieces, at most `search.max_source_pieces` and that of the tag; none for a blank line."""
    target: PieceConstraints
    """What is asked of the target pieces."""
    case: LineCase | None = None
    """The case in which the translation is written, if it is an unusual one."""
    tag_pieces: int = 0
    """How many of the first pieces are a tag."""

    @property
    def text(self) -> str:
        """The line, without its line end."""
        return self.request.text


class LinePreparation:
    """Turns lines and requests into pieces.

    Args:
        subwords: the vocabularies.
        tags: if each line of the training text had one of these tags, so that lines without a tag are reported.
    """

    def __init__(self, subwords: Subwords, tags: Sequence[str] = ()) -> None:
        self._subwords = subwords
        self._tags = tags

    def prepare(
        self, numbered: Iterable[tuple[int, str | TranslationRequest]], limit: int, warnings: LineWarnings
    ) -> list[PreparedLine]:
        """Return the prepared lines.

        Args:
            numbered: lines with their numbers.
            limit: source pieces of a line, at most.
            warnings: where what was changed or cannot be met is reported.

        Raises:
            NotTextError: a line is neither a string nor a request.
        """
        requests = [(number, as_request(number, line)) for number, line in numbered]
        read = [self._subwords.source.form.without_line_case(request.text) for _, request in requests]
        # What holds only spaces is blank, and control characters count as spaces.
        encoded = self._subwords.source.encode_lines(
            [text if single_line(text).strip() else "" for text, _ in read]
        )
        lines = []
        for (number, request), (_, case), pieces in zip(requests, read, encoded, strict=True):
            if has_unsafe(request.text):
                warnings.unsafe(number)
            if unknown := self._subwords.source.unknown_invisible(request.text):
                warnings.invisible(number, unknown[0])
            if len(pieces) > limit:
                warnings.too_long(number, len(pieces), limit)
            if (
                self._tags
                and pieces
                and not request.tag
                and not any(tag in request.text for tag in self._tags)
            ):
                warnings.untagged(number, self._tags)
            target = self._target(number, request, case)
            tag = self._tag(request) if pieces else []
            lines.append(PreparedLine(number, request, [*tag, *pieces[:limit]], target, case, len(tag)))
        return lines

    def unmet(self, request: TranslationRequest, translation: str) -> tuple[Unmet, ...]:
        """Return what a translation does not meet, in the case of the line.

        A tag that the model does not have is among it; the line is translated without it.
        """
        form = self._subwords.source.form
        _, case = form.without_line_case(request.text)
        asked = request if case is None else request.changed(partial(form.in_case, case=case))
        lacks_tag = request.tag and not self._tag(request)
        return (*([Unmet("tag", request.tag)] if lacks_tag else []), *asked.unmet(translation))

    def _tag(self, request: TranslationRequest) -> list[int]:
        piece = self._subwords.source.symbol_piece(request.tag) if request.tag else None
        return [] if piece is None else [piece]

    def _target(self, number: int, request: TranslationRequest, case: LineCase | None) -> PieceConstraints:
        vocabulary = self._subwords.target
        form = vocabulary.form
        required, avoided = _phrases(request.require), _phrases(request.avoid)
        prefix = _text(request.prefix)
        if case is not None:
            # The translation is searched for in its usual case; only then is it written in the case of the line.
            prefix = form.beginning(prefix)
            required = tuple(form.without_line_case(phrase)[0] for phrase in required)
            avoided = tuple(variant for phrase in avoided for variant in form.variants(phrase))
        phrases = [phrase_pieces(vocabulary, phrase) for phrase in required]
        # Characters that the vocabulary does not have are never written; the phrase is then reported as not met.
        return PieceConstraints(
            number,
            tuple(piece for piece in vocabulary.encode(prefix) if piece != UNKNOWN) if prefix else (),
            tuple(pieces for pieces in phrases if UNKNOWN not in pieces),
            tuple(map(form.write, avoided)),
        )


def phrase_pieces(vocabulary: Vocabulary, phrase: str) -> tuple[int, ...]:
    """Return the pieces of a phrase within a text.

    Args:
        vocabulary: of the target side.
        phrase: not empty, no space at its ends.
    """
    pieces = vocabulary.encode(phrase)
    if not phrase[0].isalnum() or is_spaced_letter(phrase[0]):
        return tuple(pieces)
    # Within a text without spaces, the phrase follows another character directly.
    opening = vocabulary.encode("「")
    following = vocabulary.encode("「" + phrase)
    return tuple(following[len(opening) :] if following[: len(opening)] == opening else pieces)


def tagged(lines: Sequence[str], tag: str) -> Sequence[str | TranslationRequest]:
    """Return lines with a tag; the lines themselves without one."""
    return [TranslationRequest(line, tag=tag) for line in lines] if tag else lines


def as_request(number: int, line: str | TranslationRequest) -> TranslationRequest:
    """Return a line as a request, without its line end.

    Raises:
        NotTextError: it is neither a string nor a request.
    """
    if isinstance(line, TranslationRequest):
        text = without_line_end(checked_text(number, line.text))
        return line if text == line.text else dataclasses.replace(line, text=text)
    return TranslationRequest(without_line_end(checked_text(number, line)))


def _text(text: str) -> str:
    """Return a text as translations are written: on one line, composed, without spaces at its ends."""
    return unicodedata.normalize("NFC", single_line(text)).strip()


def _phrases(phrases: Sequence[str]) -> tuple[str, ...]:
    """Return the phrases that are not blank, as translations are written."""
    return tuple(text for phrase in phrases if (text := _text(phrase)))


def _occurrences(text: str, phrase: str) -> int:
    return sum(1 for _ in phrase_spans(text, phrase))
