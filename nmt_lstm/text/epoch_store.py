"""The token store of an epoch: the prepared one, or with subword sampling a different segmentation in each epoch."""

from __future__ import annotations

import itertools
import shutil
from pathlib import Path

import numpy as np

from nmt_lstm.errors import DataError, ResourceError
from nmt_lstm.files.atomic import complete_folder
from nmt_lstm.files.lock import locked
from nmt_lstm.files.write_errors import write_remedy
from nmt_lstm.text.corpus import read_parallel
from nmt_lstm.text.pair_encoding import chunks_of
from nmt_lstm.text.prepared import Prepared
from nmt_lstm.text.store_writing import KEPT
from nmt_lstm.text.subword_sampling import SAMPLING_VERSION, sentence_seed
from nmt_lstm.text.tags import tag_pieces
from nmt_lstm.text.token_store import TokenStore, TokenStoreWriter

__all__ = ["epoch_store"]


def epoch_store(prepared: Prepared, epoch: int, *, sampling: float, seed: int) -> TokenStore:
    """Return the store to train an epoch on; subword sampling draws a segmentation that depends on seed and epoch.

    Args:
        prepared: the prepared text.
        epoch: from 0.
        sampling: as ``run.subwords.sampling``; 0 is off.
        seed: of the sampling.

    Raises:
        DataError: the text has changed since it was prepared.
        ResourceError: the disk is full.
    """
    if not sampling:
        return prepared.train

    def folder_of(epoch: int) -> Path:
        # Other versions draw different pieces for the same seed.
        return prepared.folder / f"sampled-v{SAMPLING_VERSION}-{sampling}-{seed}-{epoch}"

    folder = folder_of(epoch)
    store = _store_in(folder)
    if store is not None:
        return store
    try:
        with locked(prepared.folder):
            store = _store_in(folder)  # perhaps from a faster process of this run
            if store is None:
                with complete_folder(folder, lambda path: _store_in(path) is not None) as unfinished:
                    _write_sampled(prepared, epoch, unfinished, sampling, seed)
                # Not the previous epoch's, which other processes of this run may still be opening.
                shutil.rmtree(folder_of(epoch - 2), ignore_errors=True)
    except OSError as error:
        raise ResourceError(
            f"cannot write the sampled pieces to '{prepared.folder}': {error.strerror or error}; "
            f"{write_remedy(error)}."
        ) from None
    return TokenStore.open(folder) if store is None else store


def _write_sampled(prepared: Prepared, epoch: int, folder: Path, sampling: float, seed: int) -> None:
    data, subwords = prepared.data, prepared.subwords
    source, target = (side.sampler(prepared.kind, sampling) for side in (subwords.source, subwords.target))
    is_kept = np.fromfile(prepared.folder / KEPT, np.uint8).astype(bool)
    largest = max(subwords.source.size, subwords.target.size) - 1
    start = 0
    form = subwords.source.form
    with TokenStoreWriter(folder, largest) as store:
        for corpus in data.training_corpora():
            tag = tag_pieces(subwords.source, corpus.tag)
            for chunk in chunks_of(read_parallel(*corpus.sides())):
                kept = is_kept[start : start + len(chunk.pairs)]
                numbered = list(itertools.compress(enumerate(chunk.pairs, start), kept))
                start += len(chunk.pairs)
                # Each line has its own seed, so that no draw depends on where a chunk or a process begins.
                store.write(
                    [
                        [
                            *tag,
                            *source(
                                form.learning_source(line, number), sentence_seed(seed, epoch, number, 0)
                            ),
                        ]
                        if data.is_paired
                        else []
                        for number, (line, _) in numbered
                    ],
                    [target(line, sentence_seed(seed, epoch, number, 1)) for number, (_, line) in numbered],
                )
    if start != len(is_kept):
        paths = data.training_files()
        raise DataError(
            f"'{paths[0]}' has changed since it was prepared; rerun the command."
            if len(paths) == 2
            else "the training text has changed since it was prepared; rerun the command.",
            path=paths[0],
        )


def _store_in(folder: Path) -> TokenStore | None:
    try:
        return TokenStore.open(folder)
    except DataError:
        return None
