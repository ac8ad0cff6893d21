"""Whether all processes of a run have the same settings, text and starting point: otherwise they would train nonsense."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from typing import Any

import nmt_lstm
from nmt_lstm.config.fields import differences
from nmt_lstm.config.schema import RunSettings
from nmt_lstm.errors import ConfigurationError
from nmt_lstm.training.peers import Peers

__all__ = ["check_agreement"]

# Machines may have the text, and what a run starts from, in different places.
_PLACES: dict[str, bool | set[str]] = {
    "data": True,
    "training": {"init_from", "source_vectors", "target_vectors"},
}
_HOST = "host"
_MEANINGS = {
    "version": "nmt-lstm {other}, the first one {first}: install the same version on all machines",
    "text": "a different training or validation text than the first one: the files may be in different places, but must be equal",
    "vocabulary": "a different vocabulary than the first one: use that of the first one on all machines (subwords.model)",
    "step": "{other} completed steps in its checkpoint, the first one {first}: all must see the same folder, or be started by torchrun "
    "or srun",
}


def check_agreement(
    run: RunSettings, peers: Peers, *, text: str, vocabulary: Mapping[str, str], step: int
) -> None:
    """Compare what the processes are about to do; all processes take part, and all raise the same error.

    Args:
        run: the settings.
        peers: the other processes.
        text: fingerprint of the prepared text.
        vocabulary: fingerprints of the two sides.
        step: at which training starts.

    Raises:
        ConfigurationError: a process differs from the first one.
        LostProcessError: a process is lost.
    """
    own = {
        _HOST: socket.gethostname(),
        "version": nmt_lstm.__version__,
        "settings": run.model_dump(mode="json", exclude=_PLACES),
        "text": text,
        "vocabulary": dict(vocabulary),
        "step": step,
    }
    first, *others = peers.gather(own)
    for rank, other in enumerate(others, start=1):
        for path, before, now in differences(first, other):
            kind, _, key = path.partition(".")
            if kind == _HOST:
                continue
            who = f"process {rank} of this run (on {other[_HOST]})"
            what = _MEANINGS.get(
                kind, "{key} = {other}, the first one {first}: start all with the same settings"
            )
            raise ConfigurationError(
                f"{who} has {what.format(key=key, first=_shown(before), other=_shown(now))}.",
                key=key or kind,
                value=now,
            )


def _shown(value: Any) -> str:
    return str(value)[:200]
