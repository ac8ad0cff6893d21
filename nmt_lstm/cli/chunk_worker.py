"""A worker that translates chunks of a text: one of the processes of ``--jobs``, or an actor of Ray."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from nmt_lstm.cli.arguments import load_plugins
from nmt_lstm.errors import NmtLstmError, PluginError

if TYPE_CHECKING:
    from nmt_lstm.inference.requests import TranslationRequest
    from nmt_lstm.inference.translation import Translation

__all__ = ["BATCHES_PER_CHUNK", "CHUNKS_PER_WORKER", "ChunkWorker", "LoadOptions"]

BATCHES_PER_CHUNK = 16
"""Large enough for sorting by length to pay off, small enough that no worker waits long for the last chunk."""
CHUNKS_PER_WORKER = 2
"""One that a worker translates, and one that waits, so that no worker is ever idle."""


class LoadOptions(NamedTuple):
    """How each worker loads the translator."""

    folders: Sequence[Path]
    device: str
    precision: str
    plugins: Sequence[Path]
    trusted: Sequence[Path] = ()
    """Model folders whose copies of plugins are run."""
    language_model: Path | None = None


class ChunkWorker:
    """A translator in a process of its own, with one thread.

    Args:
        options: how it is loaded.

    Raises:
        NmtLstmError: it cannot be loaded.
    """

    def __init__(self, options: LoadOptions) -> None:
        import torch

        torch.set_num_threads(1)
        load_plugins(options.plugins, trusted=options.trusted)
        from nmt_lstm.inference.translator import Translator
        from nmt_lstm.text.lines import LineWarnings

        self._translator = Translator.load(
            options.folders,
            device=options.device,
            precision=options.precision,
            language_model=options.language_model,
        )
        self._warnings = LineWarnings(translations=True)

    def translate(
        self, first_line: int, lines: list[str | TranslationRequest], arguments: dict[str, Any]
    ) -> list[Translation]:
        """Return the translations of a chunk.

        Args:
            first_line: number of its first line.
            lines: the lines.
            arguments: others of `Translator.stream`.

        Raises:
            NmtLstmError: from translating, or from a plugin.
        """
        try:
            return list(
                self._translator.stream(
                    lines, window=len(lines), first_line=first_line, warnings=self._warnings, **arguments
                )
            )
        except NmtLstmError:
            raise
        except Exception as problem:
            from nmt_lstm.registry import plugin_failure

            # A traceback is not pickled, so the plugin's file and line must be found in this process.
            if failure := plugin_failure(problem):
                raise PluginError(failure) from problem
            raise
