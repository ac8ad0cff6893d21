"""The folder of a comparison: whose it is, what its runs are, and where each keeps what it came to."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from nmt_lstm.config.load import dump_toml, load_run
from nmt_lstm.errors import ConfigurationError, DataError, ResourceError
from nmt_lstm.files.parsing import parse_json
from nmt_lstm.files.regular import LARGEST_LIST, read_regular
from nmt_lstm.files.whole import replacing
from nmt_lstm.lab.comparison.plan import Plan, PlannedRun
from nmt_lstm.lab.comparison.run_result import RunResult, TrainingResult, read_record
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

    def read_translations(self) -> list[str]:
        """Return the translations of the test text.

        Raises:
            DataError: they are missing.
        """
        try:
            return read_regular(self.translations, LARGEST_LIST).decode("utf-8").split("\n")[:-1]
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
        ConfigurationError: it is somebody else's, or of a newer version.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        state = folder / _STATE
        if self.has_begun:
            kept = self._kept()
            if kept.get("format") != _FORMAT or not isinstance(kept.get("version"), int):
                raise ConfigurationError(
                    f"'{state}' is not of a comparison of ours; choose another folder with -o."
                )
            if kept["version"] > _VERSION:
                raise ConfigurationError(
                    f"'{folder}' was made by a newer nmt-lstm (format {kept['version']}, this one reads up to {_VERSION}); "
                    f"upgrade, or choose another folder with -o."
                )
            return
        if folder.exists() and not folder.is_dir():
            raise ConfigurationError(f"'{folder}' is a file; choose another folder with -o.")
        strangers = sorted(path.name for path in folder.iterdir()) if folder.exists() else []
        strangers = [name for name in strangers if name not in (".lock", "prepared", HELD_OUT)]
        if strangers:
            shown = ", ".join(strangers[:3]) + (" ..." if len(strangers) > 3 else "")
            raise ConfigurationError(
                f"'{folder}' exists and is no comparison ({shown}); choose another folder with -o, or empty it."
            )

    @property
    def has_begun(self) -> bool:
        """Whether a comparison stands in the folder already."""
        return (self.folder / _STATE).exists()

    def files(self, name: str) -> RunFiles:
        """Return the places of a run."""
        return RunFiles(self.folder / "runs" / name, self.folder / "records" / name)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Make the folder, and keep other comparisons out of it while a with statement lasts.

        Raises:
            ResourceError: it cannot be made, or one is at work in it.
        """
        import fcntl

        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as problem:
            raise ResourceError(
                f"cannot make the folder '{self.folder}' ({problem.strerror}); choose another with -o."
            ) from problem
        with (self.folder / ".lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise ResourceError(
                    f"another nmt-lstm compare is at work in '{self.folder}'; wait for it, or choose another folder with -o."
                ) from None
            yield

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
        write_text(self.folder / _STATE, json.dumps(state, indent=2) + "\n")
        for run in plan.runs():
            files = self.files(run.name)
            if not files.settings.exists():
                write_text(files.settings, dump_toml(run.settings))

    def _check_run(self, run: PlannedRun) -> None:
        files = self.files(run.name)
        if not files.settings.exists():
            return
        before = load_run(files.settings).model_dump(mode="json")
        changed = list(_changes(before, run.settings.model_dump(mode="json")))
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
        path = self.folder / _STATE
        try:
            kept = parse_json(read_regular(path))
        except (OSError, ValueError) as problem:
            raise ConfigurationError(
                f"'{path}' cannot be read ({' '.join(str(problem).split())}); choose another folder with -o."
            ) from problem
        return kept if isinstance(kept, dict) else {}


def write_text(path: Path, text: str) -> None:
    """Write a file whole or not at all.

    Raises:
        ResourceError: it cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as beside:
            beside.write_text(text, encoding="utf-8", newline="\n")
    except OSError as problem:
        raise ResourceError(
            f"cannot write '{path}' ({problem.strerror or problem}); free some space: the same command goes on."
        ) from problem


def write_record(path: Path, record: BaseModel) -> None:
    """Write a record whole or not at all; `read_record` reads it."""
    write_text(path, record.model_dump_json(indent=2) + "\n")


def digest_of(paths: Sequence[Path]) -> str:
    """Return a checksum of files.

    Raises:
        DataError: one cannot be read.
    """
    found = hashlib.sha256()
    for path in paths:
        try:
            found.update(hashlib.sha256(path.read_bytes()).digest())
        except OSError as problem:
            raise DataError(f"'{path}' cannot be read: {problem.strerror}.") from problem
    return found.hexdigest()


def _changes(before: Any, after: Any, path: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Yield the dotted paths of differing leaves."""
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for key in dict.fromkeys([*before, *after]):
            yield from _changes(before.get(key), after.get(key), f"{path}.{key}" if path else str(key))
    elif before != after:
        yield path, before, after


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return text if len(text) <= 40 else f"{text[:12]}..."
