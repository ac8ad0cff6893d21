"""Whether a model with the part in it comes back from a model folder as it went in."""

from __future__ import annotations

import tempfile
from pathlib import Path

import torch
from torch import Tensor

from nmt_lstm.batching.batch import collate
from nmt_lstm.checkpoint import model_folder
from nmt_lstm.config.schema import DataSettings, ModelSettings, RunSettings, SubwordSettings
from nmt_lstm.model.build import build_model
from nmt_lstm.model.seq2seq import Seq2Seq
from nmt_lstm.testing.comparison import Comparison
from nmt_lstm.testing.failure import ConformanceFailure
from nmt_lstm.testing.subject import random_tensor
from nmt_lstm.text.subwords import train_subwords

__all__ = ["check_model_folder"]

TEXT = [("eins zwei drei vier fünf", "five four three two one"), ("sechs sieben acht", "eight seven six")]
SOURCES, TARGETS = ([5, 6, 7, 8], [9, 10]), ([11, 12], [13, 14, 15])


def check_model_folder(name: str, settings: ModelSettings) -> str:
    """Build a small model, write its folder, read it and compare.

    Args:
        name: the part, ``package.module:Class``.
        settings: of the model.

    Raises:
        ConformanceFailure: the part cannot be imported by its name, or the model that was read computes something else.
    """
    if "<locals>" in name or name.startswith("__main__:"):
        raise ConformanceFailure(
            f"{name} cannot be imported by a program that reads the model",
            "Define the class at the top of a module or of a plugin file.",
        )
    here = Path("text")
    run = RunSettings(
        data=DataSettings(train_source=here, train_target=here, valid_source=here, valid_target=here),
        model=settings,
    )
    subwords = train_subwords(lambda: TEXT, SubwordSettings(vocabulary_size=285), len(TEXT), seed=1)
    pieces = subwords.source.size
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(1)
        model = build_model(settings, pieces, pieces).eval()
        for number, parameter in enumerate(model.parameters()):
            parameter.add_(random_tensor(*parameter.shape, seed=2000 + number), alpha=0.1)
    with tempfile.TemporaryDirectory() as folder:
        model_folder.write(folder, run=run, subwords=subwords, model_state=model.state_dict(), metrics={})
        loaded = model_folder.read(folder).load_model()
    comparison = Comparison(0.0, "Keep all that decides the results in parameters, buffers or options.")
    for what, (seen, wanted) in zip(
        ("the loss", "the scores of a step"), zip(_results(loaded), _results(model), strict=True), strict=True
    ):
        comparison.add(f"{what} of the model that was read", seen, wanted)
    return f"written and read: {comparison}"


def _results(model: Seq2Seq) -> tuple[Tensor, Tensor]:
    batch = collate(SOURCES, TARGETS)
    with torch.no_grad():
        first = model.step(batch.target_inputs[:, 0], model.start(model.encode(batch.source)))
        second = model.step(batch.target_inputs[:, 1], model.reorder(first.state, torch.tensor([1, 0])))
        return model.loss(batch).total, second.logits
