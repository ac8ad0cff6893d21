"""What identifies a run in its checkpoints, and which changes of settings, text and plugins a resumed run may have."""

from __future__ import annotations

import shlex
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from nmt_lstm.checkpoint.manifest import MANIFEST, Manifest
from nmt_lstm.checkpoint.plugin_records import PluginChange, changed_plugins, warn_of_versions
from nmt_lstm.config.fields import differences
from nmt_lstm.errors import ChangedPluginError, ConfigurationError, ModelFolderError
from nmt_lstm.plain_text import count_of
from nmt_lstm.text.subwords import Subwords
from nmt_lstm.training.output_folder import resume_command
from nmt_lstm.training.width_choice import Network, widths_of, with_widths

__all__ = ["changed_processes", "check_plugins", "check_same_run", "run_identity", "with_recorded_widths"]

REPLACED_PREFIX = "replaced-"

_FORMAT = 1
# These decide what a step is. Limits, patience, learning rates and the number of saved checkpoints may change.
_FIXED_TRAINING = ("batch_pieces", "accumulate")


def run_identity(
    settings: Mapping[str, Any],
    *,
    plugins: Mapping[str, str],
    subwords: Subwords,
    fingerprint: str,
    texts: Sequence[str] = (),
    requested: Mapping[str, int],
    weights: Sequence[float] = (),
) -> dict[str, Any]:
    """Return what identifies a run, as plain values.

    Args:
        settings: all settings of the run, as in JSON.
        plugins: checksums of its plugin files.
        subwords: its vocabularies.
        fingerprint: of its prepared text.
        texts: digests of the content of each side of the text, without names, so that text may be moved.
        requested: the widths that its settings asked for when it started (`width_choice.widths_of`).
        weights: of its corpora; they decide what an epoch is.
    """
    is_weighted = any(weight != 1.0 for weight in weights)
    return {
        "format": _FORMAT,
        "vocabulary": {"source": subwords.source.fingerprint, "target": subwords.target.fingerprint},
        "data": fingerprint,
        "texts": list(texts),
        "plugins": dict(plugins),
        "requested": dict(requested),
        "settings": {
            "seed": settings["seed"],
            "subwords": {"sampling": settings["subwords"]["sampling"]},
            **({"data": {"corpora": {"weight": list(weights)}}} if is_weighted else {}),
            "model": settings["model"],
            **({"series": _windows(settings["series"])} if settings.get("task") == "forecast" else {}),
            "training": {
                **{name: settings["training"][name] for name in _FIXED_TRAINING},
                "optimizer": {
                    "name": settings["training"]["optimizer"]["name"],
                    # This and the other conditional settings are included only if they are set, so that runs from
                    # before these settings can be resumed.
                    **_if_set("options", settings["training"]["optimizer"]),
                },
                "ema": settings["training"]["ema"],
                **_if_set("freeze", settings["training"]),
            },
        },
    }


def _if_set(name: str, table: Mapping[str, Any]) -> dict[str, Any]:
    return {name: table[name]} if table.get(name) else {}


def _windows(series: Mapping[str, Any]) -> dict[str, Any]:
    """Return what decides the windows of a series; the season is only for comparison."""
    return {name: value for name, value in series.items() if name != "season"}


def with_recorded_widths(network: Network, identity: Mapping[str, Any] | None, *, path: Path) -> Network:
    """Return the network with the widths that the run chose when it started, if its settings let it choose them.

    Args:
        network: of the settings.
        identity: in the checkpoint.
        path: of the checkpoint, for errors.

    Raises:
        ConfigurationError: the settings ask for widths that are neither those of the start nor those that were chosen.
    """
    if not network.training.fit_time_limit or identity is None or identity.get("format") != _FORMAT:
        return network
    model = identity["settings"]["model"]
    chosen = with_widths(
        network,
        embedding=model["embedding_size"],
        encoder=model["encoder"]["hidden_size"],
        decoder=model["decoder"]["hidden_size"],
    )
    now = widths_of(network.model)
    # Checkpoints of earlier versions do not contain the widths that were asked for.
    before = identity.get("requested", now)
    changed = [name for name, width in now.items() if width != before.get(name, width)]
    if changed and now != widths_of(chosen.model):
        raise _changed_settings(path, [(name, before[name], now[name]) for name in changed])
    return chosen


def _changed_settings(path: Path, changed: Sequence[tuple[str, Any, Any]]) -> ConfigurationError:
    """Return the error for settings, with the old and the new value of each, that must not change within a run."""
    described = "; ".join(f"{name} was {old!r} and is {new!r}" for name, old, new in changed)
    return ConfigurationError(
        f"cannot resume from '{path}' with changed settings: {described}. Restore the old values, or train into a "
        f"different folder.",
        key=changed[0][0],
        value=changed[0][2],
    )


