"""The text of a test set, and its fingerprint."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from nmt_lstm.errors import ConfigurationError, DataError, NmtLstmError, nearest
from nmt_lstm.evaluation.scores import chosen_tokenizer, without_advice
from nmt_lstm.files.checksums import sha256_of_content
from nmt_lstm.lab.leaderboard.settings import BOARD, TestSetSettings
from nmt_lstm.text.corpus import check_rereadable, read_lines

__all__ = ["TestSet", "TestSets", "digest_of", "fingerprint_of", "load_test_set", "located", "text_bytes"]


@dataclass(frozen=True)
class TestSet:
    """A test set as it is now."""

    name: str
    sources: list[str]
    references: list[list[str]]
    source_language: str
    """Code, or empty if it is not known."""
    target_language: str
    tokenize: str
    """sacreBLEU's tokenizer for BLEU."""

    @property
    def direction(self) -> str:
        """Such as "de-en"; empty if it is not known."""
        known = self.source_language and self.target_language
        return f"{self.source_language}-{self.target_language}" if known else ""


class TestSets:
    """The test sets of a board, each read when it is first asked for.

    Args:
        settings: what ``board.toml`` says of each, by name.
        folder: the board's folder.
    """

    def __init__(self, settings: Mapping[str, TestSetSettings], folder: Path) -> None:
        self._settings = settings
        self._folder = folder
        self._read: dict[str, TestSet] = {}

    @property
    def names(self) -> list[str]:
        """Their names, in the order of the file."""
        return list(self._settings)

    def check_name(self, name: str) -> None:
        """Raise ConfigurationError if there is no such test set."""
        if name not in self._settings:
            raise ConfigurationError(
                f"board '{self._folder}' has no test set '{name}'.{nearest(name, self.names)} "
                f"Known: {', '.join(self.names)}."
            )

    def get(self, name: str) -> TestSet:
        """Return a test set as it is now.

        Raises:
            ConfigurationError: there is no such test set.
            DataError: it cannot be read.
        """
        self.check_name(name)
        if name not in self._read:
            self._read[name] = load_test_set(name, self._settings[name], self._folder)
        return self._read[name]

    def text(self, digest: str) -> list[str] | None:
        """Return the source or the reference of this digest; None if no test set has it now.

        Raises:
            DataError: none has it, and one cannot be read.
        """
        unread: NmtLstmError | None = None
        for name in self.names:
            try:
                test_set = self.get(name)
            except NmtLstmError as problem:
                unread = unread or problem
                continue
            for lines in (test_set.sources, *test_set.references):
                if digest_of(lines) == digest:
                    return lines
        if unread is not None:
            raise DataError(f"{unread} The board has no copy of it: put it where {BOARD} says.")
        return None


def text_bytes(lines: Sequence[str]) -> bytes:
    """Return a text of these lines as a file has it."""
    return "".join(f"{line}\n" for line in lines).encode("utf-8")


def digest_of(lines: Sequence[str]) -> str:
    """Return the SHA-256 of a text of these lines."""
    return sha256_of_content(text_bytes(lines))


def fingerprint_of(source: str, references: Sequence[str]) -> str:
    """Return the fingerprint of a test set from the digests of its source and its references, in their order."""
    named = "\n".join([f"source {source}", *(f"reference {digest}" for digest in references)])
    return sha256_of_content(named)


def located(path: Path, folder: Path) -> Path:
    """Return where a path of ``board.toml`` leads; the board's folder need not be there yet."""
    return Path(os.path.normpath(folder.resolve() / path))


def load_test_set(name: str, settings: TestSetSettings, folder: Path) -> TestSet:
    """Read a test set; one of sacreBLEU's is downloaded by sacreBLEU where it is not there yet.

    Args:
        name: its name on the board.
        settings: where it is.
        folder: where relative paths start.

    Raises:
        DataError: a file is missing, empty or unreadable, line counts differ, or it cannot be downloaded.
        ConfigurationError: sacreBLEU knows no such test set, or the tokenizer is unknown.
    """
    source_language, target_language = settings.source_language, settings.target_language
    if settings.sacrebleu:
        source, references, pair = _of_sacrebleu(name, settings.sacrebleu)
        for given, known in ((source_language, pair[0]), (target_language, pair[1])):
            if given and given != known:
                raise ConfigurationError(
                    f"test set '{name}': its language is given as '{given}', but '{settings.sacrebleu}' is "
                    f"{pair[0]}-{pair[1]}; leave the languages out."
                )
        source_language, target_language = pair
    else:
        assert settings.source is not None
        source = located(settings.source, folder)
        references = [located(path, folder) for path in settings.references]
    try:
        check_rereadable(source, *references)  # each command that uses the board reads them again
        texts = [list(read_lines(path)) for path in (source, *references)]
    except DataError as problem:
        raise DataError(f"test set '{name}': {problem}") from problem
    for path, lines in zip((source, *references), texts, strict=True):
        if not lines:
            raise DataError(f"test set '{name}': '{path}' is empty; it must have one sentence per line.")
        if len(lines) != len(texts[0]):
            raise DataError(
                f"test set '{name}': '{source}' has {len(texts[0]):,} lines, '{path}' has {len(lines):,}; "
                f"they must agree line by line."
            )
    tokenize = chosen_tokenizer(settings.tokenize, target_language)
    return TestSet(name, texts[0], texts[1:], source_language, target_language, tokenize)


def _of_sacrebleu(name: str, wanted: str) -> tuple[Path, list[Path], tuple[str, str]]:
    """Return source, references and languages of a test set such as "wmt17/en-de"."""
    import sacrebleu

    test_set, _, direction = wanted.rpartition("/")
    if test_set not in sacrebleu.DATASETS:
        known = sorted(sacrebleu.DATASETS)
        raise ConfigurationError(
            f"test set '{name}': sacreBLEU has no test set '{test_set or wanted}'.{nearest(test_set or wanted, known)} "
            f"Write its name and the direction, such as wmt17/en-de; 'sacrebleu --list' shows them."
        )
    directions = sacrebleu.get_langpairs_for_testset(test_set)
    if direction not in directions:
        raise ConfigurationError(
            f"test set '{name}': sacreBLEU's '{test_set}' has no direction '{direction}'."
            f"{nearest(direction, directions)} Known: {', '.join(sorted(directions))}."
        )
    try:
        with without_advice():
            source = Path(sacrebleu.get_source_file(test_set, direction))
            references = [Path(path) for path in sacrebleu.get_reference_files(test_set, direction)]
    except (
        OSError,
        EOFError,
        SystemExit,
        ValueError,
    ) as problem:  # sacreBLEU ends the program if a checksum is wrong
        raise DataError(
            f"test set '{name}': sacreBLEU cannot fetch '{wanted}' ({problem}); fetch it where there is a network with "
            f"'sacrebleu -t {test_set} -l {direction} --download {test_set}' and copy the folder "
            f"'{sacrebleu.SACREBLEU_DIR}', or name local files."
        ) from problem
    if not references:
        raise DataError(
            f"test set '{name}': '{wanted}' has no public references; nothing can be scored on it."
        )
    first, _, second = direction.partition("-")
    return source, references, (first, second)
