"""Warnings about gradients: when they are given, and what they advise."""

from __future__ import annotations

import pytest

from nmt_lstm.config.schema import ModelSettings
from nmt_lstm.model.build import build_model
from nmt_lstm.model.cell_locations import cell_locations
from nmt_lstm.model.gradient_flow import Flow
from nmt_lstm.training.gradient_advice import exploding_norms, flow_warnings, lasting_symptoms, symptoms
from nmt_lstm.training.gradient_norms import Norms


def flows(
    factor: float, positions: int = 20, cell: str = "lstm", **options: float
) -> tuple[list[Flow], ModelSettings]:
    """Flows that all change by a factor at each position."""
    model = ModelSettings.model_validate(
        {
            "embedding_size": 2,
            "encoder": {"cell": cell, "hidden_size": 2, "cell_options": options},
            "decoder": {"hidden_size": 2},
        }
    )
    norms = tuple(factor**lag for lag in range(positions))
    return [Flow(location, norms) for location in cell_locations(build_model(model, 9, 9))], model


def warned(found: tuple[list[Flow], ModelSettings], **named: float) -> dict[str, str]:
    flow, model = found
    return flow_warnings(symptoms(flow), flow, step=200, model=model, clip_norm=named.get("clip_norm", 1.0))


def test_only_a_symptom_that_lasts_counts() -> None:
    vanishing, model = flows(0.1)
    now = symptoms(vanishing)
    cells = [flow.location.key for flow in vanishing]
    assert now == {"vanish": cells, "explode": []}
    assert lasting_symptoms({}, now) == {"vanish": [], "explode": []}
    assert lasting_symptoms({"vanish": cells[:1], "explode": cells}, now) == {
        "vanish": cells[:1],
        "explode": [],
    }
    first = lasting_symptoms({}, now)
    assert flow_warnings(first, vanishing, step=1, model=model, clip_norm=1.0) == {}
    assert list(warned((vanishing, model))) == ["vanish"]


@pytest.mark.parametrize(
    ("factor", "positions", "kinds"),
    [
        (0.45, 20, ["vanish"]),
        (0.55, 20, []),
        (0.1, 5, []),
        (0.1, 6, ["vanish"]),
        (1.05, 20, []),
        (1.2, 20, ["explode"]),
    ],
)
def test_a_thousandth_within_ten_positions_has_vanished(factor, positions, kinds) -> None:
    assert list(warned(flows(factor, positions))) == kinds


def test_where_no_error_arrives_nothing_vanishes() -> None:
    flow, _ = flows(0.1)
    assert symptoms([Flow(flow[0].location, (0.0,) * 20)]) == {"vanish": [], "explode": []}


def test_the_advice_is_about_the_cell() -> None:
    assert "model.encoder.cell_options.forget_bias (it is 1)" in warned(flows(0.1))["vanish"]
    assert "(it is -2)" in warned(flows(0.1, forget_bias=-2.0))["vanish"]
    assert 'model.encoder.cell = "lstm"' in warned(flows(0.1, cell="rnn"))["vanish"]
    assert "initialisation of the cell gru" in warned(flows(0.1, cell="gru"))["vanish"]


def test_clipping_is_advised_where_it_is_off() -> None:
    assert "Set training.clip_norm = 1" in warned(flows(1.3), clip_norm=0.0)["explode"]
    assert "training.clip_norm = 5 bounds" in warned(flows(1.3), clip_norm=5.0)["explode"]


@pytest.mark.parametrize(
    ("mean", "clip_norm", "words"),
    [
        (9.0, 1.0, ""),
        (11.0, 1.0, "were clipped"),
        (11.0, 2.0, ""),
        (9.0, 0.0, ""),
        (11.0, 0.0, "clipping is off"),
    ],
)
def test_norms_far_above_the_clipping_norm_are_told(mean, clip_norm, words) -> None:
    said = exploding_norms(Norms(200, mean, 1.0, 0.9), step=400, clip_norm=clip_norm)
    assert bool(said) == bool(words)
    assert words in said


def test_a_gradient_that_is_not_finite_has_no_size() -> None:
    flow, model = flows(1.0)
    infinite = [Flow(each.location, (1.0, float("inf"), float("nan"))) for each in flow]
    assert "not finite" in warned((infinite, model))["explode"]


def test_a_warning_about_several_cells_is_true_of_each() -> None:
    flow, model = flows(1.0)
    vanishing = [
        Flow(each.location, (1.0, *[10.0**-power] * 19)) for each, power in zip(flow, (6, 4, 5), strict=True)
    ]
    said = warned((vanishing, model))["vanish"]
    assert "at most 0.0001 of an error arrives 10 positions earlier" in said
    exploding = [
        Flow(each.location, (1.0, 2.0, top)) for each, top in zip(flow, (20.0, 50.0, 30.0), strict=True)
    ]
    assert "up to 50 times as large 2 positions earlier" in warned((exploding, model))["explode"]
