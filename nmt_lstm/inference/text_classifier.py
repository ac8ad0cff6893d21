"""Labels of texts from a trained classifier."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import NamedTuple, cast

import torch

from nmt_lstm.batching.batch import SourceBatch
from nmt_lstm.checkpoint import model_folder
from nmt_lstm.inference.inference_model import prepare_children
from nmt_lstm.inference.loading import model_precision
from nmt_lstm.model.classifier import Classifier
from nmt_lstm.numerics.device import choose_device
from nmt_lstm.numerics.precision import Precision
from nmt_lstm.search.sentence_batches import SentenceBatches
from nmt_lstm.text.labels import labels_of
from nmt_lstm.text.vocabulary import Vocabulary

__all__ = ["Classification", "TextClassifier"]

_BATCHES_AT_ONCE = 64


class Classification(NamedTuple):
    """The label of a text."""

    text: str
    label: str
    """The likeliest label."""
    probabilities: dict[str, float]
    """All labels with their probabilities, likeliest first."""

    @property
    def probability(self) -> float:
        """Probability of the label."""
        return self.probabilities[self.label]


class TextClassifier:
    """Gives texts labels; in float32 on a processor, no result depends on the other texts.

    Args:
        model: in evaluation mode.
        vocabulary: of the texts.
        labels: in the order of the model's scores.
        device: where the model is.
        precision: of autocast.
        max_pieces: longer texts are truncated.
    """

    def __init__(
        self,
        *,
        model: Classifier,
        vocabulary: Vocabulary,
        labels: Sequence[str],
        device: torch.device,
        precision: Precision = "float32",
        max_pieces: int = 500,
    ) -> None:
        self._model = model
        self._vocabulary = vocabulary
        self.labels = tuple(labels)
        self._device = device
        self._precision: Precision = precision
        self._max_pieces = max_pieces

    @classmethod
    def load(
        cls,
        folder: str | Path,
        *,
        device: str = "auto",
        precision: str = "auto",
        trust_plugins: bool = False,
    ) -> TextClassifier:
        """Load a model folder; the arguments are those of `Translator.load`.

        Raises:
            ModelFolderError: the folder is missing, damaged, or needs a plugin that is not installed.
            WrongTaskError: it is not a classifier.
            ConfigurationError: the device or precision is unknown.
            ResourceError: the device does not exist, or does not support the precision.
        """
        read = model_folder.read(folder)
        read.manifest.check_task(read.folder, "classification")
        torch_device = choose_device(device)
        chosen = model_precision(precision, torch_device)
        model = cast(Classifier, read.load_network(torch_device, trust_plugins=trust_plugins))
        autocast: Precision = "float32" if chosen == "int8" else chosen
        if torch_device.type == "cpu" and chosen != "fp16":
            prepare_children(model, chosen)
            autocast = "float32"
        return cls(
            model=model,
            vocabulary=read.subwords.source,
            labels=labels_of(read.subwords.target),
            device=torch_device,
            precision=autocast,
            max_pieces=read.run.search.max_source_pieces,
        )

    def classify(self, texts: Sequence[str], *, batch_size: int = 64) -> list[Classification]:
        """Return the label of each text, in the same order; a blank text has one, too.

        Args:
            texts: one line each.
            batch_size: texts per batch; affects speed, not results.
        """
        pieces = [ids[: self._max_pieces] for ids in self._vocabulary.encode_lines(texts)]
        rows = SentenceBatches(pieces, batch_size=batch_size).run(
            self._probabilities, device=self._device, precision=self._precision
        )
        results = []
        for text, row in zip(texts, rows, strict=True):
            ranked = sorted(zip(self.labels, row, strict=True), key=lambda pair: -pair[1])
            results.append(Classification(text, ranked[0][0], dict(ranked)))
        return results

    def stream(self, texts: Iterable[str], *, batch_size: int = 64) -> Iterator[Classification]:
        """Yield the labels of any number of texts in bounded memory; see `classify`."""
        lines = iter(texts)
        while chunk := list(islice(lines, batch_size * _BATCHES_AT_ONCE)):
            yield from self.classify(chunk, batch_size=batch_size)

    @torch.no_grad()
    def _probabilities(self, source: SourceBatch, indices: Sequence[int]) -> list[list[float]]:
        rows: list[list[float]] = torch.softmax(self._model(source).double(), dim=-1).tolist()
        return rows
