"""The records of a board, which are rows with scores and facts, and withdrawals; their form as lines of JSON."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from nmt_lstm.errors import ConfigurationError, DataError, nearest
from nmt_lstm.files.checksums import checksum_of, with_checksum
from nmt_lstm.files.parsing import parse_json
from nmt_lstm.lab.leaderboard.settings import FORMAT, newer_format
from nmt_lstm.plain_text import json_text

__all__ = [
    "LISTED_FACTS",
    "Facts",
    "Record",
    "Row",
    "ScoreEntry",
    "TextDigest",
    "Withdrawal",
    "check_system_name",
    "make_facts",
    "now",
    "parse_record",
    "to_line",
]

_MAX_NAME = 120
_Digest = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]  # part of a file name, so nothing else is allowed
TextDigest = _Digest
"""SHA-256 of a text's lines, by which a row names a text of which the board stores one copy for all rows."""


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class ScoreEntry(_Model):
    """A score of a row."""

    name: str
    """The name that sacreBLEU uses."""
    value: float
    signature: str
    low: float
    """Lower end of the 95 % bootstrap interval."""
    high: float
    """Upper end."""


class Facts(_Model):
    """Facts about a system; None and empty values are unknown."""

    toolkit: str = ""
    """The toolkit that translated, such as "nmt-lstm"."""
    parameters: int | None = None
    """Trained parameters, in total for an ensemble."""
    training_pieces: int | None = None
    """Target pieces trained on, padding included."""
    training_hours: float | None = None
    """Wall-clock hours of training."""
    sentences_per_second: float | None = None
    """Speed of translating this test set, without loading the model."""
    hardware: str = ""
    """Where the speed was measured."""
    seed: int | None = None
    beam_size: int | None = None
    batch_size: int | None = None
    precision: str = ""
    models: tuple[str, ...] = ()
    """SHA-256 of the weights of each model."""
    versions: dict[str, str] = {}
    """Versions of the software that trained the model."""
    run_files: tuple[str, ...] = ()
    """Text of the run file of each model."""
    tag: str = ""
    """The piece in front of every source line; empty for none."""
    note: str = ""

    @field_validator("toolkit", "hardware", "precision", "note")
    @classmethod
    def _one_line(cls, text: str) -> str:
        return " ".join(text.split())


class Row(_Model):
    """A system on a test set."""

    kind: Literal["row"] = "row"
    system: str
    test_set: str
    added: str
    """Time as ISO 8601 in UTC."""
    source_language: str
    target_language: str
    sentences: int
    source: TextDigest
    references: tuple[TextDigest, ...]
    hypotheses: TextDigest
    """The system's output."""
    fingerprint: _Digest
    """SHA-256 of source and references together."""
    tokenize: str
    """sacreBLEU's tokenizer for BLEU."""
    scores: dict[str, ScoreEntry]
    """By metric: "bleu", "chrf", "chrf++", "ter"."""
    brevity_penalty: float
    length_ratio: float
    """Output words per reference word, as counted by BLEU."""
    scored_with: dict[str, str]
    """Versions of the scoring software."""
    facts: Facts


class Withdrawal(_Model):
    """The removal of a system from a test set."""

    kind: Literal["withdrawal"] = "withdrawal"
    system: str
    test_set: str
    added: str


Record = Row | Withdrawal

LISTED_FACTS = [name for name in Facts.model_fields if name not in ("models", "versions", "run_files", "tag")]
"""Facts that a person can give, and that tables list."""


def now() -> str:
    """Return the time as ISO 8601 in UTC."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def check_system_name(name: str) -> str:
    """Return a valid name of a system.

    Raises:
        ConfigurationError: it is empty, too long, or not one line of printable text.
    """
    if not name.strip() or not name.isprintable() or name != name.strip() or len(name) > _MAX_NAME:
        raise ConfigurationError(
            f"{name!r} is not a valid system name; use one line of 1 to {_MAX_NAME} characters without spaces at its ends.",
            value=name,
        )
    return name


def make_facts(values: Mapping[str, Any]) -> Facts:
    """Return facts from plain values or from strings, such as those on a command line.

    Raises:
        ConfigurationError: a name is unknown, or a value has the wrong type.
    """
    for name in values:
        if name not in LISTED_FACTS:
            raise ConfigurationError(
                f"unknown fact '{name}'.{nearest(name, LISTED_FACTS)} Known: {', '.join(LISTED_FACTS)}.",
                value=name,
                known=LISTED_FACTS,
            )
    try:
        return Facts.model_validate(values)
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]
        raise ConfigurationError(
            f"fact {problem['loc'][0]} = {problem['input']!r}: {problem['msg'].lower()}.",
            key=str(problem["loc"][0]),
            value=problem["input"],
        ) from None


def to_line(record: Record) -> str:
    """Return a record as a line of JSON, with the format version and a checksum of everything else."""
    values = record.model_dump(mode="json")
    facts = values.get("facts", {})
    if not facts.get("tag"):
        facts.pop("tag", None)  # earlier versions do not know it
    return json_text(with_checksum({"format": FORMAT, **values}))


def parse_record(line: str, location: str) -> Record:
    """Parse a line that `to_line` returned.

    Args:
        line: the line.
        location: where the line is, for messages.

    Raises:
        DataError: it is damaged, was changed, or comes from a newer version.
    """
    try:
        values = parse_json(line)
        if not isinstance(values, dict):
            raise ValueError("not an object")  # noqa: TRY004, TRY301 - handled like all damage
    except ValueError as problem:
        raise DataError(
            f"{location} is damaged ({problem}); restore the file from a copy, or delete the line."
        ) from None
    version = values.get("format")
    if isinstance(version, int) and version > FORMAT:
        raise DataError(newer_format(location, version))
    checksum = values.pop("sha256", None)
    if checksum != checksum_of(values):
        raise DataError(
            f"{location} was changed: its checksum does not match; undo the change, or delete the line and add the system "
            f"again."
        )
    values.pop("format", None)
    try:
        return (Withdrawal if values.get("kind") == "withdrawal" else Row).model_validate(values)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        field = ".".join(map(str, first["loc"]))
        raise DataError(
            f"{location} is damaged: {field}: {first['msg']}; restore the file from a copy."
        ) from None