def check_same_run(
    before: Mapping[str, Any] | None, now: Mapping[str, Any], *, path: Path, texts: Sequence[str] = ()
) -> None:
    """Raise an error unless the checkpoint at `path` belongs to a run with the same vocabulary, model and text.

    Args:
        before: the identity in the checkpoint.
        now: the identity of the run.
        path: of the checkpoint.
        texts: the names of the run's texts, in the order of its digests.

    Raises:
        ConfigurationError: settings differ that must not change within a run; each is named with both values.
        ModelFolderError: another program wrote the checkpoint, or the vocabulary or the text differ.
    """
    if before is None or before.get("format") != _FORMAT:
        raise ModelFolderError(
            f"checkpoint '{path}' was not written by this version of nmt-lstm; train from the beginning.",
            path=path,
        )
    if changed_texts := _changed_texts(before, now, texts):
        names = " and ".join(f"'{name}'" for name in changed_texts)
        raise ModelFolderError(
            f"cannot resume from '{path}': {names} {'was' if len(changed_texts) == 1 else 'were'} changed since this run started. "
            f"Restore the old text, or train into a different folder.",
            path=path,
            value=changed_texts,
        )
    if before["vocabulary"] != now["vocabulary"]:
        sides = [
            side for side in ("source", "target") if before["vocabulary"][side] != now["vocabulary"][side]
        ]
        raise ModelFolderError(
            f"checkpoint '{path}' was trained with a different {' and '.join(sides)} vocabulary "
            f"({before['vocabulary'][sides[0]][:12]}, not {now['vocabulary'][sides[0]][:12]}); resume with the run's "
            f"own text and subword settings, or train into a different folder.",
            path=path,
        )
    # Checkpoints of earlier versions do not contain the sampling of subwords.
    comparable = {
        name: value
        for name, value in now["settings"].items()
        if name in before["settings"] or name != "subwords"
    }
    changed = list(
        differences(
            _with_weights(before["settings"], comparable), _with_weights(comparable, before["settings"])
        )
    )
    if changed:
        raise _changed_settings(path, changed)
    if before["data"] != now["data"]:
        raise ModelFolderError(
            f"checkpoint '{path}' was trained on different text, or on text prepared differently "
            f"({before['data'][:12]}, not {now['data'][:12]}); restore the old text and data settings, or train into a "
            f"different folder.",
            path=path,
        )


def _changed_texts(before: Mapping[str, Any], now: Mapping[str, Any], names: Sequence[str]) -> list[str]:
    """Return the names of the texts with a different content; checkpoints of earlier versions do not say what it was."""
    texts, earlier = now["texts"], before.get("texts", [])
    if before["data"] == now["data"] or not len(texts) == len(earlier) == len(names):
        return []
    return [name for name, digest, old in zip(names, texts, earlier, strict=True) if digest != old]


def changed_processes(before: Mapping[str, Any] | None, now: Mapping[str, Any]) -> str:
    """Return what a different number of processes means for a resumed run; empty if their number is the same."""
    # Checkpoints of earlier versions do not contain the number.
    number = (before or {}).get("processes", now["processes"])
    if number == now["processes"]:
        return ""
    return (
        f"note: this run continues with {count_of(now['processes'], 'process', plural='processes')} instead of {number}. The "
        f"steps have the same pairs, so no pair is left out or repeated; random numbers such as those of dropout differ, and so "
        f"will the weights."
    )


def _with_weights(settings: Mapping[str, Any], other: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return settings with weights of 1 for the corpora, which are left out of them, if those of a different run have others."""
    if "data" in settings or "data" not in other:
        return settings
    return {**settings, "data": {"corpora": {"weight": [1.0] * len(other["data"]["corpora"]["weight"])}}}


def check_plugins(
    output: Path,
    before: Mapping[str, Any] | None,
    now: Mapping[str, Any],
    *,
    accept_changes: bool = False,
) -> None:
    """Raise an error if the run's plugin files were changed: its weights belong to the original equations.

    Args:
        output: the model folder; it contains copies from the first validation on.
        before: the identity in the checkpoint, which contains checksums from the first checkpoint on.
        now: the identity of the run, whose plugins are loaded.
        accept_changes: continue with the changed plugins, and keep the copies of the original ones under other names.

    Raises:
        ChangedPluginError: a plugin was changed, and `accept_changes` is false.
    """
    copies: dict[str, PluginChange] = {}
    if (output / MANIFEST).exists():
        records = Manifest.read(output).plugins
        warn_of_versions(records)
        copies = {f"{change.kind} {change.name}": change for change in changed_plugins(output, records)}
    digests: Mapping[str, str] = (before or {}).get("plugins") or {}
    # The checkpoint decides, because it is what is resumed; the copies tell what changed, and older checkpoints have
    # nothing else.
    changed = [plugin for plugin in digests if now["plugins"].get(plugin) != digests[plugin]]
    changed += [plugin for plugin in copies if plugin not in digests]
    if not changed:
        return
    if accept_changes:
        for plugin in changed:
            if plugin in copies:
                _preserve(copies[plugin].copy)
        return
    changes = {
        plugin: copies[plugin].difference
        if plugin in copies
        else f"SHA-256 is no longer {digests[plugin][:12]}"
        for plugin in changed
    }
    described = "; ".join(f"{plugin}: {change}" for plugin, change in changes.items())
    options = " ".join(
        f"--plugin {shlex.quote(str(copies[plugin].copy))}" for plugin in changed if plugin in copies
    )
    original = f"the original files ({options})" if options else "the original files"
    raise ChangedPluginError(
        f"cannot resume the training run in '{output}', because its plugins were changed ({described}). Resume with "
        f"{original}, train into a different folder, or continue with the changed equations:\n"
        f"  {resume_command(sys.argv, option='--accept-changed-plugins')}",
        names=tuple(changes),
        differences=tuple(changes.values()),
    )


def _preserve(copy: Path) -> None:
    """Copy a model folder's copy of a plugin to a name under which it will not be overwritten."""
    number = 1
    while (preserved := copy.with_name(f"{REPLACED_PREFIX}{number}-{copy.name}")).exists():
        number += 1
    if copy.is_dir():
        shutil.copytree(copy, preserved)
    else:
        shutil.copyfile(copy, preserved)
