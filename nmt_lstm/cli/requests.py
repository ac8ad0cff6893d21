"""Options of ``translate`` that constrain translations: prefixes, terms, required and avoided phrases, tags."""

from __future__ import annotations

import itertools
import json
import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nmt_lstm.cli.lines import input_lines, input_stream, name_of
from nmt_lstm.errors import ConfigurationError, DataError
from nmt_lstm.plain_text import count_of
from nmt_lstm.text.lines import single_line

if TYPE_CHECKING:
    from nmt_lstm.config.schema import SearchSettings
    from nmt_lstm.inference.requests import TranslationRequest
    from nmt_lstm.inference.terms import Terms

__all__ = ["AvoidFile", "Constraints", "Prefix", "Prefixes", "RequestOptions", "TermsFile"]

TEXTS = ("prefix", "tag")
KINDS = (*TEXTS, "require", "avoid")
EXAMPLE = '{"prefix": "A", "require": ["red car"], "avoid": ["auto"]}'

Prefix = Annotated[
    str,
    typer.Option(
        "--prefix",
        metavar="TEXT",
        help="Force the beginning of every translation.",
        rich_help_panel="Requests",
    ),
]
Prefixes = Annotated[
    Path | None,
    typer.Option(
        "--prefixes",
        metavar="FILE",
        help="Beginnings of the translations, one per input line; used before --prefix.",
        rich_help_panel="Requests",
    ),
]
Constraints = Annotated[
    Path | None,
    typer.Option(
        "--constraints",
        metavar="FILE",
        help="Prefix and phrases to require and to avoid, one JSON object per input line.",
        rich_help_panel="Requests",
    ),
]
TermsFile = Annotated[
    Path | None,
    typer.Option(
        "--terms",
        metavar="FILE",
        help="Terminology: source phrase, tab, target phrase, one pair per line.",
        rich_help_panel="Requests",
    ),
]
AvoidFile = Annotated[
    Path | None,
    typer.Option(
        "--avoid",
        metavar="FILE",
        help="Phrases that translations must not contain, one per line.",
        rich_help_panel="Requests",
    ),
]

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class RequestOptions:
    """The values of the options."""

    prefix: str = ""
    """The prefix of every translation."""
    prefixes: Path | None = None
    """One prefix per input line."""
    constraints: Path | None = None
    """One JSON object per input line, with `prefix`, `require`, `avoid` and `tag`."""
    terms: Path | None = None
    """A table of source and target phrases."""
    avoid: Path | None = None
    """Phrases that no translation may contain, one per line."""
    tag: str = ""
    """The tag of every line."""

    @property
    def files(self) -> tuple[Path | None, ...]:
        """All files."""
        return (self.prefixes, self.constraints, self.terms, self.avoid)

    @cached_property
    def _terms(self) -> Terms:
        from nmt_lstm.inference.terms import LARGEST_TABLE, Terms

        if self.terms is None:
            return Terms([])
        with input_stream(self.terms) as stream:
            return Terms.parse(stream.read(LARGEST_TABLE + 1), name_of(self.terms))

    @cached_property
    def _avoided(self) -> list[str]:
        return [*input_lines(self.avoid)] if self.avoid else []

    def check(self, search: SearchSettings, check_tag: Callable[[str], None]) -> None:
        """Read the files that are not pipes, so that a mistake in them is reported before a model is loaded.

        Args:
            search: the settings of the search.
            check_tag: raises ConfigurationError if the model does not have a tag.

        Raises:
            ConfigurationError: phrases are required, and the search draws samples; or the model does not have a tag.
            DataError: a file cannot be read, or a line is not what it should be.
        """
        samples = search.method == "sampling"
        if self.terms is not None and samples:
            raise ConfigurationError(
                "--terms needs beam search, which search.method = sampling is not; leave one of them out.",
                key="--terms",
                value=self.terms,
            )
        if self.terms is not None:
            _ = self._terms
        if self.avoid is not None:
            _ = self._avoided
        if self.constraints is None or not self.constraints.is_file():
            return
        tags: dict[str, int] = {}
        with input_stream(self.constraints) as stream:
            for number, line in enumerate(stream, start=1):
                text = line.decode("utf-8", errors="replace").removeprefix("\ufeff")
                constraint = _constraint(self.constraints, number, text)
                if tag := constraint.get("tag"):
                    tags.setdefault(tag, number)
                if constraint.get("require") and samples:
                    raise ConfigurationError(
                        f"'{self.constraints}', line {number}: 'require' needs beam search, which search.method = sampling is "
                        f"not; leave one of them out.",
                        key="--constraints",
                        value=self.constraints,
                    )
        for tag, number in tags.items():
            try:
                check_tag(tag)
            except ConfigurationError as problem:
                raise ConfigurationError(
                    f"'{self.constraints}', line {number}: {problem}", key="--constraints", value=tag
                ) from problem

    def requests(self, lines: Iterable[str]) -> Iterator[str | TranslationRequest]:
        """Yield the lines with their requests.

        A file with fewer or more lines than the input is reported, and nothing is lost.

        Raises:
            DataError: a file cannot be read, or a line of the constraints is not an object.
        """
        from nmt_lstm.inference.requests import TranslationRequest

        number = 0
        if not self.prefix and not self.tag and not any(self.files):
            yield from lines
            return
        prefixes, constraints = _Companion(self.prefixes), _Companion(self.constraints)
        for number, line in enumerate(lines, start=1):
            prefix, own = (
                prefixes.line(number),
                _constraint(self.constraints, number, constraints.line(number)),
            )
            yield TranslationRequest(
                line,
                prefix=own.get("prefix") or prefix or self.prefix,
                require=[*own.get("require", []), *self._terms.required(line)],
                avoid=[*own.get("avoid", []), *self._avoided],
                tag=own.get("tag") or self.tag,
            )
        for companion in (prefixes, constraints):
            companion.check_end(number)


