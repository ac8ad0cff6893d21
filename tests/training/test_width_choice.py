"""The forecast before a run, and the network that is chosen for a time limit."""

from __future__ import annotations

from pathlib import Path

import pytest

from nmt_lstm.errors import ConfigurationError
from nmt_lstm.training.run_identity import with_recorded_widths
from nmt_lstm.training.throughput import Throughput
from nmt_lstm.training.width_choice import Network, choose_widths, narrowed, widths_of

WIDE = ("model.encoder.hidden_size=256", "model.decoder.hidden_size=256", "model.embedding_size=256")

PATH = Path("last.ckpt")


@pytest.fixture
def make_network(make_small_run):
    """A function that returns the network of a small run."""

    def make(*overrides):
        run = make_small_run(*overrides)
        return Network(run.model, run.training)

    return make


def machine(seconds_of_full_width):
    """Return a simulated measurement, whose step time is proportional to the width, and the list of measured widths."""
    measured = []

    def measure(network):
        measured.append(network.model.encoder.hidden_size)
        seconds = seconds_of_full_width * network.model.encoder.hidden_size / 256
        return Throughput(seconds_per_step=seconds, pieces_per_second=400 / seconds, steps_per_epoch=100)

    return measure, measured


def test_a_network_that_fits_the_time_limit_is_not_changed(make_network) -> None:
    network = make_network(
        *WIDE, "training.epochs=10", "training.time_limit=200s", "training.fit_time_limit=true"
    )
    measure, measured = machine(0.1)
    choice = choose_widths(network, measure, elapsed=lambda: 10.0)
    assert choice.network == network
    assert measured == [256]
    (sentence,) = choice.sentences
    assert "4,000 target pieces/s" in sentence
    assert "10 epochs take about 1m 40s" in sentence


def test_the_widest_network_for_which_enough_epochs_fit_is_chosen(make_network) -> None:
    network = make_network(
        *WIDE, "training.epochs=10", "training.time_limit=100s", "training.fit_time_limit=true"
    )
    measure, measured = machine(0.3)
    choice = choose_widths(network, measure, elapsed=lambda: 0.0)
    # 85 s for training: 2.8 epochs of 256, 3.8 of 192, 5.7 of 128.
    assert measured == [256, 192, 128]
    assert choice.network.model.encoder.hidden_size == choice.network.model.decoder.hidden_size == 128
    assert choice.network.model.embedding_size == 128
    assert choice.network.training.epochs == network.training.epochs
    # The best learning rate of Adam is inversely proportional to the width.
    assert choice.network.training.optimizer.learning_rate == pytest.approx(
        2 * network.training.optimizer.learning_rate
    )
    assert "layers of 128, embeddings of 128" in choice.sentences[1]
    assert "5.7 of 10 epochs fit" in choice.sentences[2]
    assert "poor" not in choice.sentences[2]


def test_a_network_for_which_most_epochs_fit_keeps_its_width(make_network) -> None:
    network = make_network(
        *WIDE, "training.epochs=10", "training.time_limit=100s", "training.fit_time_limit=true"
    )
    measure, measured = machine(0.2)
    choice = choose_widths(network, measure, elapsed=lambda: 0.0)
    assert choice.network == network
    assert measured == [256]
    assert "4.2 of 10 epochs fit" in choice.sentences[1]


def test_a_much_too_short_limit_gets_the_narrowest_network(make_network) -> None:
    network = make_network(
        *WIDE, "training.epochs=10", "training.time_limit=10s", "training.fit_time_limit=true"
    )
    measure, measured = machine(1.0)
    choice = choose_widths(network, measure, elapsed=lambda: 9.0)
    # Widths that would be far too slow are not measured.
    assert measured == [256, 64]
    assert choice.network.model.encoder.hidden_size == 64
    assert "Expect a poor model" in choice.sentences[-1]
    assert "2m 07s would suffice" in choice.sentences[-1]


def test_without_fit_time_limit_the_network_is_kept_and_a_narrower_one_suggested(make_network) -> None:
    network = make_network(*WIDE, "training.epochs=10", "training.time_limit=100s")
    measure, _ = machine(0.2)
    choice = choose_widths(network, measure, elapsed=lambda: 0.0)
    assert choice.network == network
    text = "\n".join(choice.sentences)
    assert "4.2 of 10 epochs fit" in text
    assert "--set model.encoder.hidden_size=128" in text
    assert "1m 40s" in text


def test_a_long_run_without_limit_gets_a_forecast_for_half_the_width(make_network) -> None:
    network = make_network(*WIDE, "training.epochs=100")
    measure, measured = machine(0.2)
    choice = choose_widths(network, measure, elapsed=lambda: 0.0)
    assert choice.network == network
    assert measured == [256, 128]
    assert "33m 20s" in choice.sentences[0]
    assert "16m 40s" in choice.sentences[1]
    short, _ = machine(0.001)
    assert len(choose_widths(network, short, elapsed=lambda: 0.0).sentences) == 1


def test_max_steps_limits_the_forecast_epochs(make_network) -> None:
    network = make_network(*WIDE, "training.epochs=100", "training.max_steps=250")
    measure, _ = machine(0.2)
    assert "2.5 epochs take about 50s" in choose_widths(network, measure, elapsed=lambda: 0.0).sentences[0]


def test_narrowed_widths_are_multiples_of_32_and_never_larger(make_network) -> None:
    network = make_network(*WIDE)
    assert narrowed(network, 0.375).model.encoder.hidden_size == 96
    assert narrowed(network, 0.25).model.embedding_size == 128
    tiny = make_network()
    assert narrowed(tiny, 0.25) == tiny


def test_a_resumed_run_keeps_its_widths_and_learning_rate(make_network) -> None:
    network = make_network(*WIDE, "training.fit_time_limit=true", "training.time_limit=100s")
    chosen = narrowed(network, 0.5)
    identity = {"format": 1, "settings": {"model": chosen.model.model_dump(mode="json")}}
    assert with_recorded_widths(network, identity, path=PATH) == chosen
    fixed = make_network(*WIDE)
    assert with_recorded_widths(fixed, identity, path=PATH) == fixed
    assert with_recorded_widths(network, None, path=PATH) == network


def test_a_resumed_run_takes_the_widths_of_its_start_or_those_chosen_and_no_others(make_network) -> None:
    limit = ("training.fit_time_limit=true", "training.time_limit=100s")
    network = make_network(*WIDE, *limit)
    chosen = narrowed(network, 0.5)
    identity = {
        "format": 1,
        "requested": widths_of(network.model),
        "settings": {"model": chosen.model.model_dump(mode="json")},
    }
    assert with_recorded_widths(network, identity, path=PATH).model == chosen.model
    assert with_recorded_widths(chosen, identity, path=PATH).model == chosen.model
    other = make_network(*WIDE, "model.decoder.hidden_size=96", *limit)
    with pytest.raises(ConfigurationError) as caught:
        with_recorded_widths(other, identity, path=PATH)
    assert (caught.value.key, caught.value.value) == ("model.decoder.hidden_size", 96)
