"""What a checkpoint remembers of its run, and which changes of settings, text and plugins a resumed run may make."""

from __future__ import annotations

import shlex
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nmt_lstm.checkpoint.manifest import MANIFEST, Manifest
from nmt_lstm.checkpoint.plugin_records import PluginChange, changed_plugins, warn_of_versions
from nmt_lstm.config.fields import differences
from nmt_lstm.errors import ChangedPluginError, ConfigurationError, ModelFolderError
from nmt_lstm.text.subwords import Subwords
from nmt_lstm.training.output_folder import resume_command
from nmt_lstm.training.width_choice import Network, with_widths

__all__ = ["check_plugins", "check_same_run", "run_record", "with_recorded_widths"]

REPLACED_PREFIX = "replaced-"

_FORMAT = 1
# Everything that decides what a weight, a batch or a step is. Limits, patience, rates and what is kept may change.
_FIXED_TRAINING = ("batch_pieces", "accumulate")


def run_record(
    settings: Mapping[str, Any], *, plugins: Mapping[str, str], subwords: Subwords, fingerprint: str
) -> dict[str, Any]:
    """Return what identifies a run, as plain values.

    Args:
        settings: all of the run's, as JSON has them.
        plugins: checksums of its plugin files.
        subwords: its vocabularies.
        fingerprint: of its prepared text.
    """
    return {
        "format": _FORMAT,
        "vocabulary": {"source": subwords.source.fingerprint, "target": subwords.target.fingerprint},
        "data": fingerprint,
        "plugins": dict(plugins),
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


def with_recorded_widths(network: Network, record: Mapping[str, Any] | None) -> Network:
    """Return a network to resume with the widths that its start chose on that machine, if it lets widths be chosen."""
    if not network.training.fit_time_limit or record is None or record.get("format") != _FORMAT:
        return network
    before = record["settings"]["model"]
    return with_widths(
        network,
        embedding=before["embedding_size"],
        encoder=before["encoder"]["hidden_size"],
        decoder=before["decoder"]["hidden_size"],
    )


def check_same_run(before: Mapping[str, Any] | None, now: Mapping[str, Any], *, path: str) -> None:
    """Refuse to resume from the checkpoint at `path` with another vocabulary, model or data.

    Raises:
        ModelFolderError: the checkpoint is not ours, or of another vocabulary or text.
        ConfigurationError: settings differ that must not change within a training; each is named with both values.
    """
    if before is None or before.get("format") != _FORMAT:
        raise ModelFolderError(f"checkpoint '{path}' was not written by this version's training; train anew.")
    if before["vocabulary"] != now["vocabulary"]:
        sides = [
            side for side in ("source", "target") if before["vocabulary"][side] != now["vocabulary"][side]
        ]
        raise ModelFolderError(
            f"checkpoint '{path}' is of another {' and '.join(sides)} vocabulary than the one prepared now "
            f"({before['vocabulary'][sides[0]][:12]}, not {now['vocabulary'][sides[0]][:12]}); resume with the run's "
            f"own text and subword settings, or train into another folder."
        )
    # Checkpoints of earlier versions do not say how subwords were sampled.
    comparable = {name: value for name, value in now["settings"].items() if name in before["settings"]}
    changed = [
        f"{name} was {old!r} and is {new!r}" for name, old, new in differences(before["settings"], comparable)
    ]
    if changed:
        raise ConfigurationError(
            f"cannot resume from '{path}' with other settings: {'; '.join(changed)}. Give the old values back, or "
            f"train into another folder."
        )
    if before["data"] != now["data"]:
        raise ModelFolderError(
            f"checkpoint '{path}' was trained on other text or otherwise prepared text ({before['data'][:12]}, not "
            f"{now['data'][:12]}); give the old text and data settings back, or train into another folder."
        )


def check_plugins(
    output: Path,
    before: Mapping[str, Any] | None,
    now: Mapping[str, Any],
    *,
    accept_changes: bool = False,
) -> None:
    """Refuse to resume a training run whose plugin files were changed: its weights belong to other equations.

    Args:
        output: the model folder; it has copies from the first validation on.
        before: the record in the checkpoint, which has checksums from the first checkpoint on.
        now: the record of the run, whose plugins are loaded.
        accept_changes: continue with the changed plugins, and keep the copies of the earlier ones under other names.

    Raises:
        ChangedPluginError: a plugin was changed, and `accept_changes` is off.
    """
    changes: dict[str, PluginChange] = {}
    if (output / MANIFEST).exists():
        records = Manifest.read(output).plugins
        warn_of_versions(records)
        changes = {f"{change.kind} {change.name}": change for change in changed_plugins(output, records)}
    digests: Mapping[str, str] = (before or {}).get("plugins") or {}
    # The checkpoint decides, for it is what is resumed; the copies say more, and are all that older checkpoints have.
    changed = [part for part in digests if now["plugins"].get(part) != digests[part]]
    changed += [part for part in changes if part not in digests]
    if not changed:
        return
    if accept_changes:
        for part in changed:
            if part in changes:
                _preserve(changes[part].copy)
        return
    differences = {
        part: changes[part].difference if part in changes else f"SHA-256 is no longer {digests[part][:12]}"
        for part in changed
    }
    shown = "; ".join(f"{part}: {difference}" for part, difference in differences.items())
    copies = " ".join(
        f"--plugin {shlex.quote(str(changes[part].copy))}" for part in changed if part in changes
    )
    original = f"the original files ({copies})" if copies else "the original files"
    raise ChangedPluginError(
        f"cannot resume the training run in '{output}', because its plugins were changed ({shown}). Resume with "
        f"{original}, train into another folder, or continue with the changed equations:\n"
        f"  {resume_command(sys.argv)} --accept-changed-plugins",
        names=tuple(differences),
        differences=tuple(differences.values()),
    )


def _preserve(copy: Path) -> None:
    """Copy what a model folder has of a plugin to a name under which it is not written over."""
    number = 1
    while (preserved := copy.with_name(f"{REPLACED_PREFIX}{number}-{copy.name}")).exists():
        number += 1
    if copy.is_dir():
        shutil.copytree(copy, preserved)
    else:
        shutil.copyfile(copy, preserved)
