"""Gradient flow through whole networks: against closed forms, and against finite differences."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from nmt_lstm.batching.batch import Batch, collate
from nmt_lstm.cells.cell import Cell
from nmt_lstm.cells.intercepted import intercepted
from nmt_lstm.config.schema import AttentionSettings, DecoderSettings, EncoderSettings, ModelSettings
from nmt_lstm.config.wirings import WIRINGS
from nmt_lstm.model.build import build_model
from nmt_lstm.model.cell_locations import CellLocation, cell_locations
from nmt_lstm.model.gradient_flow import Flow, gradient_flow
from nmt_lstm.model.seq2seq import Seq2Seq
from nmt_lstm.numerics.linear import linear

VOCABULARY, WIDTH = 20, 6
PAIR = collate([[5, 6, 7, 8, 9]], [[10, 11, 12, 13]])
SENTENCES = collate([[5, 6, 7, 8, 9], [7, 5], [9, 9, 6, 5]], [[10, 11], [12, 13, 14, 15], [11, 10, 12]])


class Scaled(Cell):
    """A linear network whose recurrent matrix is a multiple of a rotation: all its eigenvalues have one size."""

    def __init__(self, input_size: int, hidden_size: int, *, size: float = 0.5) -> None:
        super().__init__(input_size, hidden_size)
        self.weight_ih = nn.Parameter(torch.randn(input_size, hidden_size))
        self.weight_hh = nn.Parameter(size * nn.init.orthogonal_(torch.empty(hidden_size, hidden_size)))

    def step(self, inputs, state):
        hidden = inputs @ self.weight_ih + state[0] @ self.weight_hh
        return hidden, (hidden,)


def network(
    cell: str = "lstm", wiring: str = "gnmt", layers: int = 1, attention: str = "bilinear"
) -> Seq2Seq:
    torch.manual_seed(4)
    model = build_model(
        ModelSettings(
            embedding_size=WIDTH,
            encoder=EncoderSettings(cell=cell, layers=layers, hidden_size=WIDTH),
            decoder=DecoderSettings(cell=cell, layers=layers, hidden_size=WIDTH, wiring=wiring),
            attention=AttentionSettings(name=attention),
        ),
        VOCABULARY,
        VOCABULARY,
    )
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(torch.randn_like(parameter) * 0.4)
    return model.double().eval()


@pytest.mark.parametrize("size", [0.4, 1.0, 1.3])
def test_of_a_linear_cell_each_position_back_keeps_the_size_of_the_eigenvalues(size) -> None:
    model = network()
    layer = model.encoder.layers[0]
    layer.forward_cell, layer.backward_cell = (Scaled(WIDTH, WIDTH, size=size).double() for _ in range(2))
    model.decoder.cells[0] = Scaled(WIDTH, WIDTH, size=size).double()
    flows = gradient_flow(model, PAIR)
    assert [flow.location.name for flow in flows] == [
        "encoder, layer 1, forward", "encoder, layer 1, backward", "decoder, layer 1, forward",
    ]  # fmt: skip
    for flow in flows:
        assert flow.norms[0] > 0
        assert len(flow.norms) == (6 if flow.location.side == "encoder" else 5)
        assert flow.relative == pytest.approx([size**lag for lag in range(len(flow.norms))])
        assert flow.factor == pytest.approx(size)
        assert flow.horizon == (3 if size < 1 else None)  # 0.4 ** 3 is the first below a tenth


def test_an_explosion_is_told_from_vanishing() -> None:
    (location, *_) = cell_locations(network())
    assert Flow(location, (1.0, 3.0, 11.0)).explodes
    assert not Flow(location, (1.0, 3.0, 9.0)).explodes
    assert Flow(location, (1.0, 3.0, float("nan"))).explodes
    assert Flow(location, (float("nan"), 1.0)).explodes
    assert Flow(location, (2.0, 0.19, 8.0)).horizon == 1
    assert Flow(location, (0.0, 0.0)).relative == (0.0, 0.0)
    assert Flow(location, (0.0, 0.0)).factor == 0.0


def test_the_reach_is_the_horizon_or_beyond_the_longest_lag() -> None:
    (location, *_) = cell_locations(network())
    near, far = Flow(location, (2.0, 1.0, 0.19)).reach, Flow(location, (2.0, 1.0, 0.9)).reach
    assert (str(near), near.lower_bound) == ("2", 2)
    assert (str(far), far.lower_bound) == ("≥ 2", 3)
    assert Flow(location, (2.0, 0.0)).error_arrives
    assert not Flow(location, (0.0, 0.0)).error_arrives


@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
@pytest.mark.parametrize("wiring", WIRINGS)
def test_decoders_agree_with_finite_differences(cell, wiring) -> None:
    model = network(cell, wiring, layers=2)
    for flow in gradient_flow(model, PAIR):
        if flow.location.side == "decoder":
            for lag in (0, 2):
                position = int(PAIR.target_lengths) - 1 - lag
                slopes = differences(model, flow.location, position, lambda _: last_loss(model, PAIR))
                assert flow.norms[lag] == pytest.approx(float(slopes.norm()), rel=1e-4)


@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
def test_encoders_agree_with_finite_differences(cell) -> None:
    model = network(cell, layers=2)
    end = int(PAIR.source.lengths) - 1
    for flow in gradient_flow(model, PAIR):
        if flow.location.side == "encoder":
            error = differences(model, flow.location, end, lambda _: model.loss(PAIR).total)
            assert flow.norms[0] == pytest.approx(float(error.norm()), rel=1e-4)

            def arrived(states: list[Tensor], error: Tensor = error) -> Tensor:
                model(PAIR)
                return states[end][0] @ error

            for lag in (1, 3):
                slopes = differences(model, flow.location, end - lag, arrived)
                assert flow.norms[lag] == pytest.approx(float(slopes.norm()), rel=1e-4)


@pytest.mark.parametrize("wiring", WIRINGS)
def test_padding_changes_nothing(wiring) -> None:
    """The flow of a batch is the mean of its sentences' flows, up to the end of the shortest."""
    model = network(wiring=wiring)
    alone = [gradient_flow(model, pair) for pair in pairs(SENTENCES)]
    for number, flow in enumerate(gradient_flow(model, SENTENCES)):
        own = [flows[number].norms for flows in alone]
        assert len(flow.norms) == min(map(len, own))
        assert flow.norms == pytest.approx([sum(norms) / len(own) for norms in zip(*own, strict=False)])


