"""Settings chosen for the size of a corpus are valid and change with it in the right direction."""

from __future__ import annotations

import itertools

import pytest

from nmt_lstm.config.defaults import choose_settings, describe_settings, planned_length, quickstart_settings
from nmt_lstm.config.load import make_run

DATA = {"train_source": "a", "train_target": "b", "valid_source": "c", "valid_target": "d"}
SIZES = [1, 100, 10_000, 29_000, 100_000, 300_000, 1_000_000, 50_000_000]


def run_for(pairs):
    """The run that is chosen for a corpus of this size."""
    return make_run({**choose_settings(pairs), "data": DATA})


@pytest.mark.parametrize("pairs", SIZES)
def test_every_choice_is_a_valid_run_and_its_summary_gives_the_numbers(pairs):
    run = run_for(pairs)
    text = " ".join(describe_settings(pairs, run))
    assert f"{pairs:,} sentence pairs: up to {run.subwords.vocabulary_size:,} subword pieces" in text
    assert f"{run.training.epochs} epochs of batches of {run.training.batch_pieces:,} target pieces" in text
    assert f"layers of {run.model.encoder.hidden_size} and " in text
    assert run.training.schedule.warmup_steps >= 10


@pytest.mark.parametrize(
    ("epochs", "max_steps", "length"),
    [
        (40, 0, "40 epochs"),
        (1, 0, "1 epoch"),
        (40, 5, "40 epochs (at most 5 steps)"),
        (2, 1, "2 epochs (at most 1 step)"),
    ],
)
def test_the_planned_length_includes_a_limit_of_steps(epochs, max_steps, length):
    run = make_run(
        {**choose_settings(300), "data": DATA},
        [f"training.epochs={epochs}", f"training.max_steps={max_steps}"],
    )
    assert planned_length(run.training) == length
    assert f"{length} of batches of" in " ".join(describe_settings(300, run))


def test_more_text_means_a_larger_network_less_dropout_and_fewer_epochs():
    runs = [run_for(pairs) for pairs in SIZES]
    for smaller, larger in itertools.pairwise(runs):
        assert smaller.subwords.vocabulary_size <= larger.subwords.vocabulary_size
        assert smaller.model.encoder.layers <= larger.model.encoder.layers
        assert smaller.model.encoder.hidden_size <= larger.model.encoder.hidden_size
        assert smaller.model.dropout >= larger.model.dropout
        assert smaller.training.epochs >= larger.training.epochs
        assert smaller.training.batch_pieces <= larger.training.batch_pieces
    assert runs[0] != runs[-1]


def test_a_corpus_like_multi30k_gets_8000_pieces_and_one_layer():
    run = run_for(29_000)
    assert run.subwords.vocabulary_size == 8_000
    assert run.model.encoder.layers == 1


def test_the_summary_has_advice_for_very_small_and_very_large_corpora():
    assert "more text" in describe_settings(500, run_for(500))[-1]
    assert "run file" in describe_settings(5_000_000, run_for(5_000_000))[-1]
    assert len(describe_settings(50_000, run_for(50_000))) == 3


def test_the_quickstart_is_a_valid_run_with_the_requested_cell():
    run = make_run(quickstart_settings("/corpus", "/prepared", "gru"))
    assert (run.model.encoder.cell, run.model.decoder.cell) == ("gru", "gru")
    assert run.data.tokenize == "char"


def test_an_encoder_without_recurrent_layers_is_named_in_the_summary():
    values = {**choose_settings(29_000), "data": DATA}
    values["model"] = {**values.get("model", {}), "encoder": {"name": "self_attention"}}
    text = " ".join(describe_settings(29_000, make_run(values)))
    assert "encoder self_attention, 1 decoder layer of" in text
