"""The built-in corpus is found where it was installed, or in the working copy, and missed with advice."""

from __future__ import annotations

import pytest

from nmt_lstm.corpora import builtin
from nmt_lstm.corpora.builtin import builtin_corpus_folder
from nmt_lstm.errors import DataError
from nmt_lstm.text.corpus import read_parallel


def test_it_is_there_with_all_its_files() -> None:
    folder = builtin_corpus_folder()
    for split in ("train", "valid", "test"):
        assert sum(1 for _ in read_parallel(folder / f"{split}.en", folder / f"{split}.ja")) >= 500


def test_the_installed_one_comes_first(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(builtin, "PACKAGE", tmp_path / "nmt_lstm")
    installed, beside = tmp_path / "nmt_lstm" / "corpora" / "builtin_enja", tmp_path / "data" / "builtin_enja"
    with pytest.raises(DataError, match="built-in corpus is not in '.*builtin_enja'. Install nmt-lstm again"):
        builtin_corpus_folder()
    for folder in (beside, installed):
        folder.mkdir(parents=True)
        (folder / "train.en").touch()
        assert builtin_corpus_folder() == folder
