"""A function of columns for engines that process tables in batches: Ray Data, Spark, Hugging Face datasets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from nmt_lstm.inference.translator import Translator

__all__ = ["BatchTranslator"]


class BatchTranslator:
    """Adds a column with translations to batches of rows; the model is loaded once, in the process that uses it.

    Translations do not depend on the batches, so an engine may divide the rows as it likes. ::

        data.map_batches(BatchTranslator, fn_constructor_args=["runs/de-en"], concurrency=4)      # Ray Data
        data.map(BatchTranslator("runs/de-en"), batched=True)                                    # datasets

    Args:
        folders: one model folder, or several as an ensemble.
        column: name of the column with the text.
        output: name of the column with the translations.
        options: arguments of `Translator.translate`, such as ``{"beam_size": 1}``.

    Raises:
        NmtLstmError: the model cannot be loaded; see `Translator.load`.
    """

    def __init__(
        self,
        folders: str | Path | Sequence[str | Path],
        *,
        column: str = "text",
        output: str = "translation",
        options: Mapping[str, Any] | None = None,
    ) -> None:
        self.column = column
        self.output = output
        self._options = dict(options or {})
        self._translator = Translator.load(folders)

    def __call__(self, batch: Mapping[str, Any]) -> dict[str, Any]:
        """Return the batch with the new column.

        Args:
            batch: columns of one length by name: a dictionary of arrays or lists, or a pandas DataFrame. Missing texts
                (None) have an empty translation.

        Raises:
            KeyError: the batch lacks the column of the text.
            NotTextError: a value is not text.
        """
        lines = ["" if text is None else text for text in batch[self.column]]
        translations = self._translator.translate(lines, **self._options)
        texts = np.array([translation.text for translation in translations], dtype=object)
        return {**{name: batch[name] for name in batch}, self.output: texts}
