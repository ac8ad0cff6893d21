"""The records of a board: rows with scores and facts, withdrawals, and the lines that they are written as."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from nmt_lstm.errors import ConfigurationError, DataError, nearest
from nmt_lstm.files.checksums import checksum_of, with_checksum
from nmt_lstm.files.parsing import parse_json
from nmt_lstm.plain_text import json_text

__all__ = [
    "FORMAT",
    "Facts",
    "Row",
    "ScoreEntry",
    "Withdrawal",
    "check_system_name",
    "line_of",
    "make_facts",
    "now",
    "record_of",
]

FORMAT = 1
_LONGEST_NAME = 120
_Digest = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]  # it names a file: nothing else may stand in it


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class ScoreEntry(_Record):
    """One score of a row."""

    name: str
    """As sacreBLEU names it."""
    value: float
    signature: str
    low: float
    """Lower end of the 95 % bootstrap interval."""
    high: float
    """Upper end."""


class Facts(_Record):
    """What is known of a system beside its output; None and empty: unknown."""

    toolkit: str = ""
    """What translated: "nmt-lstm", or as the person who added the row says."""
    parameters: int | None = None
    """Trained values, of all models of an ensemble."""
    training_pieces: int | None = None
    """Target pieces that training went over, padding included."""
    training_hours: float | None = None
    """Wall-clock hours of training, on whatever machine that was."""
    sentences_per_second: float | None = None
    """Of translating this test set, the loading of the model not counted."""
    hardware: str = ""
    """Where that was."""
    seed: int | None = None
    beam_size: int | None = None
    batch_size: int | None = None
    precision: str = ""
    models: tuple[str, ...] = ()
    """SHA-256 of the weights of each model."""
    versions: dict[str, str] = {}
    """Versions of the software that trained the model."""
    run_files: tuple[str, ...] = ()
    """The run file of each model, as text."""
    note: str = ""

    @field_validator("toolkit", "hardware", "precision", "note")
    @classmethod
    def _one_line(cls, text: str) -> str:
        return " ".join(text.split())


class Row(_Record):
    """One system on one test set."""

    kind: Literal["row"] = "row"
    system: str
    test_set: str
    added: str
    """When, as ISO 8601 in UTC."""
    source_language: str
    target_language: str
    sentences: int
    source: _Digest
    """SHA-256 of the source text."""
    references: tuple[_Digest, ...]
    """SHA-256 of each reference text."""
    hypotheses: _Digest
    """SHA-256 of the output."""
    fingerprint: _Digest
    """Of source and references together."""
    tokenize: str
    """sacreBLEU's tokenizer for BLEU."""
    scores: dict[str, ScoreEntry]
    """By metric: "bleu", "chrf", "chrf++", "ter"."""
    brevity_penalty: float
    length_ratio: float
    """Words of the output per word of the reference, as BLEU counts them."""
    scored_with: dict[str, str]
    """Versions of the software that scored."""
    facts: Facts


class Withdrawal(_Record):
    """A system that was taken off a test set."""

    kind: Literal["withdrawal"] = "withdrawal"
    system: str
    test_set: str
    added: str


def now() -> str:
    """Return the time, as ISO 8601 in UTC."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def check_system_name(name: str) -> str:
    """Return the name of a system, or refuse it.

    Raises:
        ConfigurationError: it is empty, too long, or not one line of printable text.
    """
    if not name.strip() or not name.isprintable() or name != name.strip() or len(name) > _LONGEST_NAME:
        raise ConfigurationError(
            f"{name!r} cannot be the name of a system; give one line of 1 to {_LONGEST_NAME} characters without blanks "
            f"at its ends."
        )
    return name


def make_facts(given: dict[str, Any]) -> Facts:
    """Return facts from plain values, or from texts such as those of a command line.

    Raises:
        ConfigurationError: an unknown name, or a value of the wrong kind.
    """
    known = [name for name in Facts.model_fields if name not in ("models", "versions", "run_files")]
    for name in given:
        if name not in known:
            raise ConfigurationError(
                f"unknown fact '{name}'.{nearest(name, known)} Known: {', '.join(known)}."
            )
    try:
        return Facts.model_validate(given)
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]
        raise ConfigurationError(
            f"fact {problem['loc'][0]} = {problem['input']!r}: {problem['msg'].lower()}."
        ) from None


def line_of(record: Row | Withdrawal) -> str:
    """Return a record as one line of JSON, with the format's version and a checksum of the rest."""
    values = {"format": FORMAT, **record.model_dump(mode="json")}
    return json_text(with_checksum(values))


def record_of(line: str, place: str) -> Row | Withdrawal:
    """Return the record that a line holds.

    Args:
        line: what `line_of` returned.
        place: where it stands, for messages.

    Raises:
        DataError: it is damaged, was changed, or is of a newer version.
    """
    try:
        values = parse_json(line)
    except ValueError as problem:
        raise DataError(
            f"{place} is damaged ({problem}); restore the file from a copy, or delete the line."
        ) from None
    if not isinstance(values, dict):
        raise DataError(f"{place} is damaged (no object); restore the file from a copy, or delete the line.")
    version = values.get("format")
    if isinstance(version, int) and version > FORMAT:
        import nmt_lstm

        raise DataError(
            f"{place} has format version {version}, and this nmt-lstm ({nmt_lstm.__version__}) reads up to {FORMAT}; "
            f"install the newer version that wrote it."
        )
    checksum = values.pop("sha256", None)
    if checksum != checksum_of(values):
        raise DataError(
            f"{place} was changed: its checksum does not fit; undo the change, or delete the line and add the system again."
        )
    values.pop("format", None)
    try:
        if values.get("kind") == "withdrawal":
            return Withdrawal.model_validate(values)
        return Row.model_validate(values)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise DataError(
            f"{place} is damaged: {where}: {first['msg']}; restore the file from a copy."
        ) from None
