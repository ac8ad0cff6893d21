"""The network of forecasting."""

from __future__ import annotations

import pytest
import torch

from nmt_lstm.batching.batch import Batch, SourceBatch
from nmt_lstm.config.schema import ModelSettings
from nmt_lstm.model.build import build_forecaster
from nmt_lstm.model.forecaster import ForecastNetwork
from nmt_lstm.registry import CELLS

ROWS, LENGTH, COLUMNS, VALUES = 5, 7, 3, 4


def make(cell: str) -> ForecastNetwork:
    torch.manual_seed(1)
    encoder = {"cell": cell, "hidden_size": 8, "directions": "unidirectional"}
    settings = ModelSettings.model_validate({"embedding_size": 8, "dropout": 0.0, "encoder": encoder})
    return build_forecaster(settings, COLUMNS, VALUES)


def batch(*, masked: bool = False) -> Batch:
    random = torch.Generator().manual_seed(1)
    outputs = torch.randn(ROWS, VALUES, generator=random)
    count = 0 if masked else outputs.numel()
    return Batch(
        source=SourceBatch(
            torch.randn(ROWS, LENGTH, COLUMNS, generator=random),
            torch.ones(ROWS, LENGTH, dtype=torch.bool),
            torch.full((ROWS,), LENGTH),
        ),
        target_inputs=outputs,
        target_outputs=outputs,
        target_lengths=torch.full((ROWS,), VALUES),
        target_positions=torch.arange(count),
        indices=torch.arange(ROWS),
        target_pieces=count,
        source_pieces=ROWS * LENGTH,
        loss_divisor=1.0,
    )


@pytest.mark.parametrize("cell", CELLS.names())
def test_every_cell_forecasts_and_has_gradients(cell: str) -> None:
    model, windows = make(cell), batch()
    forecasts = model(windows.source)
    assert forecasts.shape == (ROWS, VALUES)
    loss = model.loss(windows)
    expected = (forecasts - windows.target_outputs).square().sum()
    torch.testing.assert_close(loss.total, expected)
    loss.total.backward()
    assert all(weight.grad is not None for weight in model.parameters())


@pytest.mark.parametrize("cell", CELLS.names())
def test_a_forecast_does_not_depend_on_the_batch(cell: str) -> None:
    model, source = make(cell).eval(), batch().source
    with torch.no_grad():
        together = model(source)
        for row in range(ROWS):
            alone = model(source.map(lambda tensor, row=row: tensor[row : row + 1]))
            torch.testing.assert_close(alone[0], together[row])


def test_a_masked_batch_has_no_loss() -> None:
    model = make("lstm")
    loss = model.loss(batch(masked=True))
    assert float(loss.total.detach()) == 0.0
    loss.total.backward()
    assert all(float(weight.grad.abs().sum()) == 0.0 for weight in model.parameters())
