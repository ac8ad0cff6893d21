"""Test sets: their texts and fingerprints."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from nmt_lstm.errors import ConfigurationError, DataError, NmtLstmError, nearest
from nmt_lstm.evaluation.scores import chosen_tokenizer, without_advice
from nmt_lstm.files.checksums import sha256_of_content
from nmt_lstm.lab.leaderboard.record import TextDigest
from nmt_lstm.lab.leaderboard.settings import BOARD, TestSetSettings
from nmt_lstm.text.text_file import check_rereadable, read_lines

__all__ = [
    "TestSet",
    "TestSets",
    "digest_of",
    "fingerprint_of",
    "load_test_set",
    "resolve_path",
    "text_bytes",
]


@dataclass(frozen=True)
class TestSet:
    """The texts of a test set."""

    name: str
    sources: list[str]
    references: list[list[str]]
    source_language: str
    """Language code; empty if unknown."""
    target_language: str
    tokenize: str
    """sacreBLEU's tokenizer for BLEU."""

    @property
    def direction(self) -> str:
        """Such as "de-en"; empty if unknown."""
        known = self.source_language and self.target_language
        return f"{self.source_language}-{self.target_language}" if known else ""

    @property
    def fingerprint(self) -> str:
        """SHA-256 of source and references together."""
        return fingerprint_of(digest_of(self.sources), [digest_of(lines) for lines in self.references])


class TestSets:
    """The test sets of a board, each read on first use.

    Args:
        settings: their settings in ``board.toml``, by name.
        folder: the folder of the board.
    """

    def __init__(self, settings: Mapping[str, TestSetSettings], folder: Path) -> None:
        self._settings = settings
        self._folder = folder
        self._read: dict[str, TestSet] = {}

    @property
    def names(self) -> list[str]:
        """Names, in the order of the file."""
        return list(self._settings)

    def check_name(self, name: str) -> None:
        """Raise ConfigurationError unless a test set has this name."""
        if name not in self._settings:
            raise ConfigurationError(
                f"board '{self._folder}' has no test set '{name}'.{nearest(name, self.names)} "
                f"Known: {', '.join(self.names)}.",
                value=name,
                known=self.names,
            )

    def get(self, name: str) -> TestSet:
        """Return a test set.

        Raises:
            ConfigurationError: the name is unknown.
            DataError: a file cannot be read.
        """
        self.check_name(name)
        if name not in self._read:
            self._read[name] = load_test_set(name, self._settings[name], self._folder)
        return self._read[name]

    def text(self, digest: TextDigest) -> list[str] | None:
        """Return the source or reference text with this digest; None if no test set has it.

        Raises:
            DataError: no readable test set has it, and one cannot be read.
        """
        first_problem: NmtLstmError | None = None
        for name in self.names:
            try:
                test_set = self.get(name)
            except NmtLstmError as problem:
                first_problem = first_problem or problem
                continue
            for lines in (test_set.sources, *test_set.references):
                if digest_of(lines) == digest:
                    return lines
        if first_problem is not None:
            raise DataError(
                f"{first_problem} The board has no copy of it: restore the file named in {BOARD}."
            )
        return None


def text_bytes(lines: Sequence[str]) -> bytes:
    """Return lines as the content of a file."""
    return "".join(f"{line}\n" for line in lines).encode("utf-8")


def digest_of(lines: Sequence[str]) -> TextDigest:
    """Return the SHA-256 of lines as the content of a file."""
    return sha256_of_content(text_bytes(lines))


def fingerprint_of(source: TextDigest, references: Sequence[TextDigest]) -> str:
    """Return the fingerprint of a test set from the digests of its source and of its references in order."""
    text = "\n".join([f"source {source}", *(f"reference {digest}" for digest in references)])
    return sha256_of_content(text)


def resolve_path(path: Path, folder: Path) -> Path:
    """Return the absolute path for one in ``board.toml``; the folder of the board need not exist."""
    return Path(os.path.normpath(folder.resolve() / path))


