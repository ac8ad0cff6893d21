"""A leaderboard in one folder: add systems, rank them, compare two of them."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nmt_lstm.errors import ConfigurationError, DataError, ResourceError, nearest
from nmt_lstm.evaluation.scores import check_metrics
from nmt_lstm.files.atomic import write_atomically
from nmt_lstm.lab.analysis.pair_report import PairReport, pair_report
from nmt_lstm.lab.leaderboard.entries import Entries
from nmt_lstm.lab.leaderboard.ranking import RankedRow, Ranking, differences, rank
from nmt_lstm.lab.leaderboard.record import Row, Withdrawal, check_system_name, make_facts, now
from nmt_lstm.lab.leaderboard.rescoring import Change, Checked, rescore, verify
from nmt_lstm.lab.leaderboard.scoring import Scoring
from nmt_lstm.lab.leaderboard.settings import BOARD, BoardSettings, checked, dump_board, load_board
from nmt_lstm.lab.leaderboard.store import BoardFiles, current_rows
from nmt_lstm.lab.leaderboard.test_sets import TestSets, load_test_set

if TYPE_CHECKING:
    from nmt_lstm.lab.leaderboard.model_output import ModelOutput

__all__ = ["Leaderboard"]

_PATHS = ("source", "references", "train_source", "train_target")

logger = logging.getLogger(__name__)


class Leaderboard:
    """The board in a folder.

    Args:
        folder: what `create` or ``nmt-lstm leaderboard init`` made: it has a ``board.toml``.

    Raises:
        ConfigurationError: there is none, it is wrong, or of a newer version.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        self.settings: BoardSettings = load_board(self.folder)
        self.test_sets = TestSets(self.settings.test_sets, self.folder)
        self.files = BoardFiles(self.folder, self.test_sets, copy_test_sets=self.settings.copy_test_sets)
        self.scoring = Scoring(self.files)
        self._entries = Entries(self.files, self.scoring)

    @classmethod
    def create(
        cls,
        folder: str | Path,
        test_sets: Mapping[str, Mapping[str, Any]],
        *,
        title: str = "Leaderboard",
        copy_test_sets: bool = True,
    ) -> Leaderboard:
        """Make a new board.

        Args:
            folder: where; it may be there, but not have a board.
            test_sets: by name, what ``board.toml`` says of each, such as
                ``{"source": "test.de", "references": ["test.en"]}`` or ``{"sacrebleu": "wmt17/en-de"}``. Relative
                paths start at the working directory; ``board.toml`` has them from the board's folder.
            title: heading of the HTML page.
            copy_test_sets: whether the board keeps copies of sources and references.

        Raises:
            ConfigurationError: there is a board already, or the settings are wrong.
            DataError: a test set cannot be read.
            ResourceError: the folder cannot be written.
        """
        path = Path(folder)
        if (path / BOARD).exists():
            raise ConfigurationError(
                f"there is a board in '{path}' already; add to it, or choose another folder."
            )
        values = {name: _from_folder(each, path) for name, each in test_sets.items()}
        given = {"title": title, "copy_test_sets": copy_test_sets, "test_sets": values}
        settings = checked(given, f"board '{path}'")
        for name, each in settings.test_sets.items():
            load_test_set(name, each, path)
        try:
            write_atomically(path / BOARD, dump_board(settings))
        except OSError as problem:
            raise ResourceError(
                f"the board '{path}' cannot be made ({problem.strerror or problem}); choose another folder."
            ) from problem
        return cls(path)

    def add(
        self,
        system: str | None = None,
        *,
        model: str | Path | Sequence[str | Path] | None = None,
        hypotheses: str | Path | Sequence[str] | None = None,
        test_set: str | Sequence[str] | None = None,
        facts: Mapping[str, Any] | None = None,
        replace: bool = False,
        beam_size: int | None = None,
        batch_size: int = 64,
        device: str = "auto",
        precision: str = "auto",
    ) -> list[Row]:
        """Add a system; each row is on the disk before the next test set is begun.

        Args:
            system: its name; that of the model folder if it is not given.
            model: a model folder, or several as an ensemble; it translates the test sets.
            hypotheses: instead, an output file of any toolkit or its lines, for one test set.
            test_set: which; by default all of the model's direction, or the only one there is.
            facts: what else is known of it, such as ``{"toolkit": "marian", "parameters": 60_000_000}``.
            replace: take the place of a row of the same name and test set that has another output.
            beam_size: hypotheses per sentence; by default the model's.
            batch_size: sentences translated together.
            device: "auto", "cpu", "cuda" or "cuda:N".
            precision: "auto", "float32", "bf16" or "fp16".

        Returns:
            A row for each test set, also where the same output was on the board before.

        Raises:
            ConfigurationError: names or options are wrong, or the model is of another direction.
            DataError: the number of lines is not the test set's, the system is there with another output, or a
                file cannot be read.
            ModelFolderError: the model folder cannot be used.
            ResourceError: the board cannot be written; nothing was added to it.
        """
        if (model is None) == (hypotheses is None):
            raise ConfigurationError("give either a model folder or hypotheses to add.")
        known = make_facts(dict(facts or {}))
        wanted = [test_set] if isinstance(test_set, str) else test_set
        if hypotheses is not None:
            if system is None:
                raise ConfigurationError("give hypotheses a system's name, such as marian.")
            names = list(wanted or self.test_sets.names)
            if len(names) != 1:
                raise ConfigurationError(
                    f"hypotheses are of one test set: name it, one of {', '.join(self.test_sets.names)}."
                )
            place = self.test_sets.get(names[0])
            return [
                self._entries.add_output(check_system_name(system), hypotheses, place, known, replace=replace)
            ]
        # torch is needed only where something is translated.
        from nmt_lstm.lab.leaderboard.model_output import ModelOutput

        assert model is not None
        output = ModelOutput(
            [model] if isinstance(model, (str, Path)) else model,
            beam_size=beam_size,
            batch_size=batch_size,
            device=device,
            precision=precision,
        )
        name = check_system_name(system or output.name)
        chosen = [self.test_sets.get(each) for each in wanted or self._of_direction(output)]
        for each in chosen:
            output.check_direction(each)
        return [self._entries.add_model(name, output, each, known, replace=replace) for each in chosen]

    def check_addition(
        self, system: str | None, test_set: Sequence[str] = (), facts: Mapping[str, Any] | None = None
    ) -> None:
        """Refuse what `add` would refuse before it loads a model or reads an output.

        Raises:
            ConfigurationError: the system's name, a fact or a test set is wrong.
        """
        make_facts(dict(facts or {}))
        if system is not None:
            check_system_name(system)
        for name in test_set:
            self.test_sets.check_name(name)

    def remove(self, system: str, test_set: str | None = None) -> list[Row]:
        """Take a system off the board, or off one test set; its rows stay in the file, and its outputs in the folder.

        Raises:
            ConfigurationError: it is not on the board.
        """
        rows = [
            row
            for row in current_rows(self.files.records())
            if row.system == system and test_set in (None, row.test_set)
        ]
        if not rows:
            raise ConfigurationError(self._unknown_system(system, test_set))
        for row in rows:
            self.files.append(Withdrawal(system=row.system, test_set=row.test_set, added=now()))
        return rows

    def current(self, test_set: str | None = None) -> list[Row]:
        """Return the rows as they were added, those of removed systems and replaced ones left out."""
        if test_set is not None:
            self.test_sets.check_name(test_set)
        return [row for row in current_rows(self.files.records()) if test_set in (None, row.test_set)]

    def rankings(
        self, test_set: str | None = None, *, metric: str = "bleu", baseline: str | None = None
    ) -> list[Ranking]:
        """Return the rankings of a test set or of all; see `rank`.

        Raises:
            ConfigurationError: unknown metric, test set or baseline.
            DataError: the board is damaged.
        """
        check_metrics([metric])
        rows = self.current(test_set)
        if baseline is not None and all(row.system != baseline for row in rows):
            raise ConfigurationError(self._unknown_system(baseline, test_set))
        return [
            ranking
            for name in dict.fromkeys([*self.test_sets.names, *(row.test_set for row in rows)])
            for ranking in rank(
                [row for row in rows if row.test_set == name],
                metric,
                self.scoring.statistics_of,
                baseline=baseline,
            )
        ]

    def rows(
        self, test_set: str | None = None, *, metric: str = "bleu", baseline: str | None = None
    ) -> list[RankedRow]:
        """Return the rows of all rankings, with rank and comparisons; see `rankings`."""
        found = self.rankings(test_set, metric=metric, baseline=baseline)
        return [row for ranking in found for row in ranking.rows]

    def compare(
        self, one: str, other: str, *, test_set: str | None = None, sentences: int = 10
    ) -> PairReport:
        """Compare two systems by all metrics.

        Args:
            one: a system.
            other: another; differences are `one` minus `other`.
            test_set: which; by default the only one that both are on.
            sentences: how many sentences to return in which they differ most.

        Raises:
            ConfigurationError: a system is not there, or the test set has to be named.
            DataError: the rows have different signatures, references or test-set fingerprints.
        """
        rows = self.current(test_set)
        for name in (one, other):
            if all(row.system != name for row in rows):
                raise ConfigurationError(self._unknown_system(name, test_set))
        places = [{row.test_set: row for row in rows if row.system == name} for name in (one, other)]
        both = [name for name in places[0] if name in places[1]]
        if len(both) != 1:
            raise ConfigurationError(
                f"'{one}' and '{other}' are both on {len(both)} test sets"
                + (f" ({', '.join(both)}); name one of them." if both else "; add them to the same one.")
            )
        first, second = (place[both[0]] for place in places)
        if apart := differences(first, second):
            raise DataError(
                f"'{one}' and '{other}' cannot be compared on '{both[0]}': '{one}' has {'; '.join(apart)}. "
                f"Bring them together with: nmt-lstm leaderboard rescore --update."
            )
        return pair_report(
            (one, other),
            (self.scoring.statistics_of(first), self.scoring.statistics_of(second)),
            (self.files.text(first.hypotheses), self.files.text(second.hypotheses)),
            references=[self.files.text(digest) for digest in first.references],
            sources=self.files.text(first.source),
            sentences=sentences,
        )

    def rescore(self, *, update: bool = False) -> list[Change]:
        """Score every row again from its stored output and return those that change; see `rescoring.rescore`.

        Args:
            update: score on the test sets as ``board.toml`` has them now, and put new rows in place of the old.
        """
        return rescore(self.files, self.scoring, self.test_sets, update=update)

    def verify(self) -> Checked:
        """Check every row and text against its checksum; see `rescoring.verify`."""
        return verify(self.files, self.test_sets)

    def _of_direction(self, output: ModelOutput) -> list[str]:
        """Return the names of the test sets that the model can translate."""
        sets = [self.test_sets.get(name) for name in self.test_sets.names]
        fitting = [each.name for each in sets if output.fits(each.source_language, each.target_language)]
        if not fitting:
            raise ConfigurationError(
                f"the model translates {'-'.join(output.direction)}, and no test set of board '{self.folder}' is of "
                f"that direction; name one in {BOARD}."
            )
        for each in sets:
            if each.name not in fitting:
                logger.info("%s is %s: passed over.", each.name, each.direction)
        return fitting

    def _unknown_system(self, system: str, test_set: str | None) -> str:
        known = sorted({row.system for row in self.current(test_set)})
        place = f"test set '{test_set}' of board '{self.folder}'" if test_set else f"board '{self.folder}'"
        return (
            f"{place} has no system '{system}'.{nearest(system, known)} Known: {', '.join(known) or 'none'}."
        )


def _from_folder(given: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """Return settings of a test set whose relative paths start at `folder` instead of the working directory."""

    def moved(value: Any) -> Any:
        if isinstance(value, (str, Path)):
            return (
                str(value)
                if Path(value).is_absolute()
                else os.path.relpath(Path(value).resolve(), folder.resolve())
            )
        return [moved(each) for each in value] if isinstance(value, (list, tuple)) else value

    return {key: moved(value) if key in _PATHS else value for key, value in given.items()}
