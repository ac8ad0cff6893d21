"""The model folder: everything that translation needs, written completely or not at all, and verified when read."""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor

from nmt_lstm.checkpoint.folder_files import (
    GRAPHS,
    METRICS,
    SCALE,
    SUBWORDS,
    WEIGHTS,
    WRITING,
    check_output_folder,
)
from nmt_lstm.checkpoint.manifest import MANIFEST, RUN, Manifest, check_files, make_manifest
from nmt_lstm.checkpoint.plugin_records import (
    COPY_PREFIX,
    classes_without_copy,
    needs_trust,
    plugin_records,
    require_plugins,
)
from nmt_lstm.checkpoint.weights import load_weights, save_weights
from nmt_lstm.config.load import dump_toml, load_model_run
from nmt_lstm.config.schema import RunSettings
from nmt_lstm.config.tasks import TASKS, part_of
from nmt_lstm.corpora.builtin import model_name, model_path
from nmt_lstm.errors import ConfigurationError, DataError, ModelFolderError
from nmt_lstm.files.atomic import error_for, remove_stale, sync, temporary_prefix
from nmt_lstm.files.checksums import sha256_of_content
from nmt_lstm.files.parsing import parse_json
from nmt_lstm.files.regular import read_regular
from nmt_lstm.model.build import build_unweighted_network
from nmt_lstm.model.language_model import LanguageModel
from nmt_lstm.model.seq2seq import Seq2Seq
from nmt_lstm.model.trainable import Trainable
from nmt_lstm.numerics.allocation_limit import AllocationLimit, LimitExceededError
from nmt_lstm.registry.provenance import import_root, named_by, trust_folder
from nmt_lstm.text.subwords import Subwords

__all__ = [
    "GRAPHS",
    "WEIGHTS",
    "ModelFolder",
    "check_output_folder",
    "class_advice",
    "read",
    "trust_option",
    "write",
]

# Elements of new tensors that a network may have for each byte of its weights, and in any case.
NUMBERS_PER_BYTE = 4
MIN_ALLOCATION = 1 << 24


