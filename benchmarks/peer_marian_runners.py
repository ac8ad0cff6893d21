"""The runners of Marian: with float32 weights, and with the weights of a trained model converted to 8 bits."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from peer_marian import Marian
from peer_marian_model import parameters, without_end
from peer_other_runner import PeerRunner
from peer_process import run
from peer_runner import PROCESS_LIMIT, Deadline, Learnt, Record
from peer_text import Pieces, in_process
from peer_toolkit import Training


class MarianRunner(PeerRunner):
    """Measures Marian.

    Args:
        marian: its commands.
        cache, pieces, folder, deadline: see `PeerRunner`.
        learns: whether it is also trained for the times in --wall.
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
        """Add the number of parameters, which only the model file has."""
        record = super()._record(training)
        model = self.marian.checkpoints(training.folder)[-1]
        return replace(record, parameters=in_process(parameters, model))

    def untrained(self, feeding: bool) -> Path:
        """Return the checkpoint of its short run, unable to end sentences, since Marian has no minimum length."""
        trained = super().untrained(feeding)
        endless = trained.with_name("endless.npz")
        if not endless.exists():
            in_process(without_end, trained, endless)
        return endless


class Int8MarianRunner(MarianRunner):
    """Measures translation with 8-bit weights and the model of another runner.

    Args:
        trained: the other runner, which is measured first.
    """

    trains = False

    def __init__(self, trained: MarianRunner) -> None:
        renamed = replace(trained.marian, name=f"{trained.name}, int8")
        super().__init__(renamed, trained.cache, trained.pieces, trained.folder.parent, trained.deadline)
        self.trained = trained

    def untrained(self, feeding: bool) -> Path:
        """Return the converted model of the other runner."""
        return self._converted(self.trained.untrained(feeding))

    def _learnt(self, feeding: bool, seconds: float, all_seconds: list[float]) -> Learnt:
        learnt = self.trained._learnt(feeding, seconds, all_seconds)
        return Learnt(self._converted(learnt.model), f"trained as {self.trained.name}")

    def _converted(self, model: Path) -> Path:
        output = model.with_suffix(".bin")
        if not output.exists():
            command = self.marian.convert_command(self.python, model, output)
            log = output.with_suffix(".log")
            run(command, folder=model.parent, log=log, time_limit=PROCESS_LIMIT)
        return output
