"""Sentences about gradient flow: where gradients decay, where they do not, where they explode, and where none arrives."""

from __future__ import annotations

import pytest

from nmt_lstm.lab.inspection.gradient_sentences import cell_sentence, headline
from nmt_lstm.lab.inspection.gradient_trace import CellFlow, GradientTrace
from nmt_lstm.model.cell_locations import CellLocation
from nmt_lstm.model.gradient_flow import Flow

NO_ERROR = 0.0


def trace(model: str, *factors: float, before: float = 0.5) -> GradientTrace:
    """A model with an encoder layer for each factor, by which norms change with each of 20 positions after training."""
    flows = []
    for layer, factor in enumerate(factors, start=1):
        location = CellLocation("encoder", layer, "forward", None)
        first, last = (
            tuple(0.0 if each == NO_ERROR else each**lag for lag in range(20)) for each in (before, factor)
        )
        flows.append(CellFlow("gru", 20, Flow(location, first), Flow(location, last)))
    return GradientTrace(model, ("eins",), ("one",), 1, tuple(flows))


@pytest.mark.parametrize(
    ("factors", "words"),
    [
        ((0.8,), ["fall below a tenth after 11 positions."]),
        ((0.8, 0.5), ["fall below a tenth after 4 to 11 positions."]),
        ((0.05,), ["after 1 position."]),
        ((0.95,), ["stay above a tenth up to the longest lag (19)."]),
        ((0.8, 0.95), ["after 11 positions in encoder.1.forward and stay", "lag (19) in encoder.2.forward."]),
        ((1.3,), ["After training, gradients explode in every cell."]),
        ((0.8, 1.3), ["after 11 positions in encoder.1.forward and explode in encoder.2.forward."]),
        ((NO_ERROR,), ["are zero in every cell, where no error arrives."]),
        ((0.8, NO_ERROR), ["are zero in encoder.2.forward, where no error arrives."]),
        ((float("nan"),), ["explode"]),
    ],
)
def test_of_one_model_every_case_has_its_words(factors, words) -> None:
    said = headline([trace("runs/a", *factors)])
    for part in words:
        assert part in said
    assert said.endswith("Before training, they fall below a tenth after 4 positions.")
    assert "≥" not in said
    assert "after no error" not in said


@pytest.mark.parametrize(
    ("before", "words"),
    [(NO_ERROR, "they are zero"), (1.3, "they explode"), (0.95, "they stay above a tenth")],
)
def test_the_initial_weights_have_the_same_cases(before, words) -> None:
    assert f"Before training, {words}" in headline([trace("runs/a", 0.8, before=before)])


def test_several_models_are_ranked_and_their_exceptions_named() -> None:
    said = headline([trace("runs/a", 0.8, 0.5), trace("runs/b", 0.95, 1.3), trace("runs/c", NO_ERROR)])
    assert "reach farthest back in runs/b." in said
    assert "4 to 11 in runs/a and ≥ 19 in runs/b." in said
    assert "In runs/b, gradients explode in encoder.2.forward." in said
    assert "In runs/c, gradients are zero in every cell" in said


def test_a_draw_and_nothing_to_rank() -> None:
    assert "equally far back in runs/a and runs/b" in headline([trace("runs/a", 0.8), trace("runs/b", 0.8)])
    said = headline([trace("runs/a", 1.3), trace("runs/b", NO_ERROR)])
    assert "reach" not in said
    assert "In runs/a, gradients explode" in said


def test_a_cell_that_only_one_model_has_is_said_of_that_model() -> None:
    said = cell_sentence([trace("runs/a", 0.8), trace("runs/b", 0.8, 1.3)], "encoder.2.forward")
    assert "positions: runs/b 4 → ≥ 19. Gradients explode after training in runs/b." in said
