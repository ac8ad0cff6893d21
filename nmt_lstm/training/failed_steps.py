"""Files with the batches of steps that diverged, for a person to read."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from torch import Tensor

from nmt_lstm.files.atomic import write_atomically
from nmt_lstm.plain_text import json_text
from nmt_lstm.text.subwords import Subwords
from nmt_lstm.text.vocabulary import Vocabulary
from nmt_lstm.training.devices import gather_objects
from nmt_lstm.training.step_guard import Failure, MicroBatch, Step

__all__ = ["FailedSteps", "reports_in"]

# More files, and more messages, would say nothing new.
MOST_REPORTS = 20
_PREFIX = "divergence-step-"


def reports_in(folder: Path) -> list[Path]:
    """Return the files of `FailedSteps` in a folder."""
    return sorted(folder.glob(f"{_PREFIX}*.json"))


class _Computed(NamedTuple):
    """A micro-batch as its process describes it to the others."""

    process: int
    part: int
    likelihood: float
    labels: int
    pairs: list[str]
    """A line of JSON for each."""

    @property
    def loss(self) -> float:
        """Nats per label; 0 without labels."""
        return self.likelihood / self.labels if self.labels else 0.0


class FailedSteps:
    """Writes a file for each step that diverges, and says where it is.

    The files are JSON with one line for each pair: its number in the prepared text, its text as far as the pieces tell it, and
    the ids of its pieces. Values that are not finite are strings, since JSON has no numbers for them.

    Args:
        subwords: the vocabularies; None if the data is not text.
        rank: number of this process; the first one writes.
        folder: where to write; None writes nothing.
        say: shows a message.
    """

    def __init__(
        self,
        *,
        subwords: Subwords | None,
        rank: int = 0,
        folder: Path | None = None,
        say: Callable[[str], object] = lambda _: None,
    ) -> None:
        self.subwords = subwords
        self.rank = rank
        self.folder = folder
        self.say = say
        self._reports = 0

    def __call__(self, step: Step, *, skipped: bool, attempt: int) -> Failure:
        """Write the batch of a step, and return what is known of it; all processes take part.

        Args:
            step: as this process has computed it.
            skipped: whether training continues with the next step.
            attempt: how often the run has returned to a checkpoint before.
        """
        own = [self._computed(number, each) for number, each in enumerate(step.micro_batches)]
        parts = [part for process in gather_objects(own) for part in process]
        likelihood, labels = sum(part.likelihood for part in parts), sum(part.labels for part in parts)
        losses = [part.loss for part in parts]
        failure = Failure(
            loss=likelihood / max(1, labels),
            # max() would ignore a NaN that is not the first.
            largest=max(losses, default=math.nan) if all(map(math.isfinite, losses)) else math.nan,
            path=None,
        )
        self._reports += 1
        if self.folder is None or (skipped and self._reports > MOST_REPORTS):
            return failure
        number = step.number + 1
        path = self.folder / f"{_PREFIX}{number}{f'-return-{attempt}' if attempt else ''}.json"
        where = f"the batch is in '{path}'"
        if self.rank == 0:
            try:
                write_atomically(path, _document(step, failure, parts))
                failure = failure._replace(path=path)
            except OSError as problem:  # a full disk is no reason to end a run that skips the step
                where = f"the batch cannot be written to '{path}' ({problem.strerror})"
        if skipped:
            last = " Further steps are counted without a message." if self._reports == MOST_REPORTS else ""
            self.say(
                f"warning: step {number:,} is skipped: its loss is {failure.loss:.4g} and its gradient's norm "
                f"{float(step.norm):.4g}; {where}.{last}"
            )
        return failure

    def _computed(self, number: int, micro_batch: MicroBatch) -> _Computed:
        batch, likelihood = micro_batch
        pairs = [json_text(pair) for pair in self._pairs(micro_batch)]
        return _Computed(self.rank, number, float(likelihood), batch.target_pieces, pairs)

    def _pairs(self, micro_batch: MicroBatch) -> Iterator[dict[str, Any]]:
        """Yield the pairs that were learnt from."""
        batch = micro_batch.batch
        lengths = zip(batch.source.lengths.tolist(), batch.target_lengths.tolist(), strict=True)
        for row, (source_length, target_length) in enumerate(lengths):
            number = int(batch.indices[row])
            source, target = batch.source.pieces[row, :source_length], batch.target_outputs[row]
            if self.subwords is None:
                yield {"window": number, "inputs": _values(source), "outputs": _values(target)}
            elif target_length:
                sides = (
                    ("source", self.subwords.source, source[:-1]),
                    (
                        "target",
                        self.subwords.target,
                        target[: target_length - 1] if target_length > 1 else target[:1],
                    ),
                )
                yield {"pair": number, **_texts(sides)}


def _texts(sides: Sequence[tuple[str, Vocabulary, Tensor]]) -> dict[str, Any]:
    """Return the texts and the pieces of the sides that are not empty."""
    ids = {name: (vocabulary, pieces.tolist()) for name, vocabulary, pieces in sides if len(pieces)}
    return {
        **{name: vocabulary.decode(pieces) for name, (vocabulary, pieces) in ids.items()},
        **{f"{name}_pieces": pieces for name, (_, pieces) in ids.items()},
    }


def _values(tensor: Tensor) -> Any:
    """Return a tensor as lists of numbers, with strings for values that are not finite."""
    if tensor.ndim == 0:
        return _number(float(tensor))
    return [_values(each) for each in tensor]


def _number(value: float) -> float | str:
    """Return a number as JSON can have it."""
    return float(f"{value:.7g}") if math.isfinite(value) else str(value)


def _document(step: Step, failure: Failure, parts: Sequence[_Computed]) -> str:
    """Return the file of a step."""
    head = {
        "step": step.number + 1,
        "epoch": step.epoch + 1,
        "learning_rate": _number(step.learning_rate),
        "loss": _number(failure.loss),
        "gradient_norm": _number(float(step.norm)),
    }
    lines = [f"  {json.dumps(name)}: {json.dumps(value)}," for name, value in head.items()]
    batches = []
    for part in parts:
        start = f'    {{"process": {part.process}, "part": {part.part}, "loss": {json.dumps(_number(part.loss))}, "pairs": ['
        pairs = ",\n".join(f"      {pair}" for pair in part.pairs)
        batches.append(f"{start}\n{pairs}\n    ]}}")
    return "\n".join(["{", *lines, '  "batches": [', ",\n".join(batches), "  ]", "}", ""])
