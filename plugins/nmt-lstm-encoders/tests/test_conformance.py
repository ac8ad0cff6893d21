"""The conformance kit on every encoder of the distribution."""

from __future__ import annotations

import pytest

from nmt_lstm import ENCODERS
from nmt_lstm.testing import ENCODER_CHECKS, DoesNotApply, EncoderSubject

CASES = {
    "self_attention": ("self_attention", {"layers": 2, "heads": 4}),
    "self_attention-wide": ("self_attention", {"layers": 1, "heads": 1, "feed_forward_size": 7}),
    "convolutional": ("convolutional", {"layers": 2, "hidden_size": 10}),
    "convolutional-wide": ("convolutional", {"layers": 2, "hidden_size": 9, "width": 5}),
}


@pytest.mark.parametrize("check", ENCODER_CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize(("name", "options"), CASES.values(), ids=CASES)
def test_conformance(name, options, check) -> None:
    try:
        check(EncoderSubject(ENCODERS.get(name), options, 12))
    except DoesNotApply as reason:
        pytest.skip(str(reason))
