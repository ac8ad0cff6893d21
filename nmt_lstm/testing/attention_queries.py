"""Checks of the results of an attention for queries: weights, padding, rows, and the state of recurrent ones."""

from __future__ import annotations

import dataclasses

import torch
from torch import Tensor

from nmt_lstm.attention.attention import Attention, Memory
from nmt_lstm.testing.failure import Comparison, ConformanceFailure, DoesNotApply, check_shape
from nmt_lstm.testing.subject import AttendedQueries, AttentionSubject, random_tensor

__all__ = [
    "hypotheses_reorder",
    "one_token_is_enough",
    "padding_changes_nothing",
    "queries_at_once_equal_one_at_a_time",
    "sentence_alone_equals_sentence_in_batch",
    "shapes_are_declared",
    "state_is_carried_where_declared",
    "weights_sum_to_one",
]

LENGTHS = (6, 4, 1)


def shapes_are_declared(subject: AttentionSubject) -> str:
    """Contexts have the declared width, and weights one value per source position, whether or not the sizes are equal."""
    widths = {subject.query_size, subject.memory_size}
    pairs = [(subject.query_size, subject.memory_size), (max(widths), max(widths))]
    for query_size, memory_size in pairs:
        sized = dataclasses.replace(subject, query_size=query_size, memory_size=memory_size)
        attention = sized.build()
        memory = attention.prepare(*sized.source(LENGTHS))
        for steps in (1,) if attention.recurrent else (1, 4):
            attended = attention(sized.queries(steps=steps), memory, attention.initial_state(memory))
            hint = f"With query_size {query_size} and memory_size {memory_size}: (batch, queries, width)."
            check_shape("the context", attended.context, (3, steps, attention.context_size), hint)
            check_shape("the weights", attended.weights, (3, steps, 6), hint)
            for label, tensor in (("the context", attended.context), ("the weights", attended.weights)):
                if not bool(torch.isfinite(tensor).all()):
                    raise ConformanceFailure(f"{label} contains NaN or infinite values", hint)
    return "; ".join(f"query {query}, memory {memory}" for query, memory in pairs)


def _attend(
    subject: AttentionSubject, attention: Attention, queries: Tensor, *source: Tensor
) -> AttendedQueries:
    with torch.no_grad():
        return subject.attend(attention, queries, attention.prepare(*source))


def weights_sum_to_one(subject: AttentionSubject) -> str:
    """Weights are not negative, are 0 on padding, and sum to 1 over the tokens of each sentence."""
    source, is_token = subject.source(LENGTHS)
    weights = _attend(subject, subject.build(), subject.queries(), source, is_token).weights
    hint = "Use nmt_lstm.masked_softmax for the weights."
    on_padding = float((weights * ~is_token[:, None]).abs().max())
    if on_padding > 0:
        raise ConformanceFailure(f"weights on padding are up to {on_padding:.1e}, expected 0", hint)
    if float(weights.min()) < 0:
        raise ConformanceFailure(
            f"the smallest weight is {float(weights.min()):.1e}, expected 0 or more", hint
        )
    comparison = Comparison(1e-5, hint)
    comparison.add("the sum of weights", weights.sum(-1), torch.ones(weights.shape[:2]))
    return str(comparison)


def padding_changes_nothing(subject: AttentionSubject) -> str:
    """Contexts and weights do not depend on the values on padding, nor on its length."""
    attention, queries = subject.build(), subject.queries()
    source, is_token = subject.source(LENGTHS)
    expected = _attend(subject, attention, queries, source, is_token)
    hint = (
        "Mask with memory.is_token wherever values are summed, normalized or compared over source positions."
    )
    comparison = Comparison(1e-5, hint)
    noise = 1e4 * random_tensor(*source.shape, seed=9)
    filled = torch.where(is_token[..., None], source, noise)
    actual = _attend(subject, attention, queries, filled, is_token)
    comparison.add("contexts, large values on padding", actual.context, expected.context)
    comparison.add("weights, large values on padding", actual.weights, expected.weights)
    longer = torch.cat([filled, noise[:, :3]], 1)
    longer_is_token = torch.cat([is_token, torch.zeros(3, 3, dtype=torch.bool)], 1)
    actual = _attend(subject, attention, queries, longer, longer_is_token)
    comparison.add("contexts, three more positions of padding", actual.context, expected.context)
    comparison.add("weights, three more positions of padding", actual.weights[..., :6], expected.weights)
    return str(comparison)


