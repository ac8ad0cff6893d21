"""The folder of a comparison: its state, and the settings and results of each run."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
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
from nmt_lstm.files.regular import MAX_LIST_BYTES, read_regular
from nmt_lstm.files.write_errors import write_remedy
from nmt_lstm.lab.comparison.plan import Plan, PlannedRun
from nmt_lstm.lab.comparison.run_result import RunResult, TrainingResult, read_result
from nmt_lstm.lab.experiment.folder import check_folder
from nmt_lstm.text.held_out import FOLDER as HELD_OUT

__all__ = ["ComparisonFolder", "RunFiles", "digest_of", "write_result", "write_text"]

_STATE = "comparison.json"
_FORMAT = "nmt-lstm comparison"
_VERSION = 1
_REMEDY = "restore the previous value, or choose a different folder with -o"


class RunFiles:
    """The files of one run.

    Args:
        model: the model folder.
        records: the folder for the run file, the log, the result of training, the translations and the result.
    """

    def __init__(self, model: Path, records: Path) -> None:
        self.model = model
        self.settings = records / "run.toml"
        self.log = records / "log.txt"
        self.training = records / "training.json"
        self.translations = records / "translations.txt"
        self.result = records / "result.json"

    def read_training(self) -> TrainingResult | None:
        """Return the result of training; None if it has not finished.

        Raises:
            DataError: the file is damaged.
        """
        return read_result(TrainingResult, self.training)

    def read_result(self) -> RunResult | None:
        """Return the result of the run; None if it has not finished.

        Raises:
            DataError: the file is damaged.
        """
        return read_result(RunResult, self.result)

    def read_translations(self, result: RunResult) -> list[str]:
        """Return the translations of the test text that belong to a result.

        Raises:
            DataError: the file is missing or was changed.
        """
        try:
            data = read_regular(self.translations, MAX_LIST_BYTES)
            if result.translations_sha256 not in ("", sha256_of_content(data)):
                raise ValueError("its SHA-256 has changed")  # noqa: TRY301 - handled like unreadable text
            return data.decode("utf-8").split("\n")[:-1]
        except (OSError, ValueError) as problem:
            reason = problem.strerror if isinstance(problem, OSError) else problem
            raise DataError(
                f"'{self.translations}' cannot be read ({reason}); remove '{self.result}' and rerun the same command to "
                f"translate again.",
                path=self.translations,
            ) from problem


class ComparisonFolder:
    """A folder with ``runs/NAME`` (model folders), ``records/NAME`` and the report.

    Args:
        folder: a new or empty folder, or that of an earlier comparison.

    Raises:
        ConfigurationError: it belongs to another program, or was written by a newer version.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.exists = check_folder(
            folder, _STATE, "is not a comparison", allowed=(".lock", "prepared", HELD_OUT)
        )
        """Whether the folder already held a comparison when it was opened."""
        if self.exists:
            self._read_state()

    def files(self, name: str) -> RunFiles:
        """Return the files of a run."""
        return RunFiles(self.folder / "runs" / name, self.folder / "records" / name)

    def alone(self) -> AbstractContextManager[None]:
        """Create the folder, and keep other comparisons out of it within a with statement.

        Raises:
            ResourceError: it cannot be created, or another comparison is using it.
        """
        return exclusive_folder("nmt-lstm compare", self.folder)

    def begin(self, plan: Plan, *, identity: Mapping[str, Any]) -> None:
        """Record what is compared, or check it against what was recorded before.

        Runs may be added to a comparison (more seeds, more values) or left out; finished ones are kept.

        Args:
            plan: the plan.
            identity: further values that must not change for results to stay comparable, by the name used in messages.

        Raises:
            ConfigurationError: runs with different settings or text exist; the message says what differs.
            ResourceError: the folder cannot be written.
        """
        identity = {"match": plan.request.match.words(), **identity}
        if (self.folder / _STATE).exists():
            before = self._read_state().get("identity", {})
            for key in dict.fromkeys([*before, *identity]):
                if before.get(key) != identity.get(key):
                    raise ConfigurationError(
                        f"the comparison in '{self.folder}' has a different {key} ({_short(before.get(key))}, not "
                        f"{_short(identity.get(key))}); {_REMEDY}.",
                        path=self.folder,
                        key=key,
                        value=identity.get(key),
                    )
        runs = plan.runs()
        for run in runs:
            self._check_run(run)
        state = {
            "format": _FORMAT,
            "version": _VERSION,
            "identity": identity,
            "runs": [run.name for run in runs],
        }
        write_text(self.folder / _STATE, checked_json(state))
        for run in runs:
            settings = self.files(run.name).settings
            if not settings.exists():
                write_text(settings, dump_toml(run.settings))

    def _check_run(self, run: PlannedRun) -> None:
        files = self.files(run.name)
        if not files.settings.exists():
            return
        before = load_run(files.settings).model_dump(mode="json")
        changed = list(differences(before, run.settings.model_dump(mode="json")))
        if changed:
            values = "; ".join(
                f"{path} was {_short(old)} and is {_short(new)}" for path, old, new in changed[:3]
            )
            raise ConfigurationError(
                f"the run '{run.name}' in '{self.folder}' has different settings: {values}; {_REMEDY}.",
                path=files.settings,
                key=changed[0][0],
                value=changed[0][2],
            )
        training = files.read_training()
        if training is not None and training.fingerprint != run.fingerprint:
            raise ConfigurationError(
                f"the run '{run.name}' in '{self.folder}' was trained on different text "
                f"({training.fingerprint[:12]}, not {run.fingerprint[:12]}); {_REMEDY}.",
                path=files.training,
                value=run.fingerprint,
            )

    def _read_state(self) -> dict[str, Any]:
        """Return the recorded state.

        Raises:
            ConfigurationError: the file cannot be read, was changed or was not written by this version.
        """
        path = self.folder / _STATE
        try:
            state = parse_json(read_regular(path))
            version = state.get("version") if isinstance(state, dict) else None
            if not isinstance(version, int) or state.get("format") != _FORMAT:
                raise ConfigurationError(
                    f"'{path}' was not written by nmt-lstm compare; choose a different folder with -o.",
                    path=path,
                )
            if version > _VERSION:
                raise ConfigurationError(
                    f"'{path}' was written by a newer nmt-lstm (format {version}, this one reads up to {_VERSION}); "
                    f"upgrade, or choose a different folder with -o.",
                    path=path,
                    value=version,
                )
            return without_checksum(state)
        except (OSError, ValueError) as problem:
            raise ConfigurationError(
                f"'{path}' cannot be read ({' '.join(str(problem).split())}); choose a different folder with -o.",
                path=path,
            ) from problem


def write_text(path: Path, text: str) -> None:
    """Write a file atomically.

    Raises:
        ResourceError: it cannot be written.
    """
    try:
        write_atomically(path, text)
    except OSError as problem:
        raise ResourceError(
            f"cannot write '{path}' ({problem.strerror or problem}); {write_remedy(problem)}, then rerun the same command.",
            path=path,
        ) from problem


def write_result(path: Path, result: BaseModel) -> None:
    """Write a result with its checksum, for `read_result`."""
    write_text(path, checked_json(result.model_dump(mode="json")))


def digest_of(paths: Sequence[Path]) -> str:
    """Return a common checksum of several files.

    Raises:
        DataError: one of them cannot be read.
    """
    digests = b""
    for path in paths:
        try:
            digests += bytes.fromhex(sha256_of(path))
        except OSError as problem:
            raise DataError(f"'{path}' cannot be read: {problem.strerror}.", path=path) from problem
    return sha256_of_content(digests)


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return text if len(text) <= 40 else f"{text[:12]}..."
