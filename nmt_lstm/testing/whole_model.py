"""Checks of a small model with a cell, attention or encoder: in every decoder wiring, and written to a folder and read back."""

from __future__ import annotations

import tempfile
from pathlib import Path

import torch
from torch import Tensor

from nmt_lstm.batching.batch import Batch, collate
from nmt_lstm.checkpoint import model_folder
from nmt_lstm.config.schema import DataSettings, ModelSettings, RunSettings, SubwordSettings
from nmt_lstm.config.wirings import WIRINGS
from nmt_lstm.model.build import build_model
from nmt_lstm.model.seq2seq import Seq2Seq
from nmt_lstm.numerics.linear import linear
from nmt_lstm.testing.failure import Comparison, DoesNotApply
from nmt_lstm.testing.subject import Subject, random_tensor
from nmt_lstm.text.subwords import train_subwords

__all__ = ["model_folder_keeps_it", "wirings_train_what_they_search"]

TEXT = [("eins zwei drei vier fünf", "five four three two one"), ("sechs sieben acht", "eight seven six")]
PIECES = 24


def _batch() -> Batch:
    return collate([[5, 6, 7, 8], [9, 10]], [[11, 12], [13, 14, 15]])


def _build(settings: ModelSettings, pieces: int) -> Seq2Seq:
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(1)
        model = build_model(settings, pieces, pieces).eval()
        for number, parameter in enumerate(model.parameters()):
            parameter.add_(random_tensor(*parameter.shape, seed=2000 + number), alpha=0.1)
    return model


def wirings_train_what_they_search(subject: Subject) -> str:
    """In a model with each decoder wiring, training and the steps of search compute the same scores."""
    settings = subject.model_settings()
    comparison = Comparison(
        1e-5, "See the checks of the class itself first; if they pass, a state does not match state_sizes."
    )
    batch = _batch()
    for wiring in WIRINGS:
        decoder = settings.decoder.model_copy(update={"wiring": wiring})
        model = _build(settings.model_copy(update={"decoder": decoder}), PIECES)
        with torch.no_grad():
            decoded = model(batch)
            scores = linear(decoded.outputs, model.output_weight, model.output_bias)
            state = model.start(model.encode(batch.source))
            for position, pieces in enumerate(batch.target_inputs.unbind(1)):
                step = model.step(pieces, state)
                state = step.state
                comparison.add(f"{wiring}, scores at {position}", step.logits, scores[:, position])
                comparison.add(
                    f"{wiring}, attention at {position}", step.attention, decoded.attention[:, position]
                )
    return str(comparison)


def model_folder_keeps_it(subject: Subject) -> str:
    """A model is read back from its folder with the same results to the last bit."""
    settings = subject.model_settings()
    if subject.name.startswith("__main__:"):
        raise DoesNotApply(
            "defined in a notebook or script; in a module or plugin file, the class could be imported again"
        )
    here = Path("text")
    run = RunSettings(
        data=DataSettings(train_source=here, train_target=here, valid_source=here, valid_target=here),
        model=settings,
    )
    subwords = train_subwords(lambda: TEXT, SubwordSettings(vocabulary_size=285), len(TEXT), seed=1)
    model = _build(settings, subwords.source.size)
    with tempfile.TemporaryDirectory() as folder:
        model_folder.write(folder, run=run, subwords=subwords, model_state=model.state_dict(), metrics={})
        loaded = model_folder.read(folder).load_model()
    comparison = Comparison(
        0.0, "Everything that determines the results must be a parameter, a buffer or an option."
    )
    for label, actual, expected in zip(
        ("the loss", "the scores of a step"), _results(loaded), _results(model), strict=True
    ):
        comparison.add(f"{label} of the model read back", actual, expected)
    return f"written and read back: {comparison}"


def _results(model: Seq2Seq) -> tuple[Tensor, Tensor]:
    batch = _batch()
    with torch.no_grad():
        first = model.step(batch.target_inputs[:, 0], model.start(model.encode(batch.source)))
        second = model.step(batch.target_inputs[:, 1], model.reorder(first.state, torch.tensor([1, 0])))
        return model.loss(batch).total, second.logits