def queries_at_once_equal_one_at_a_time(subject: AttentionSubject) -> str:
    """Several queries at once have the same results as each alone: training and beam search pass several at once."""
    attention = subject.build()
    if attention.recurrent:
        raise DoesNotApply("recurrent: queries come one at a time")
    comparison = Comparison(
        1e-5,
        "Queries influence each other. If that is intended, set recurrent = True and pass the influence in the state.",
    )
    queries, source = subject.queries(), subject.source(LENGTHS)
    batched = _attend(subject, attention, queries, *source)
    for number in range(queries.shape[1]):
        alone = _attend(subject, attention, queries[:, number : number + 1], *source)
        comparison.add(f"the context of query {number}", alone.context[:, 0], batched.context[:, number])
        comparison.add(f"the weights of query {number}", alone.weights[:, 0], batched.weights[:, number])
    return str(comparison)


def one_token_is_enough(subject: AttentionSubject) -> str:
    """A source of one token, with or without padding, has finite contexts."""
    attention, largest = subject.build(), 0.0
    for padding in (0, 3):
        source, is_token = subject.source((1,))
        source = torch.cat([source, source.new_zeros(1, padding, subject.memory_size)], 1)
        is_token = torch.cat([is_token, torch.zeros(1, padding, dtype=torch.bool)], 1)
        attended = _attend(subject, attention, subject.queries(1), source, is_token)
        if not bool(torch.isfinite(attended.context).all() and torch.isfinite(attended.weights).all()):
            raise ConformanceFailure(
                f"one token with {padding} positions of padding has NaN or infinite results",
                "Look for a division by the length minus one, or a logarithm of 0.",
            )
        largest = max(largest, float(attended.context.abs().max()))
    return f"the largest context is {largest:.2g}"


def sentence_alone_equals_sentence_in_batch(subject: AttentionSubject) -> str:
    """A sentence has the same results in a batch with longer ones as alone without padding."""
    attention, queries = subject.build(), subject.queries()
    source, is_token = subject.source(LENGTHS)
    comparison = Comparison(1e-5, "Do not sum or normalize over the sentences of a batch.")
    batched = _attend(subject, attention, queries, source, is_token)
    for row, length in enumerate(LENGTHS):
        part = slice(row, row + 1)
        alone = _attend(subject, attention, queries[part], source[part, :length], is_token[part, :length])
        comparison.add(f"the contexts of sentence {row}", alone.context, batched.context[part])
        comparison.add(f"the weights of sentence {row}", alone.weights, batched.weights[part, :, :length])
    return str(comparison)


def state_is_carried_where_declared(subject: AttentionSubject) -> str:
    """A recurrent attention has a state with one row per sentence that a query changes; others have none."""
    attention = subject.build()
    with torch.no_grad():
        memory = attention.prepare(*subject.source(LENGTHS))
        before = attention.initial_state(memory)
        _check_declared(attention, "initial_state", before)
        after = attention(subject.queries(steps=1), memory, before).state
        _check_declared(attention, "forward", after)
    hint = "forward must return as many state tensors as it receives."
    if len(before) != len(after):
        raise ConformanceFailure(
            f"initial_state returns {len(before)} tensors, and forward returns {len(after)}", hint
        )
    for number, (one, other) in enumerate(zip(before, after, strict=True)):
        for tensor in (one, other):
            check_shape(
                f"state {number}",
                tensor,
                (len(LENGTHS), *one.shape[1:]),
                "The first dimension must be the batch.",
            )
    if before and all(torch.equal(one, other) for one, other in zip(before, after, strict=True)):
        raise ConformanceFailure("a query does not change the state", "Return the new state in Attended.")
    sizes = ", ".join(str(tuple(tensor.shape)) for tensor in before)
    return f"state of {sizes}" if before else "no state"


def _check_declared(attention: Attention, method: str, state: object) -> None:
    hint = (
        "Set recurrent = True and return the state from initial_state and in Attended; otherwise return ()."
    )
    if not isinstance(state, tuple):
        raise ConformanceFailure(f"the state from {method} is {type(state).__name__}, expected a tuple", hint)
    if bool(state) != attention.recurrent:
        raise ConformanceFailure(
            f"recurrent is {attention.recurrent}, but {method} returns a state of {len(state)} tensors", hint
        )


def hypotheses_reorder(subject: AttentionSubject) -> str:
    """Rows selected after a query continue like the original rows: beam search reorders, repeats and drops them."""
    attention, queries = subject.build(), subject.queries()
    comparison = Comparison(
        1e-5, "Memory or state contain a tensor that does not have one row per sentence, batch first."
    )
    rows = torch.tensor([2, 0, 0, 1])
    with torch.no_grad():
        memory = attention.prepare(*subject.source(LENGTHS))
        state = subject.attend(attention, queries[:, :1], memory).state
        expected = subject.attend(attention, queries[:, 1:], memory, state)
        selected_memory = Memory(*(tensor.index_select(0, rows) for tensor in memory))
        selected_state = tuple(tensor.index_select(0, rows) for tensor in state)
        actual = subject.attend(attention, queries[rows, 1:], selected_memory, selected_state)
    comparison.add("contexts", actual.context, expected.context[rows])
    comparison.add("weights", actual.weights, expected.weights[rows])
    return str(comparison)
