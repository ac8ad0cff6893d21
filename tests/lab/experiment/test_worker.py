"""A worker process: how it describes the failures of a run."""

from __future__ import annotations

from multiprocessing import Pipe

import pytest

from nmt_lstm.errors import ResourceError
from nmt_lstm.lab.experiment.worker import perform


@pytest.mark.parametrize(
    ("order", "event"),
    [
        ("refuse", ("failed", "it is broken.", False)),
        ("crash", ("failed", "ValueError: a traceback", False)),
        ("large", ("failed", "not enough memory; lower the tide", True)),
    ],
)
def test_failures_have_a_reason_and_say_whether_memory_was_short(make_jobs, order, event) -> None:
    receiver, sender = Pipe(duplex=False)
    assert perform(make_jobs({"a": order})[0], sender) == event
    assert receiver.recv()[0] == "progress"


def test_an_error_raised_from_lack_of_memory_is_lack_of_memory(make_jobs, monkeypatch) -> None:
    (job,) = make_jobs({"a": ""})

    def run_out(*_: object) -> None:
        raise ResourceError("not enough memory on this machine") from MemoryError()

    monkeypatch.setattr(type(job), "perform", run_out)
    assert perform(job, Pipe(duplex=False)[1]) == ("failed", "not enough memory on this machine", True)


def test_progress_without_a_listener_is_dropped(make_jobs) -> None:
    receiver, sender = Pipe(duplex=False)
    receiver.close()
    kind, _ = perform(make_jobs({"a": ""})[0], sender)
    assert kind == "finished"