def test_it_is_measured_without_dropout_and_leaves_the_network_as_it_was() -> None:
    model = network().train()
    model.decoder.eval()
    before = torch.get_rng_state()
    assert gradient_flow(model, PAIR) == gradient_flow(model, PAIR)
    assert torch.equal(torch.get_rng_state(), before)
    assert model.encoder.training
    assert not model.decoder.training
    assert all(parameter.grad is None for parameter in model.parameters())


def test_where_no_error_arrives_there_is_no_flow() -> None:
    model = network()
    model.output_weight.data.zero_()
    assert not any(norm for flow in gradient_flow(model, PAIR) for norm in flow.norms)


def pairs(batch: Batch) -> list[Batch]:
    found = []
    for row in range(len(batch.indices)):
        source = batch.source.pieces[row, : batch.source.lengths[row] - 1].tolist()
        target = batch.target_outputs[row, : batch.target_lengths[row] - 1].tolist()
        found.append(collate([source], [target]))
    return found


def last_loss(model: Seq2Seq, batch: Batch) -> Tensor:
    output = model(batch).outputs[:, -1]
    return functional.cross_entropy(
        linear(output, model.output_weight, model.output_bias), batch.target_outputs[:, -1]
    )


@contextlib.contextmanager
def changed_state(cell: Cell, at: int, change: Tensor) -> Iterator[list[Tensor]]:
    """Add a change to the state of a cell at a position, and note its state at each."""
    noted: list[Tensor] = []
    single = cell.step

    def step(_method, inputs, state):
        output, state = single(inputs, state)
        if len(noted) == at:
            widths = [part.shape[-1] for part in state]
            state = tuple(part + more for part, more in zip(state, change.split(widths), strict=True))
            output = state[0]
        noted.append(torch.cat(state, -1))
        return output, state

    def forward(method, inputs, state):
        outputs = []
        for position in inputs.unbind(1):
            output, state = step(method, position, state)
            outputs.append(output)
        return torch.stack(outputs, 1), state

    with intercepted(cell, forward=forward, step=step):
        yield noted


def differences(model: Seq2Seq, location: CellLocation, position: int, value, size: float = 1e-5) -> Tensor:
    """Return the slopes of a value of the network with respect to the state of a cell at a position.

    `value` gets the state of the cell at each position that the network has read by then.
    """
    width = sum(location.cell.state_sizes.values())
    slopes = []
    with torch.no_grad():
        for unit in torch.eye(width, dtype=torch.float64):
            values = []
            for sign in (1.0, -1.0):
                with changed_state(location.cell, position, sign * size * unit) as states:
                    values.append(float(value(states)))
            slopes.append((values[0] - values[1]) / (2.0 * size))
    return torch.tensor(slopes, dtype=torch.float64)