@dataclass(frozen=True)
class ModelFolder:
    """The verified contents of a model folder, except for the weights."""

    folder: Path
    run: RunSettings
    subwords: Subwords
    manifest: Manifest
    metrics: dict[str, Any]

    @property
    def weights_sha256(self) -> str:
        """A digest of the weights: the SHA-256 of their file, or that of the digests of the graphs that contain them.

        Raises:
            ModelFolderError: the folder has neither.
        """
        digests = [
            self.manifest.files[name].sha256 for name in (WEIGHTS, *GRAPHS) if name in self.manifest.files
        ]
        if not digests:
            raise ModelFolderError(
                f"model folder '{self.folder}' has no weights; copy the whole folder again.", path=self.folder
            )
        if len(digests) == 1:
            return digests[0]
        return sha256_of_content("\n".join(digests))

    @classmethod
    def read(cls, folder: str | Path) -> ModelFolder:
        """Verify the files of a model folder and read everything but the weights.

        Args:
            folder: its path, or the name of a built-in model such as ``builtin:en-ja``.

        Raises:
            ModelFolderError: a file is missing, modified or half written, or the folder is in a different or newer format.
        """
        path = model_path(folder)
        manifest = Manifest.read(path)
        check_files(path, manifest)
        try:
            run = load_model_run(path / RUN)
            metrics = parse_json(read_regular(path / METRICS))
            subwords = part_of(TASKS[run.task].vocabularies)(path, run.subwords)
        except (ConfigurationError, DataError, OSError, ValueError) as problem:
            raise ModelFolderError(f"model folder '{path}' cannot be read: {problem}", path=path) from problem
        if not isinstance(metrics, dict):
            raise ModelFolderError(
                f"'{path / METRICS}' is not a JSON object; copy the whole folder again.", path=path / METRICS
            )
        for side, vocabulary in (("source", subwords.source), ("target", subwords.target)):
            if vocabulary.fingerprint != manifest.vocabulary.get(side):
                raise ModelFolderError(
                    f"the weights in '{path}' were trained with a different {side} vocabulary; copy the whole folder again.",
                    path=path,
                )
        return cls(path, run, subwords, manifest, metrics)

    def check_trained(self) -> None:
        """Raise ModelFolderError if the model was exported, since exported weights can only be used for translation."""
        if self.manifest.exported:
            raise ModelFolderError(
                f"'{model_name(self.folder)}' is an exported model, which can only translate; give the folder that it was exported from.",
                path=self.folder,
            )

    @contextlib.contextmanager
    def limited_size(self) -> Iterator[None]:
        """Build a network in this context, and it is no larger than the file of weights allows.

        Otherwise a few words in the settings of a stranger's model could fill the memory. A weight needs a byte or more,
        and a constructor may create each twice.

        Raises:
            ModelFolderError: the network has more weights.
        """
        size = self.manifest.files[WEIGHTS].bytes if WEIGHTS in self.manifest.files else 0
        try:
            with AllocationLimit(MIN_ALLOCATION + NUMBERS_PER_BYTE * size):
                yield
        except LimitExceededError as problem:
            raise ModelFolderError(
                f"'{self.folder / RUN}' describes a network that is too large for {WEIGHTS}, which has {size:,} bytes; copy "
                f"the whole folder again.",
                path=self.folder,
            ) from problem

    def load_model(self, device: str | torch.device = "cpu", *, trust_plugins: bool = False) -> Seq2Seq:
        """Build a translation model in evaluation mode and load its weights; see `load_network`.

        Raises:
            WrongTaskError: the model is for a different task.
        """
        self.manifest.check_task(self.folder, "translation")
        return cast(Seq2Seq, self.load_network(device, trust_plugins=trust_plugins))

    def load_language_model(
        self, device: str | torch.device = "cpu", *, trust_plugins: bool = False
    ) -> LanguageModel:
        """Build a language model in evaluation mode and load its weights; see `load_network`.

        Raises:
            WrongTaskError: the model is for a different task.
        """
        self.manifest.check_task(self.folder, "language-model")
        return cast(LanguageModel, self.load_network(device, trust_plugins=trust_plugins))

    def load_network(self, device: str | torch.device = "cpu", *, trust_plugins: bool = False) -> Trainable:
        """Build the network of the model's task in evaluation mode and load its weights.

        Args:
            device: the device of the weights.
            trust_plugins: run the folder's copies of plugin files unless their parts are registered already, and
                import the classes that it names from wherever Python finds them.

        Raises:
            ModelFolderError: a plugin is missing (the message says what to install), or the weights do not fit or were
                exported.
            UntrustedPluginError: the folder names a class that no installed distribution provides.
        """
        self.check_trained()
        if trust_plugins:
            trust_folder(self.folder)
        # The folder may come from anywhere: until the model is built, its names import only trusted code.
        with named_by(self.folder), self.limited_size():
            require_plugins(self.folder, self.manifest.plugins, trust_plugins=trust_plugins)
            sizes = self.subwords.source.size, self.subwords.target.size
            model = build_unweighted_network(self.run.task, self.run.model, *sizes)
        state = load_weights(self.folder / WEIGHTS, torch.device(device))
        try:
            model.load_state_dict(state)
        except RuntimeError as problem:
            reason = " ".join(str(problem).split())
            raise ModelFolderError(
                f"the weights in '{self.folder}' do not fit the model of its {RUN}: {reason[:500]}; has a plugin changed?",
                path=self.folder,
            ) from problem
        return model.to(device).eval()


read = ModelFolder.read


