"""Averaged checkpoints have the right values and types, and tied weights stay tied."""

from __future__ import annotations

import pytest
import torch

from nmt_lstm.checkpoint.averaging import average_states
from nmt_lstm.errors import ModelFolderError


def test_each_parameter_is_averaged() -> None:
    states = [{"w": torch.full((2, 3), value), "b": torch.tensor([value])} for value in (1.0, 2.0, 6.0)]
    averaged = average_states(states)
    assert averaged["w"].tolist() == [[3.0] * 3] * 2
    assert averaged["b"].tolist() == [3.0]
    assert states[0]["w"].tolist() == [[1.0] * 3] * 2


def test_the_average_of_one_state_is_that_state() -> None:
    state = {"w": torch.randn(50, generator=torch.Generator().manual_seed(0))}
    assert torch.equal(average_states([state])["w"], state["w"])


def test_types_are_kept_and_counters_are_those_of_the_last_state() -> None:
    averaged = average_states(
        [{"w": torch.ones(2, dtype=torch.bfloat16), "n": torch.tensor(step)} for step in (3, 8)]
    )
    assert averaged["w"].dtype == torch.bfloat16
    assert averaged["n"].item() == 8


def test_tied_weights_stay_tied() -> None:
    states = []
    for value in (1.0, 3.0):
        shared = torch.full((4, 2), value)
        states.append({"source": shared, "target": shared, "view": shared[:2]})
    averaged = average_states(states)
    assert averaged["source"].data_ptr() == averaged["target"].data_ptr()
    assert averaged["view"].tolist() == [[2.0, 2.0]] * 2


def test_states_of_different_models_are_refused() -> None:
    with pytest.raises(ModelFolderError, match="checkpoint 2 of 2 .*'extra'"):
        average_states([{"w": torch.ones(2)}, {"w": torch.ones(2), "extra": torch.ones(1)}])
    with pytest.raises(ModelFolderError, match="checkpoint 3 of 3 .*'w'"):
        average_states([{"w": torch.ones(2)}, {"w": torch.ones(2)}, {"w": torch.ones(3)}])


def test_an_empty_list_is_refused() -> None:
    with pytest.raises(ModelFolderError, match="no checkpoints to average"):
        average_states([])