def load_test_set(name: str, settings: TestSetSettings, folder: Path) -> TestSet:
    """Read a test set; sacreBLEU downloads its own if necessary.

    Args:
        name: its name on the board.
        settings: its settings.
        folder: the folder from which relative paths start.

    Raises:
        DataError: a file is missing, empty or unreadable, line counts differ, or a download fails.
        ConfigurationError: the test set is unknown to sacreBLEU, or the tokenizer is unknown.
    """
    source_language, target_language = settings.source_language, settings.target_language
    if settings.sacrebleu:
        source, references, pair = _from_sacrebleu(name, settings.sacrebleu)
        for language, actual in zip((source_language, target_language), pair, strict=True):
            if language not in ("", actual):
                raise ConfigurationError(
                    f"test set '{name}': its language is '{language}', but '{settings.sacrebleu}' is {'-'.join(pair)}; "
                    f"omit the languages."
                )
        source_language, target_language = pair
    else:
        assert settings.source is not None
        source = resolve_path(settings.source, folder)
        references = [resolve_path(path, folder) for path in settings.references]
    try:
        check_rereadable(source, *references)  # every command that uses the board reads them
        texts = [list(read_lines(path)) for path in (source, *references)]
    except DataError as problem:
        raise DataError(f"test set '{name}': {problem}") from problem
    for path, lines in zip((source, *references), texts, strict=True):
        if not lines:
            raise DataError(
                f"test set '{name}': '{path}' is empty; it must contain one sentence per line.", path=path
            )
        if len(lines) != len(texts[0]):
            raise DataError(
                f"test set '{name}': '{source}' has {len(texts[0]):,} lines, but '{path}' has {len(lines):,}; "
                f"they must correspond line by line.",
                path=path,
            )
    tokenize = chosen_tokenizer(settings.tokenize, target_language)
    return TestSet(name, texts[0], texts[1:], source_language, target_language, tokenize)


def _from_sacrebleu(name: str, sacrebleu_name: str) -> tuple[Path, list[Path], tuple[str, str]]:
    """Return source, references and languages of a sacreBLEU test set, such as "wmt17/en-de"."""
    import sacrebleu

    test_set, _, direction = sacrebleu_name.rpartition("/")
    if test_set not in sacrebleu.DATASETS:
        unknown, known = test_set or sacrebleu_name, sorted(sacrebleu.DATASETS)
        raise ConfigurationError(
            f"test set '{name}': sacreBLEU has no test set '{unknown}'.{nearest(unknown, known)} Give the name and the "
            f"direction, such as wmt17/en-de; 'sacrebleu --list' lists them.",
            value=unknown,
            known=known,
        )
    directions = sacrebleu.get_langpairs_for_testset(test_set)
    if direction not in directions:
        raise ConfigurationError(
            f"test set '{name}': sacreBLEU's '{test_set}' has no direction '{direction}'."
            f"{nearest(direction, directions)} Known: {', '.join(sorted(directions))}.",
            value=direction,
            known=directions,
        )
    try:
        with without_advice():
            source = Path(sacrebleu.get_source_file(test_set, direction))
            references = [Path(path) for path in sacrebleu.get_reference_files(test_set, direction)]
    except (OSError, EOFError, SystemExit, ValueError) as problem:  # sacreBLEU exits if a checksum is wrong
        raise DataError(
            f"test set '{name}': sacreBLEU cannot download '{sacrebleu_name}' ({problem}); download it on a machine with "
            f"network access using 'sacrebleu -t {test_set} -l {direction} --download {test_set}' and copy the folder "
            f"'{sacrebleu.SACREBLEU_DIR}', or name local files."
        ) from problem
    if not references:
        raise DataError(
            f"test set '{name}': '{sacrebleu_name}' has no public references, so nothing can be scored."
        )
    first, _, second = direction.partition("-")
    return source, references, (first, second)
