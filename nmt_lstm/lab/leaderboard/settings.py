"""``board.toml``: the test sets of a leaderboard."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

import nmt_lstm
from nmt_lstm.config.load import MAX_RUN_FILE_BYTES
from nmt_lstm.config.toml_writer import write_toml
from nmt_lstm.errors import ConfigurationError, nearest
from nmt_lstm.files.parsing import parse_toml
from nmt_lstm.files.regular import read_regular

__all__ = [
    "BOARD",
    "FORMAT",
    "BoardSettings",
    "TestSetSettings",
    "dump_board",
    "load_board",
    "make_settings",
    "newer_format",
]

BOARD = "board.toml"
FORMAT = 1
_NAME = re.compile(r"[\w.+-][\w.+/ -]{0,79}")
_PATH = Annotated[Path, Field(strict=False)]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class TestSetSettings(_Table):
    """A test set: files, or one of sacreBLEU's own."""

    source: _PATH | None = None
    """Source text, one sentence per line; relative to the folder of the board."""
    references: list[_PATH] = []
    """Files of reference translations, each covering the whole text."""
    sacrebleu: str = ""
    """Instead of files: a test set and direction from sacreBLEU, such as "wmt17/en-de"."""
    source_language: str = ""
    """Code such as "de"; models with a different direction are rejected."""
    target_language: str = ""
    """Code such as "en"; it selects the tokenizer if `tokenize` is "auto"."""
    tokenize: str = "auto"
    """sacreBLEU's tokenizer for BLEU."""
    train_source: _PATH | None = None
    """Source side of the training text, for analyses by word frequency; optional."""
    train_target: _PATH | None = None
    """Target side of the training text, for the same purpose; optional."""

    @model_validator(mode="after")
    def _one_origin(self) -> TestSetSettings:
        if self.sacrebleu and (self.source or self.references):
            raise ValueError("name either source and references, or sacrebleu, not both")
        if not self.sacrebleu and not (self.source and self.references):
            raise ValueError(
                'name source and references, such as source = "test.de", references = ["test.en"]'
            )
        return self


class BoardSettings(_Table):
    """The whole file."""

    format: int = FORMAT
    """Format version of the board."""
    title: str = "Leaderboard"
    """Heading of the HTML page."""
    copy_test_sets: bool = True
    """Whether the board stores copies of sources and references. Without copies, it can be shared when the texts cannot;
    it then reads them from the paths in `test_sets`."""
    test_sets: dict[str, TestSetSettings]
    """Test sets by name."""

    @field_validator("test_sets")
    @classmethod
    def _named(cls, sets: dict[str, TestSetSettings]) -> dict[str, TestSetSettings]:
        if not sets:
            raise ValueError("name at least one test set, as [test_sets.NAME]")
        for name in sets:
            if not _NAME.fullmatch(name):
                raise ValueError(
                    f"'{name}' is not a valid name: use up to 80 letters, digits, '.', '_', '+', '-' and '/'"
                )
        return sets


def load_board(folder: Path) -> BoardSettings:
    """Read the ``board.toml`` of a folder.

    Raises:
        ConfigurationError: it is missing, not TOML, from a newer version, or wrong; the message names all problems.
    """
    path = folder / BOARD
    try:
        values = parse_toml(read_regular(path, MAX_RUN_FILE_BYTES).decode("utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        raise ConfigurationError(
            f"'{folder}' is not a leaderboard: it has no {BOARD}; create one with: nmt-lstm leaderboard init.",
            path=path,
        ) from None
    except (OSError, ValueError) as problem:
        reason = problem.strerror if isinstance(problem, OSError) else problem
        raise ConfigurationError(f"'{path}' cannot be read: {reason}.", path=path) from problem
    version = values.get("format", FORMAT)
    if not isinstance(version, int) or version < 1:
        raise ConfigurationError(
            f"'{path}': format = {version!r} is not a version; use {FORMAT}.",
            path=path,
            key="format",
            value=version,
        )
    if version > FORMAT:
        raise ConfigurationError(newer_format(f"'{path}'", version), path=path, key="format", value=version)
    return make_settings(values, str(path))


def newer_format(location: str, version: int) -> str:
    """Return the message about a file of a newer version."""
    return (
        f"{location} has format version {version}, and this nmt-lstm ({nmt_lstm.__version__}) reads up to {FORMAT}; "
        f"install the newer version that wrote it."
    )


def make_settings(values: dict[str, Any], origin: str) -> BoardSettings:
    """Validate settings.

    Raises:
        ConfigurationError: they are wrong; the message names all problems, after `origin`.
    """
    try:
        return BoardSettings.model_validate(values)
    except ValidationError as error:
        problems = [_sentence(problem) for problem in error.errors(include_url=False)]
        raise ConfigurationError(f"{origin}: {' '.join(problems)}") from None


def dump_board(settings: BoardSettings) -> str:
    """Return the text of a ``board.toml`` with these settings."""
    return write_toml(settings.model_dump(exclude_defaults=True) | {"format": settings.format})


def _sentence(problem: Any) -> str:
    keys = [str(key) for key in problem["loc"]]
    path = ".".join(keys)
    if problem["type"] == "extra_forbidden":
        table = TestSetSettings if len(keys) > 1 else BoardSettings
        known = list(table.model_fields)
        return f"unknown key '{path}'.{nearest(keys[-1], known)} Known: {', '.join(known)}."
    if problem["type"] == "missing":
        return f"'{path}' is required: name a test set as [test_sets.NAME]."
    if problem["type"] == "value_error":
        return f"{path}: {problem['ctx']['error']}."
    return f"{path} = {problem['input']!r}: {problem['msg'].lower()}."
