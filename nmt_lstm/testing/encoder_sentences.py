"""Checks of what an encoder makes of sentences: shapes, padding, batches, and that every piece is read."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from nmt_lstm.encoders.encoder import Encoded
from nmt_lstm.testing.failure import Comparison, ConformanceFailure, check_shape
from nmt_lstm.testing.subject import EncoderSubject, random_tensor

__all__ = [
    "batch_changes_no_bit",
    "every_piece_is_read",
    "long_sentences_are_read",
    "padding_changes_nothing",
    "sizes_and_dtypes",
]

LENGTHS = (6, 4, 1)
MASK_HINT = "Mask with is_token wherever values of different positions are summed, normalized or compared."
BITS_HINT = (
    "Use nmt_lstm.Linear, batched_product and sigmoid, whose results do not depend on the number of rows, and do not sum "
    "over sentences. Sums over positions may depend on the padded length, but not on other sentences."
)
LONG = 1_200


def sizes_and_dtypes(subject: EncoderSubject) -> str:
    """States and summary have the declared widths and the dtype of the embeddings, in float32 and float64."""
    for dtype in (torch.float32, torch.float64):
        encoder = subject.build(dtype)
        for lengths in (LENGTHS, (1,), (2, 2)):
            embedded, is_token = subject.source(lengths, dtype)
            with torch.no_grad():
                encoded: Encoded = encoder(embedded, is_token)
            hint = "Override output_size and summary_size if the widths differ from that of the embeddings."
            count, length = is_token.shape
            check_shape("the tensor of states", encoded.states, (count, length, encoder.output_size), hint)
            check_shape("the summary", encoded.summary, (count, encoder.summary_size), hint)
            if not torch.equal(encoded.is_token, is_token):
                raise ConformanceFailure(
                    "is_token was changed", "Return the argument: Encoded(states, is_token, summary)."
                )
            for label, tensor in zip(
                ("states", "summary"), subject.read(encoder, embedded, is_token), strict=True
            ):
                if tensor.dtype != dtype:
                    raise ConformanceFailure(
                        f"with embeddings in {dtype}, the {label} have the dtype {tensor.dtype}",
                        "Convert constants to the dtype of the embeddings.",
                    )
                if not bool(torch.isfinite(tensor).all()):
                    raise ConformanceFailure(f"the {label} have NaN or infinite values", MASK_HINT)
    return f"embeddings {subject.input_size}, states {encoder.output_size}, summary {encoder.summary_size}"


def padding_changes_nothing(subject: EncoderSubject) -> str:
    """Results do not depend on the embeddings of padding, nor on its length: a sentence alone equals one in a batch."""
    encoder = subject.build()
    embedded, is_token = subject.source(LENGTHS)
    states, summary = subject.run(encoder, (embedded, is_token))
    comparison = Comparison(1e-5, MASK_HINT)

    def compare(label: str, actual: tuple[Tensor, ...], expected: tuple[Tensor, Tensor]) -> None:
        comparison.add(f"states, {label}", actual[0][:, : expected[0].shape[1]], expected[0])
        comparison.add(f"summary, {label}", actual[1], expected[1])

    noise = 1e4 * random_tensor(*embedded.shape, seed=9)
    filled = torch.where(is_token[..., None], embedded, noise)
    compare("large values on padding", subject.run(encoder, (filled, is_token)), (states, summary))
    longer = (torch.cat([filled, noise[:, :3]], 1), functional.pad(is_token, (0, 3)))
    compare("three more positions of padding", subject.run(encoder, longer), (states, summary))
    for row, length in enumerate(LENGTHS):
        part = slice(row, row + 1)
        alone = subject.run(encoder, (embedded[part, :length], is_token[part, :length]))
        compare(f"sentence {row} alone", alone, (states[part, :length], summary[part]))
    return str(comparison)


def batch_changes_no_bit(subject: EncoderSubject) -> str:
    """Without gradients, a sentence's results have the same bits in any batch of the same padded length: so do translations."""
    encoder = subject.build()
    draw = torch.Generator().manual_seed(3)
    comparison = Comparison(0.0, BITS_HINT)
    for padded_length in (8, 16):
        lengths = torch.randint(1, padded_length + 1, (37,), generator=draw).tolist()
        lengths[0] = padded_length
        embedded, is_token = subject.source(lengths)
        states, summary = subject.run(encoder, (embedded, is_token))
        for count in (1, 2, 3, 5, 8, 36):
            part = slice(1, 1 + count)
            alone = subject.run(encoder, (embedded[part], is_token[part]))
            label = f"{count} of 37 sentences, padded to {padded_length}"
            comparison.add(f"states, {label}", alone[0], states[part])
            comparison.add(f"summary, {label}", alone[1], summary[part])
    return str(comparison)


def every_piece_is_read(subject: EncoderSubject) -> str:
    """Each piece changes its own state and the summary, and the order of pieces matters."""
    encoder = subject.build()
    embedded, is_token = subject.source((5,))
    states, summary = subject.run(encoder, (embedded, is_token))
    for position in range(5):
        changed = embedded.clone()
        changed[0, position] = random_tensor(subject.input_size, seed=20 + position)
        other = subject.run(encoder, (changed, is_token))
        if torch.equal(other[0][0, position], states[0, position]):
            raise ConformanceFailure(
                f"the piece at position {position} does not change the state there",
                "Attention reads states by position.",
            )
        if torch.equal(other[1], summary):
            raise ConformanceFailure(
                f"the piece at position {position} does not change the summary",
                "The decoder starts with the summary; nmt_lstm.token_mean is one of all pieces.",
            )
    turned = subject.run(encoder, (embedded.flip(1), is_token))[0].flip(1)
    if bool(torch.isclose(turned, states, rtol=1e-4, atol=1e-5).all()):
        raise ConformanceFailure(
            "a sentence and its reversal have the same states", "Give the encoder the positions of pieces."
        )
    return "5 pieces"


def long_sentences_are_read(subject: EncoderSubject) -> str:
    """A sentence of 1,200 pieces has finite results: users translate whatever they have."""
    states, summary = subject.run(subject.build(), subject.source((LONG, 7)))
    if not bool(torch.isfinite(states).all() and torch.isfinite(summary).all()):
        raise ConformanceFailure(
            "the results have NaN or infinite values", "Look for sums that grow with the length."
        )
    return f"the largest value is {float(states.abs().max()):.2g}"
