"""The base of encoders: what it declares by default, and what an author's `forward` may return."""

from __future__ import annotations

import pytest
import torch

from nmt_lstm.encoders.encoder import Encoded, Encoder, check_encoded, token_mean
from nmt_lstm.errors import MissingMethodError, PluginResultError

IS_TOKEN = torch.tensor([[True, True, True], [True, False, False]])


def test_widths_follow_the_embeddings_by_default() -> None:
    encoder = Encoder(6)
    assert (encoder.output_size, encoder.summary_size, encoder.labelled_cells) == (6, 6, [])
    inputs = torch.ones(2, 3, 6)
    assert encoder.dropout(inputs) is inputs, "none unless the network has one"


def test_an_encoder_without_forward_is_reported() -> None:
    with pytest.raises(MissingMethodError, match="forward") as caught:
        Encoder(6)(torch.ones(2, 3, 6), IS_TOKEN)
    assert caught.value.part == "Encoder"


def test_a_width_below_1_is_refused() -> None:
    with pytest.raises(ValueError, match="input_size"):
        Encoder(0)


def test_the_mean_leaves_out_padding() -> None:
    states = torch.tensor([[[1.0], [2.0], [6.0]], [[4.0], [float("inf")], [float("nan")]]])
    assert token_mean(states, IS_TOKEN).tolist() == [[3.0], [4.0]]
    assert token_mean(states.bfloat16(), IS_TOKEN).dtype == torch.float32


@pytest.mark.parametrize(
    ("result", "word"),
    [
        (torch.ones(2, 3, 6), "Encoded"),
        ((torch.ones(2, 3, 6), torch.ones(2, 6)), "tuple"),
        (Encoded(torch.ones(2, 3, 5), IS_TOKEN, torch.ones(2, 6)), "states"),
        (Encoded(torch.ones(2, 2, 6), IS_TOKEN, torch.ones(2, 6)), "states"),
        (Encoded(torch.ones(2, 3, 6), IS_TOKEN, torch.ones(2, 7)), "summary"),
        (Encoded(torch.ones(2, 3, 6), IS_TOKEN, None), "summary"),
    ],
)
def test_a_wrong_result_is_reported(result, word) -> None:
    with pytest.raises(PluginResultError, match=word) as caught:
        check_encoded(Encoder(6), result, IS_TOKEN)
    assert caught.value.method == "forward"


def test_a_right_result_is_returned() -> None:
    result = Encoded(torch.ones(2, 3, 6), IS_TOKEN, torch.ones(2, 6))
    assert check_encoded(Encoder(6), result, IS_TOKEN) is result
