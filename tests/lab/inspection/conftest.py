"""Small networks with random weights, large enough that gates differ from piece to piece."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from nmt_lstm.lab.inspection.inspection import Inspector
from nmt_lstm.model.build import build_model
from nmt_lstm.model.seq2seq import Seq2Seq

SENTENCE = "eins zwei drei ."


@pytest.fixture
def make_inspector(tiny_run, subwords) -> Callable[..., Inspector]:
    """An inspector of a random network; settings of its model are changed by name."""

    def make(*, cell: str = "lstm", wiring: str = "gnmt", layers: int = 1) -> Inspector:
        model_settings = tiny_run.model
        shape = {"cell": cell, "layers": layers}
        settings = model_settings.model_copy(
            update={
                "encoder": model_settings.encoder.model_copy(update=shape),
                "decoder": model_settings.decoder.model_copy(update={**shape, "wiring": wiring}),
            }
        )
        run = tiny_run.model_copy(update={"model": settings})
        torch.manual_seed(3)
        model = build_model(settings, subwords.source.size, subwords.target.size).eval()
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.copy_(torch.randn_like(parameter) * 0.4)
        return Inspector(model, subwords, run, "random")

    return make


@pytest.fixture
def network(make_inspector) -> Seq2Seq:
    """The network of an LSTM in float64, in which differences are exact enough to be derivatives."""
    return make_inspector().model.double()
