"""The folder of a comparison: whose it is, what its runs are, and where each keeps what it came to."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from nmt_lstm.config.fields import differences
from nmt_lstm.config.load import dump_toml, load_run
from nmt_lstm.errors import ConfigurationError, DataError, ResourceError
from nmt_lstm.files.atomic import write_atomically
from nmt_lstm.files.checksums import checked_json, sha256_of, sha256_of_content, without_checksum
from nmt_lstm.files.folders import exclusive_folder
from nmt_lstm.files.parsing import parse_json
from nmt_lstm.files.regular import LARGEST_LIST, read_regular
from nmt_lstm.lab.comparison.plan import Plan, PlannedRun
from nmt_lstm.lab.comparison.run_result import RunResult, TrainingResult, read_record
from nmt_lstm.lab.experiment.folder import check_folder
from nmt_lstm.text.held_out import FOLDER as HELD_OUT

__all__ = ["ComparisonFolder", "RunFiles", "digest_of", "write_record", "write_text"]

_STATE = "comparison.json"
_FORMAT = "nmt-lstm comparison"
_VERSION = 1


@dataclass(frozen=True)
class RunFiles:
    """The places of one run."""

    model: Path
    """The model folder."""
    records: Path
    """The folder of the rest."""

    @property
    def settings(self) -> Path:
        """The run file."""
        return self.records / "run.toml"

    @property
    def log(self) -> Path:
        """What the process said."""
        return self.records / "log.txt"

    @property
    def training(self) -> Path:
        """`TrainingResult`, when the training is over."""
        return self.records / "training.json"

    @property
    def translations(self) -> Path:
        """The translation of the test text."""
        return self.records / "translations.txt"

    @property
    def result(self) -> Path:
        """`RunResult`, when everything is over."""
        return self.records / "result.json"

    def read_training(self) -> TrainingResult | None:
        """Return what the training came to; None before its end.

        Raises:
            DataError: the record is damaged.
        """
        return read_record(TrainingResult, self.training)

    def read_result(self) -> RunResult | None:
        """Return what the run came to; None before its end.

        Raises:
            DataError: the record is damaged.
        """
        return read_record(RunResult, self.result)

    def read_translations(self, result: RunResult) -> list[str]:
        """Return the translations of the test text that `result` is of.

        Raises:
            DataError: they are missing, or were changed.
        """
        try:
            data = read_regular(self.translations, LARGEST_LIST)
            if result.translations_sha256 not in ("", sha256_of_content(data)):
                raise ValueError("it was changed: its SHA-256 is not the recorded one")  # noqa: TRY301 - as all below
            return data.decode("utf-8").split("\n")[:-1]
        except (OSError, ValueError) as problem:
            reason = problem.strerror if isinstance(problem, OSError) else problem
            raise DataError(
                f"'{self.translations}' cannot be read ({reason}); remove '{self.result}', and the same "
                f"command translates again."
            ) from problem


class ComparisonFolder:
    """A folder with ``runs/NAME`` (model folders), ``records/NAME`` and the report.

    Args:
        folder: new, empty, or one that a comparison has made.

    Raises:
        ConfigurationError: it belongs to another program, or was written by a newer version.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        if check_folder(folder, _STATE, "is not a comparison", allowed=(".lock", "prepared", HELD_OUT)):
            self._kept()

    @property
    def has_begun(self) -> bool:
        """Whether a comparison stands in the folder already."""
        return (self.folder / _STATE).exists()

    def files(self, name: str) -> RunFiles:
        """Return the places of a run."""
        return RunFiles(self.folder / "runs" / name, self.folder / "records" / name)

    def alone(self) -> AbstractContextManager[None]:
        """Make the folder, and keep other comparisons out of it while a with statement lasts.

        Raises:
            ResourceError: it cannot be made, or one is at work in it.
        """
        return exclusive_folder("nmt-lstm compare", self.folder)

    def begin(self, plan: Plan, *, identity: Mapping[str, Any]) -> None:
        """Note what is compared, or check that what was noted is the same.

        Runs may be added to a comparison (more seeds, more values) and left out; those that are there stay as they are.

        Args:
            plan: the plan.
            identity: what else has to be the same for results to be comparable, by the name that messages give it.

        Raises:
            ConfigurationError: there are runs with other settings or of other text; the message says what differs.
            ResourceError: the folder cannot be written.
        """
        now = {"match": plan.match.words(), **identity}
        if self.has_begun:
            before = self._kept().get("identity", {})
            for key in dict.fromkeys([*before, *now]):
                if before.get(key) != now.get(key):
                    raise ConfigurationError(
                        f"the comparison in '{self.folder}' has another {key} ({_short(before.get(key))}, not "
                        f"{_short(now.get(key))}); give the old one back, or choose another folder with -o."
                    )
        for run in plan.runs():
            self._check_run(run)
        state = {
            "format": _FORMAT,
            "version": _VERSION,
            "identity": now,
            "runs": [r.name for r in plan.runs()],
        }
        write_text(self.folder / _STATE, checked_json(state))
        for run in plan.runs():
            files = self.files(run.name)
            if not files.settings.exists():
                write_text(files.settings, dump_toml(run.settings))

    def _check_run(self, run: PlannedRun) -> None:
        files = self.files(run.name)
        if not files.settings.exists():
            return
        before = load_run(files.settings).model_dump(mode="json")
        changed = list(differences(before, run.settings.model_dump(mode="json")))
        if changed:
            raise ConfigurationError(
                f"the run '{run.name}' in '{self.folder}' has other settings: "
                + "; ".join(
                    f"{path} was {_short(old)} and is {_short(new)}" for path, old, new in changed[:3]
                )
                + ". Give the old values back, or choose another folder with -o."
            )
        training = files.read_training()
        if training is not None and training.fingerprint != run.fingerprint:
            raise ConfigurationError(
                f"the run '{run.name}' in '{self.folder}' was trained on other text ({training.fingerprint[:12]}, not "
                f"{run.fingerprint[:12]}); give the old text back, or choose another folder with -o."
            )

    def _kept(self) -> dict[str, Any]:
        """Return the state of the folder.

        Raises:
            ConfigurationError: it cannot be read, was changed, is something else's, or of a newer version.
        """
        path = self.folder / _STATE
        try:
            kept = parse_json(read_regular(path))
            if (
                not isinstance(kept, dict)
                or kept.get("format") != _FORMAT
                or not isinstance(kept.get("version"), int)
            ):
                raise ConfigurationError(
                    f"'{path}' was not written by nmt-lstm compare; choose a different folder with -o."
                )
            if kept["version"] > _VERSION:
                raise ConfigurationError(
                    f"'{self.folder}' was made by a newer nmt-lstm (format {kept['version']}, this one reads up to "
                    f"{_VERSION}); upgrade, or choose another folder with -o."
                )
            return without_checksum(kept)
        except (OSError, ValueError) as problem:
            raise ConfigurationError(
                f"'{path}' cannot be read ({' '.join(str(problem).split())}); choose another folder with -o."
            ) from problem


def write_text(path: Path, text: str) -> None:
    """Write a file whole or not at all.

    Raises:
        ResourceError: it cannot be written.
    """
    try:
        write_atomically(path, text)
    except OSError as problem:
        raise ResourceError(
            f"cannot write '{path}' ({problem.strerror or problem}); free some space: the same command goes on."
        ) from problem


def write_record(path: Path, record: BaseModel) -> None:
    """Write a record whole or not at all; `read_record` reads it."""
    write_text(path, checked_json(record.model_dump(mode="json")))


def digest_of(paths: Sequence[Path]) -> str:
    """Return a checksum of files.

    Raises:
        DataError: one cannot be read.
    """
    digests = b""
    for path in paths:
        try:
            digests += bytes.fromhex(sha256_of(path))
        except OSError as problem:
            raise DataError(f"'{path}' cannot be read: {problem.strerror}.") from problem
    return sha256_of_content(digests)


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return text if len(text) <= 40 else f"{text[:12]}..."
