"""The recurrent encoder alone; what it computes inside a network is tested in tests/model/test_encoder.py."""

from __future__ import annotations

import pytest
import torch

from nmt_lstm.encoders.recurrent import RecurrentEncoder
from nmt_lstm.errors import PluginError
from nmt_lstm.registry import ENCODERS


def test_its_layers_are_children_with_the_names_of_model_folders() -> None:
    encoder = RecurrentEncoder(4, hidden_size=5, layers=3, directions="first")
    assert len(encoder) == len(list(encoder)) == 3
    assert encoder[-1] is encoder.get_submodule("2")
    assert {name.split(".")[0] for name, _ in encoder.named_parameters()} == {"0", "1", "2"}
    assert "0.forward_cell.weight_ih" in encoder.state_dict()
    assert [list(cells) for cells in encoder.labelled_cells] == [
        ["forward", "backward"],
        ["forward"],
        ["forward"],
    ]


def test_it_can_be_built_by_its_name() -> None:
    encoder = ENCODERS.build(
        "recurrent", 4, options={"cell": "gru", "hidden_size": 5, "directions": "unidirectional"}
    )
    assert isinstance(encoder, RecurrentEncoder)
    assert encoder.output_size == encoder.summary_size == 5
    with pytest.raises(PluginError, match="unknown cell 'guru'"):
        ENCODERS.build("recurrent", 4, options={"cell": "guru"})
    with pytest.raises(PluginError, match="layers"):
        ENCODERS.build("recurrent", 4, options={"layers": 0})


@torch.no_grad()
def test_states_beyond_the_longest_sentence_are_zeros() -> None:
    encoder = RecurrentEncoder(4, hidden_size=5).eval()
    is_token = torch.arange(7) < torch.tensor([3, 2])[:, None]
    encoded = encoder(torch.randn(2, 7, 4), is_token)
    assert encoded.states.shape == (2, 7, 10)
    assert not encoded.states[:, 3:].any()
    assert encoded.is_token is is_token
