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
from nmt_lstm.lab.leaderboard.rescoring import Change, Verification, rescore, verify
from nmt_lstm.lab.leaderboard.scoring import Scoring
from nmt_lstm.lab.leaderboard.settings import BOARD, BoardSettings, dump_board, load_board, make_settings
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
        folder: a folder that `create` or ``nmt-lstm leaderboard init`` made.

    Raises:
        ConfigurationError: its ``board.toml`` is missing, wrong or from a newer version.
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
        """Create a board.

        Args:
            folder: the folder; it may exist, but must not contain a board.
            test_sets: the settings of each in ``board.toml``, by name, such as
                ``{"source": "test.de", "references": ["test.en"]}`` or ``{"sacrebleu": "wmt17/en-de"}``. Relative
                paths start at the working directory; in ``board.toml`` they start at the folder of the board.
            title: heading of the HTML page.
            copy_test_sets: whether the board stores copies of sources and references.

        Raises:
            ConfigurationError: the folder already has a board, or the settings are wrong.
            DataError: a test set cannot be read.
            ResourceError: the folder cannot be written.
        """
        path = Path(folder)
        if (path / BOARD).exists():
            raise ConfigurationError(
                f"'{path}' already contains a board; add to it, or choose a different folder.", path=path
            )
        tables = {name: _relative_paths(each, path) for name, each in test_sets.items()}
        values = {"title": title, "copy_test_sets": copy_test_sets, "test_sets": tables}
        settings = make_settings(values, f"board '{path}'")
        for name, each in settings.test_sets.items():
            load_test_set(name, each, path)
        try:
            write_atomically(path / BOARD, dump_board(settings))
        except OSError as problem:
            raise ResourceError(
                f"cannot create board '{path}' ({problem.strerror or problem}); choose a different folder.",
                path=path,
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
        tag: str = "",
        batch_size: int = 64,
        device: str = "auto",
        precision: str = "auto",
    ) -> list[Row]:
        """Add a system; each row is on disk before the next test set is translated.

        Args:
            system: its name; by default that of the model folder.
            model: a model folder that translates the test sets, or several as an ensemble.
            hypotheses: instead of a model, an output of any toolkit for one test set, as a file or as lines.
            test_set: one or more test sets; by default all with the direction of the model, or the only one.
            facts: further facts, such as ``{"toolkit": "marian", "parameters": 60_000_000}``.
            replace: replace a different output of the same system on the same test set.
            beam_size: hypotheses per sentence; by default that of the model.
            tag: a piece in front of every source line, such as the target language "<2de>".
            batch_size: sentences translated together.
            device: "auto", "cpu", "cuda" or "cuda:N".
            precision: "auto", "float32", "bf16" or "fp16".

        Returns:
            A row for each test set, whether it is new or the board already had the same output.

        Raises:
            ConfigurationError: names or options are wrong, or the model has a different direction.
            DataError: the number of lines differs from the test set, the system has a different output on the board,
                or a file cannot be read.
            ModelFolderError: the model folder cannot be used.
            ResourceError: the board cannot be written; nothing was added.
        """
        if (model is None) == (hypotheses is None):
            raise ConfigurationError("give either a model folder or hypotheses.")
        row_facts = make_facts(facts or {})
        names = [test_set] if isinstance(test_set, str) else list(test_set or ())
        if hypotheses is not None:
            if system is None:
                raise ConfigurationError("hypotheses need the name of a system, such as marian.")
            names = names or self.test_sets.names
            if len(names) != 1:
                raise ConfigurationError(
                    f"hypotheses belong to one test set: name one of {', '.join(self.test_sets.names)}.",
                    known=self.test_sets.names,
                )
            name, text = check_system_name(system), self.test_sets.get(names[0])
            return [self._entries.add_output(name, hypotheses, text, row_facts, replace=replace)]
        # Only translation needs torch.
        from nmt_lstm.lab.leaderboard.model_output import ModelOutput

        assert model is not None
        output = ModelOutput(
            [model] if isinstance(model, (str, Path)) else model,
            beam_size=beam_size,
            tag=tag,
            batch_size=batch_size,
            device=device,
            precision=precision,
        )
        name = check_system_name(system or output.name)
        texts = [self.test_sets.get(each) for each in names or self._translatable(output)]
        for text in texts:
            output.check_direction(text)
        return [self._entries.add_model(name, output, text, row_facts, replace=replace) for text in texts]

    def check_addition(
        self, system: str | None, test_set: Sequence[str] = (), facts: Mapping[str, Any] | None = None
    ) -> None:
        """Check the arguments of `add` without loading a model or reading an output.

        Raises:
            ConfigurationError: the name of the system, a fact or a test set is wrong.
        """
        make_facts(facts or {})
        if system is not None:
            check_system_name(system)
        for name in test_set:
            self.test_sets.check_name(name)

    def remove(self, system: str, test_set: str | None = None) -> list[Row]:
        """Remove a system from the board or from a test set; its old rows and outputs remain in the folder.

        Raises:
            ConfigurationError: it is not on the board.
        """
        # Not by `current`: the test set may no longer be in board.toml.
        rows = [
            row
            for row in current_rows(self.files.records())
            if row.system == system and test_set in (None, row.test_set)
        ]
        if not rows:
            raise self._unknown_system(system, test_set)
        for row in rows:
            self.files.append(Withdrawal(system=row.system, test_set=row.test_set, added=now()))
        return rows

    def current(self, test_set: str | None = None) -> list[Row]:
        """Return the rows in the order in which they were added, without removed and replaced ones."""
        if test_set is not None:
            self.test_sets.check_name(test_set)
        return [row for row in current_rows(self.files.records()) if test_set in (None, row.test_set)]

    def rankings(
        self, test_set: str | None = None, *, metric: str = "bleu", baseline: str | None = None
    ) -> list[Ranking]:
        """Return the rankings of one test set or of all; see `rank`.

        Raises:
            ConfigurationError: the metric, the test set or the baseline is unknown.
            DataError: the board is damaged.
        """
        check_metrics([metric])
        rows = self.current(test_set)
        if baseline is not None and all(row.system != baseline for row in rows):
            raise self._unknown_system(baseline, test_set)
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
        rankings = self.rankings(test_set, metric=metric, baseline=baseline)
        return [row for ranking in rankings for row in ranking.rows]

    def compare(
        self, one: str, other: str, *, test_set: str | None = None, sentences: int = 10
    ) -> PairReport:
        """Compare two systems by all metrics.

        Args:
            one: the first system.
            other: the second system; differences are `one` minus `other`.
            test_set: the test set; by default the only one that has both systems.
            sentences: how many sentences to return in which they differ most.

        Raises:
            ConfigurationError: a system is unknown, or the test set must be named.
            DataError: the rows have different signatures, references or test-set fingerprints.
        """
        rows = self.current(test_set)
        for name in (one, other):
            if all(row.system != name for row in rows):
                raise self._unknown_system(name, test_set)
        of_one, of_other = (
            {row.test_set: row for row in rows if row.system == name} for name in (one, other)
        )
        both = [name for name in of_one if name in of_other]
        if len(both) != 1:
            raise ConfigurationError(
                f"'{one}' and '{other}' have {len(both)} test sets in common"
                + (f" ({', '.join(both)}); name one of them." if both else "; add both to the same one.")
            )
        first, second = of_one[both[0]], of_other[both[0]]
        if apart := differences(first, second):
            raise DataError(
                f"'{one}' and '{other}' cannot be compared on '{both[0]}': '{one}' has {'; '.join(apart)}. "
                f"Score them alike with: nmt-lstm leaderboard rescore --update."
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
        """Score all rows again from their stored outputs and return those that change; see `rescoring.rescore`.

        Args:
            update: score on the test sets as they are now, and replace rows that change.
        """
        return rescore(self.files, self.scoring, self.test_sets, update=update)

    def verify(self) -> Verification:
        """Check all rows and texts against their checksums; see `rescoring.verify`."""
        return verify(self.files, self.test_sets)

    def _translatable(self, output: ModelOutput) -> list[str]:
        """Return the names of the test sets that the model can translate."""
        sets = [self.test_sets.get(name) for name in self.test_sets.names]
        matching = [each.name for each in sets if output.fits(each.source_language, each.target_language)]
        if not matching:
            raise ConfigurationError(
                f"the model translates {'-'.join(output.direction)}, and board '{self.folder}' has no test set with that "
                f"direction; add one to {BOARD}."
            )
        for each in sets:
            if each.name not in matching:
                logger.info("%s skipped: its direction is %s.", each.name, each.direction)
        return matching

    def _unknown_system(self, system: str, test_set: str | None) -> ConfigurationError:
        known = sorted({row.system for row in self.current(test_set)})
        where = f"test set '{test_set}' of board '{self.folder}'" if test_set else f"board '{self.folder}'"
        return ConfigurationError(
            f"{where} has no system '{system}'.{nearest(system, known)} Known: {', '.join(known) or 'none'}.",
            value=system,
            known=known,
        )


def _relative_paths(values: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """Return settings of a test set with relative paths that start at `folder` instead of the working directory."""

    def convert(value: Any) -> Any:
        if isinstance(value, (list, tuple)):
            return [convert(each) for each in value]
        if not isinstance(value, (str, Path)):
            return value
        path = Path(value)
        return str(path) if path.is_absolute() else os.path.relpath(path.resolve(), folder.resolve())

    return {key: convert(value) if key in _PATHS else value for key, value in values.items()}
