"""Processes that would do different things are refused, with what differs."""

from __future__ import annotations

from typing import Any

import pytest

from nmt_lstm.errors import ConfigurationError
from nmt_lstm.training.agreement import check_agreement
from nmt_lstm.training.peers import Peers

VOCABULARY = {"source": "a", "target": "b"}


class Other(Peers):
    """Peers of which process 1 has something changed."""

    def __init__(self, change: Any) -> None:
        super().__init__()
        self.change = change

    def gather(self, value: Any) -> list[Any]:
        return [value, {**value, **self.change(value), "host": "node-b"}]


def changed(*path: str, to: Any) -> Any:
    def change(value: dict[str, Any]) -> dict[str, Any]:
        def deep(table: dict[str, Any], keys: tuple[str, ...]) -> dict[str, Any]:
            first, *rest = keys
            return {**table, first: deep(table[first], tuple(rest)) if rest else to}

        return deep(value, path)

    return change


def test_equal_processes_may_have_different_hosts_and_places_of_files(make_small_run: Any) -> None:
    run = make_small_run()
    check_agreement(run, Other(lambda _: {}), text="t", vocabulary=VOCABULARY, step=0)
    moved = run.model_copy(update={"data": run.data.model_copy(update={"prepared": run.data.prepared / "x"})})
    assert moved != run
    seen: list[Any] = []

    class Recorded(Peers):
        def gather(self, value: Any) -> list[Any]:
            seen.append(value)
            return [value]

    for each in (run, moved):
        check_agreement(each, Recorded(), text="t", vocabulary=VOCABULARY, step=0)
    assert seen[0] == seen[1]


@pytest.mark.parametrize(
    ("change", "key", "value"),
    [
        (changed("settings", "training", "epochs", to=9), "training.epochs", 9),
        (changed("settings", "seed", to=7), "seed", 7),
        (changed("text", to="u"), "text", "u"),
        (changed("vocabulary", "target", to="c"), "target", "c"),
        (changed("step", to=300), "step", 300),
        (changed("version", to="0.1"), "version", "0.1"),
    ],
)
def test_a_difference_is_named(make_small_run: Any, change: Any, key: str, value: Any) -> None:
    with pytest.raises(ConfigurationError, match="node-b") as caught:
        check_agreement(make_small_run(), Other(change), text="t", vocabulary=VOCABULARY, step=0)
    assert (caught.value.key, caught.value.value) == (key, value)
    assert key.split(".")[-1] in str(caught.value) or key in ("text", "target")