def write(
    folder: str | Path,
    *,
    run: RunSettings,
    subwords: Subwords,
    model_state: Mapping[str, Tensor],
    metrics: Mapping[str, Any],
    exported: str = "",
    graphs: Mapping[str, bytes] | None = None,
) -> None:
    """Write a model folder, replacing an earlier model; other files in it are kept.

    All files are written and synced in a temporary folder first, so a full disk or a crash leaves the old model intact.
    Then they are renamed one by one, the manifest last: the checksums reveal a half-replaced model to readers.

    Args:
        folder: its path.
        run: settings of the model.
        subwords: its vocabularies.
        model_state: its weights.
        metrics: its scores.
        exported: precision of exported weights; empty for a trained model.
        graphs: contents of the files `GRAPHS` by name, which are stored instead of the weights.

    Raises:
        ModelFolderError: the folder contains files of another program.
        OSError: the folder cannot be written; the error names it.
    """
    path = Path(folder)
    check_output_folder(path)
    try:
        path.mkdir(parents=True, exist_ok=True)
        remove_stale(path, folders=WRITING)
        with tempfile.TemporaryDirectory(
            prefix=temporary_prefix(WRITING), dir=path, ignore_cleanup_errors=True
        ) as name:
            temporary = Path(name)
            plugins, plugin_files = plugin_records(run)
            contents = {
                RUN: dump_toml(run).encode(),
                METRICS: f"{json.dumps(dict(metrics), indent=2)}\n".encode(),
                **(graphs or {}),
                **plugin_files,
            }
            for name, content in contents.items():
                (temporary / name).parent.mkdir(exist_ok=True, parents=True)
                (temporary / name).write_bytes(content)
            subwords.save(temporary)
            if graphs is None:
                save_weights(temporary / WEIGHTS, model_state)
            names = sorted(
                file.relative_to(temporary).as_posix() for file in temporary.rglob("*") if file.is_file()
            )
            manifest = make_manifest(
                temporary,
                names,
                vocabulary={"source": subwords.source.fingerprint, "target": subwords.target.fingerprint},
                plugins=plugins,
                parameters=_count_parameters(model_state),
                task=run.task,
                exported=exported,
            )
            (temporary / MANIFEST).write_text(manifest.text(), encoding="utf-8")
            _publish(temporary, path, [*names, MANIFEST])
    except OSError as problem:
        raise error_for(path, problem) from problem


def _publish(temporary: Path, path: Path, names: Sequence[str]) -> None:
    """Move files to the model folder in this order, and remove those of the earlier model."""
    # All contents reach the disk before the first file is replaced.
    for name in names:
        sync(temporary / name)
    for name in names:
        (path / name).parent.mkdir(exist_ok=True, parents=True)
        (temporary / name).replace(path / name)
    for obsolete in {WEIGHTS, *GRAPHS, *SUBWORDS, SCALE} - set(names):
        (path / obsolete).unlink(missing_ok=True)
    _remove_old_copies(path, set(names))


def _remove_old_copies(path: Path, names: AbstractSet[str]) -> None:
    """Remove copies of plugins that are not among the files of the model."""
    for copy in path.glob(f"{COPY_PREFIX}*"):
        for file in [copy, *copy.rglob("*")]:
            if not file.is_dir() and file.relative_to(path).as_posix() not in names:
                file.unlink(missing_ok=True)
        if copy.is_dir() and not any(name.startswith(f"{copy.name}/") for name in names):
            shutil.rmtree(copy, ignore_errors=True)


def trust_option(folder: Path) -> str:
    """Return " --trust-plugins" if a model folder can only be loaded with that option; otherwise an empty string."""
    if not (folder / MANIFEST).exists():
        return ""
    return " --trust-plugins" if needs_trust(folder, Manifest.read(folder).plugins) else ""


def class_advice(folder: Path, command: str) -> str:
    """Return advice if a model needs classes that its folder has no copy of; otherwise an empty string.

    Args:
        folder: the model folder.
        command: the command that loads the model if Python finds the classes.
    """
    missing = (
        classes_without_copy(folder, Manifest.read(folder).plugins) if (folder / MANIFEST).exists() else []
    )
    if not missing:
        return ""
    roots = dict.fromkeys(str(root) for name in missing if (root := import_root(name)))
    path = shlex.quote(os.pathsep.join(roots)) if roots else "FOLDER"
    return (
        f"The model folder has no copy of {' and '.join(missing)}, which Python must find:\n  PYTHONPATH={path} {command}\n"
        f"Classes that their file registers under a name are copied if the file is loaded with --plugin."
    )


def _count_parameters(state: Mapping[str, Tensor]) -> int:
    sizes = {(tensor.data_ptr(), tensor.shape): tensor.numel() for tensor in state.values()}
    return sum(sizes.values())
