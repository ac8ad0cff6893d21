"""Training on a stream: batches of pools, the end of the stream, limits, and what resuming means."""

from __future__ import annotations

import os
import threading

import pytest
from rich.console import Console

from nmt_lstm.config.load import load_run, make_run
from nmt_lstm.errors import ConfigurationError, DataError
from nmt_lstm.text.cleaning import PairCleaner
from nmt_lstm.text.pair_stream import PairStream
from nmt_lstm.text.preparation import prepare
from nmt_lstm.training.fit import fit
from nmt_lstm.training.stream_data import StreamBatches, check_stream_devices

QUIET = Console(quiet=True)


@pytest.fixture(scope="module")
def prepared(make_small_run):
    return prepare(make_small_run())


@pytest.fixture
def streamed(make_small_run, prepared, tmp_path):
    """Return a function that makes a run on a named pipe, into which a thread writes so many pairs."""
    values = make_small_run().model_dump(mode="json", exclude_none=True)
    for key in ("train_source", "train_target"):
        del values["data"][key]
    values["subwords"]["model"] = str(prepared.folder)
    values["training"]["schedule"]["name"] = "constant"
    pairs = [
        (prepared.subwords.source.decode(source), prepared.subwords.target.decode(target))
        for source, target in zip(prepared.train.source, prepared.train.target, strict=True)
    ]

    def make(number, *overrides):
        pipe = tmp_path / f"pipe-{number}-{len(list(tmp_path.iterdir()))}"
        os.mkfifo(pipe)

        def write():
            try:
                with pipe.open("w") as file:
                    for index in range(number):
                        file.write("\t".join(pairs[index % len(pairs)]) + "\n")
            except BrokenPipeError:
                pass

        threading.Thread(target=write, daemon=True).start()
        return make_run(values, [f"data.stream={pipe}", "training.validate_every=5", *overrides])

    return make


def test_batches_hold_each_pair_once_within_the_budget(prepared, monkeypatch) -> None:
    monkeypatch.setattr("nmt_lstm.training.stream_data.POOL", 30)
    lines = [f"a {number}\tb {number}\n".encode() for number in range(100)]

    def batches(accumulate):
        cleaner = PairCleaner(prepared.data.cleaning)
        stream = PairStream(iter(lines), subwords=prepared.subwords, cleaner=cleaner)
        return list(StreamBatches(stream, batch_pieces=120, accumulate=accumulate, seed=1))

    whole, halves = batches(1), batches(2)
    assert sum(len(batch.indices) for batch in whole) == 100
    assert all(batch.target_inputs.numel() <= 120 for batch in whole)
    assert len(halves) == 2 * len(whole)
    assert sum(batch.target_pieces for batch in halves) == sum(batch.target_pieces for batch in whole)
    # The divisor of both halves is that of the whole step.
    assert halves[0].loss_divisor == halves[1].loss_divisor == whole[0].loss_divisor / 2


def test_the_end_of_the_stream_ends_the_run_and_a_resumed_run_continues_with_the_next_one(
    streamed, tmp_path
) -> None:
    result = fit(streamed(800), tmp_path / "run", console=QUIET)
    assert result.reason == "the stream has ended"
    assert (result.planned_epochs, result.steps > 10) == (0, True)
    resumed = fit(streamed(400), tmp_path / "run", resume=True, console=QUIET)
    assert resumed.steps > result.steps
    assert [point.step for point in resumed.curve][: len(result.curve)] == [
        point.step for point in result.curve
    ]
    assert load_run(tmp_path / "run" / "run.toml").data.stream


def test_a_limit_ends_an_endless_stream_and_can_be_raised(streamed, tmp_path, monkeypatch) -> None:
    # The speed is not measured, which would take batches from the stream.
    monkeypatch.setattr("nmt_lstm.training.assembly.WORTH_MEASURING", 1)
    endless = 10**9
    assert fit(streamed(endless, "training.max_steps=6"), tmp_path / "run", console=QUIET).steps == 6
    longer = streamed(endless, "training.max_steps=9")
    assert fit(longer, tmp_path / "run", resume=True, console=QUIET).steps == 9


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        (["data.cleaning.drop_duplicates=true"], "drop_duplicates"),
        (["training.validate_every=0"], "validate_every"),
        (["training.schedule.name=cosine"], "max_steps"),
        (["data.train_source=a", "data.train_target=b"], "either 'data.stream'"),
        (['task="language-model"'], "pairs"),
    ],
)
def test_what_a_stream_cannot_do_is_refused(streamed, overrides, words) -> None:
    with pytest.raises(ConfigurationError, match=words):
        streamed(0, *overrides)


def test_what_a_stream_needs_is_named() -> None:
    text = {"valid_source": "a", "valid_target": "b"}
    with pytest.raises(ConfigurationError, match="validation text"):
        make_run({"data": {"stream": "-"}})
    with pytest.raises(ConfigurationError, match="subwords.model"):
        make_run({"data": {"stream": "-", **text}, "training": {"validate_every": 5}})
    check_stream_devices(1)
    with pytest.raises(ConfigurationError, match="one process, but 2"):
        check_stream_devices(2)


def test_a_stream_without_pairs_leaves_no_folder(streamed, tmp_path) -> None:
    with pytest.raises(DataError, match="without a pair"):
        fit(streamed(0), tmp_path / "run", console=QUIET)
    assert not (tmp_path / "run").exists()