class _Companion:
    """A file with a line for each input line."""

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self._lines = input_lines(path) if path else itertools.repeat("")
        self._ended = False

    def line(self, number: int) -> str:
        line = next(self._lines, None)
        if line is None and not self._ended:
            self._ended = True
            logger.warning(
                "'%s' has %s, but the input has more; lines from %d on have no request.",
                name_of(self.path), count_of(number - 1, "line"), number,
            )  # fmt: skip
        return line or ""

    def check_end(self, lines: int) -> None:
        if self.path and next(self._lines, None) is not None:
            logger.warning(
                "'%s' has more lines than the input, which has %s.",
                name_of(self.path),
                count_of(lines, "line"),
            )


def _constraint(path: Path | None, number: int, line: str) -> dict[str, Any]:
    """Return what is asked for one line, by its kind."""
    if not line.strip():
        return {}
    place = f"'{name_of(path)}', line {number}"
    try:
        values = json.loads(line)
    except (ValueError, RecursionError):
        values = None
    if not isinstance(values, dict):
        raise DataError(
            f"{place}: '{line.strip()[:60]}' is not a JSON object such as {EXAMPLE}.", line=number
        )
    for key, value in values.items():
        if key not in KINDS:
            raise DataError(
                f"{place}: unknown key '{single_line(key[:60])}'; there are {', '.join(KINDS)}.",
                line=number,
                key=key,
            )
        if key in TEXTS and not isinstance(value, str):
            raise DataError(f"{place}: '{key}' must be text, as in {EXAMPLE}.", line=number, key=key)
        if key not in TEXTS and not (
            isinstance(value, list) and all(isinstance(each, str) and each.strip() for each in value)
        ):
            raise DataError(
                f"{place}: '{key}' must be a list of phrases that are not blank, as in {EXAMPLE}.",
                line=number,
                key=key,
            )
    return values
