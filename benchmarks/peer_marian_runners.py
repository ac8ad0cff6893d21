"""The runners of Marian: as it comes, and with the weights of a model that another of them trained in 8 bits."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from peer_marian import Marian
from peer_marian_model import parameters, without_end
from peer_other_runner import PeerRunner
from peer_process import run
from peer_runner import LONGEST_PROCESS, Deadline, Learnt, Record
from peer_text import Pieces, apart
from peer_toolkit import Training


class MarianRunner(PeerRunner):
    """Measures Marian.

    Args:
        marian: its commands.
        cache, pieces, folder, deadline: see `PeerRunner`.
        learns: whether it is also trained for the times of --wall.
    """

    def __init__(
        self,
        marian: Marian,
        cache: Path,
        pieces: Pieces,
        folder: Path,
        deadline: Deadline,
        *,
        learns: bool = True,
    ) -> None:
        super().__init__(marian, cache, pieces, folder, deadline)
        self.marian = marian
        self.learns = learns

    def _record(self, training: Training) -> Record:
        """Add the number of parameters, which only its model tells."""
        record = super()._record(training)
        model = self.marian.checkpoints(training.folder)[-1]
        return replace(record, parameters=apart(parameters, model))

    def untrained(self, feeding: bool) -> Path:
        """Return what its short training saved, with END made impossible: Marian has no shortest translation."""
        trained = super().untrained(feeding)
        endless = trained.with_name("endless.npz")
        if not endless.exists():
            apart(without_end, trained, endless)
        return endless


class Int8MarianRunner(MarianRunner):
    """Measures the translations of a model that another runner trained, with weights of 8 bits.

    Args:
        trained: the other runner; it is measured before this one.
    """

    trains = False

    def __init__(self, trained: MarianRunner) -> None:
        renamed = replace(trained.marian, name=f"{trained.name}, int8")
        super().__init__(renamed, trained.cache, trained.pieces, trained.folder.parent, trained.deadline)
        self.trained = trained

    def untrained(self, feeding: bool) -> Path:
        """Return the other's model, converted."""
        return self._converted(self.trained.untrained(feeding))

    def _learnt(self, feeding: bool, seconds: float, all_seconds: list[float]) -> Learnt:
        learnt = self.trained._learnt(feeding, seconds, all_seconds)
        return Learnt(self._converted(learnt.model), f"trained as {self.trained.name}")

    def _converted(self, model: Path) -> Path:
        output = model.with_suffix(".bin")
        if not output.exists():
            command = self.marian.convert_command(self.python, model, output)
            log = output.with_suffix(".log")
            run(command, folder=model.parent, log=log, time_limit=LONGEST_PROCESS)
        return output
