"""What a checkpoint remembers of its run, and which changes a resumed training may make."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nmt_lstm.checkpoint.plugin_records import plugin_digests
from nmt_lstm.config.differences import differences
from nmt_lstm.config.schema import RunSettings
from nmt_lstm.errors import ConfigurationError, ModelFolderError
from nmt_lstm.text.subwords import Subwords
from nmt_lstm.training.time_budget import with_widths

__all__ = ["check_same_run", "run_record", "with_recorded_widths"]

_FORMAT = 1
# Everything that decides what a weight, a batch or a step is. Limits, patience, rates and what is kept may change.
_FIXED_TRAINING = ("batch_pieces", "accumulate")


def run_record(run: RunSettings, subwords: Subwords, data_fingerprint: str) -> dict[str, Any]:
    """Return what identifies a run, as plain values."""
    settings = run.model_dump(mode="json")
    return {
        "format": _FORMAT,
        "vocabulary": {"source": subwords.source.fingerprint, "target": subwords.target.fingerprint},
        "data": data_fingerprint,
        "plugins": plugin_digests(run),
        "settings": {
            "seed": settings["seed"],
            "subwords": {"sampling": settings["subwords"]["sampling"]},
            "model": settings["model"],
            "training": {
                **{name: settings["training"][name] for name in _FIXED_TRAINING},
                "optimizer": {"name": settings["training"]["optimizer"]["name"]},
                "ema": settings["training"]["ema"],
            },
        },
    }


def with_recorded_widths(run: RunSettings, kept: Mapping[str, Any] | None) -> RunSettings:
    """Return a run to resume with the widths that its start chose on that machine, if it lets widths be chosen."""
    if not run.training.fit_time_limit or kept is None or kept.get("format") != _FORMAT:
        return run
    before = kept["settings"]["model"]
    return with_widths(
        run,
        embedding=before["embedding_size"],
        encoder=before["encoder"]["hidden_size"],
        decoder=before["decoder"]["hidden_size"],
    )


def check_same_run(kept: Mapping[str, Any] | None, now: Mapping[str, Any], *, path: str) -> None:
    """Refuse to resume from the checkpoint at `path` with another vocabulary, model or data.

    Raises:
        ModelFolderError: the checkpoint is not ours, or of another vocabulary or text.
        ConfigurationError: settings differ that must not change within a training; each is named with both values.
    """
    if kept is None or kept.get("format") != _FORMAT:
        raise ModelFolderError(f"checkpoint '{path}' was not written by this version's training; train anew.")
    if kept["vocabulary"] != now["vocabulary"]:
        sides = [side for side in ("source", "target") if kept["vocabulary"][side] != now["vocabulary"][side]]
        raise ModelFolderError(
            f"checkpoint '{path}' is of another {' and '.join(sides)} vocabulary than the one prepared now "
            f"({kept['vocabulary'][sides[0]][:12]}, not {now['vocabulary'][sides[0]][:12]}); resume with the run's "
            f"own text and subword settings, or train into another folder."
        )
    # Checkpoints of earlier versions do not say how subwords were sampled.
    comparable = {name: value for name, value in now["settings"].items() if name in kept["settings"]}
    changed = [
        f"{name} was {before!r} and is {after!r}"
        for name, before, after in differences(kept["settings"], comparable)
    ]
    if changed:
        raise ConfigurationError(
            f"cannot resume from '{path}' with other settings: {'; '.join(changed)}. Give the old values back, or "
            f"train into another folder."
        )
    if kept["data"] != now["data"]:
        raise ModelFolderError(
            f"checkpoint '{path}' was trained on other text or otherwise prepared text ({kept['data'][:12]}, not "
            f"{now['data'][:12]}); give the old text and data settings back, or train into another folder."
        )
