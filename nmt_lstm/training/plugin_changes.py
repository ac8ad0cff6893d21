"""Whether the plugins of a training run to be resumed are those that it began with."""

from __future__ import annotations

import shlex
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nmt_lstm.checkpoint.manifest import MANIFEST, Manifest
from nmt_lstm.checkpoint.plugin_records import PluginChange, changed_plugins, plugin_digests, warn_of_versions
from nmt_lstm.config.schema import RunSettings
from nmt_lstm.errors import ChangedPluginError
from nmt_lstm.training.output_folder import resume_command

__all__ = ["check_plugins"]

REPLACED_PREFIX = "replaced-"


def check_plugins(
    run: RunSettings, output: Path, kept: Mapping[str, Any] | None, *, accept_changes: bool = False
) -> None:
    """Refuse to resume a training run whose plugin files were changed: its weights belong to other equations.

    Args:
        run: the settings, whose plugins are loaded.
        output: the model folder; it has copies from the first validation on.
        kept: the record in the checkpoint, which has checksums from the first checkpoint on.
        accept_changes: continue with the changed plugins, and keep the copies of the earlier ones under other names.

    Raises:
        ChangedPluginError: a plugin was changed, and `accept_changes` is off.
    """
    changes: dict[str, PluginChange] = {}
    if (output / MANIFEST).exists():
        records = Manifest.read(output).plugins
        warn_of_versions(records)
        changes = {f"{change.kind} {change.name}": change for change in changed_plugins(output, records)}
    before: Mapping[str, str] = (kept or {}).get("plugins") or {}
    now = plugin_digests(run)
    # The checkpoint decides, for it is what is resumed; the copies say more, and are all that older checkpoints have.
    changed = [part for part in before if now.get(part) != before[part]]
    changed += [part for part in changes if part not in before]
    if not changed:
        return
    if accept_changes:
        for part in changed:
            if part in changes:
                _keep(changes[part].copy)
        return
    differences = {
        part: changes[part].difference if part in changes else f"SHA-256 is no longer {before[part][:12]}"
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


def _keep(copy: Path) -> None:
    """Copy what a model folder has of a plugin to a name under which it is not written over."""
    number = 1
    while (kept := copy.with_name(f"{REPLACED_PREFIX}{number}-{copy.name}")).exists():
        number += 1
    if copy.is_dir():
        shutil.copytree(copy, kept)
    else:
        shutil.copyfile(copy, kept)
