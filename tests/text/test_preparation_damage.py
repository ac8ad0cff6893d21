"""Prepared text that is damaged or incomplete is prepared again."""

from __future__ import annotations

import contextlib
import shutil

import pytest

from nmt_lstm.errors import ResourceError
from nmt_lstm.text import pair_encoding, preparation, store_writing
from nmt_lstm.text.preparation import prepare

NAMES = (
    "kept",
    "prepared.json",
    "source.ids",
    "source.offsets",
    "store.json",
    "subwords.joint.model",
    "target.ids",
    "target.offsets",
)


def flipped(content: bytes) -> bytes:
    """The content with one bit in its middle changed."""
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 4]) + content[middle + 1 :]


DAMAGES = {
    "missing": lambda path: path.unlink(),
    "empty": lambda path: path.write_bytes(b""),
    "truncated": lambda path: path.write_bytes(path.read_bytes()[: path.stat().st_size // 2]),
    "a folder": lambda path: (path.unlink(), path.mkdir()),
    "flipped": lambda path: path.write_bytes(flipped(path.read_bytes())),
}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_folder_is_prepared_again(corpus, name, damage, caplog) -> None:
    folder = prepare(corpus.run()).folder
    sound = corpus.files(folder)
    assert set(sound) == set(NAMES)
    DAMAGES[damage](folder / name)
    prepared = prepare(corpus.run())
    assert not prepared.reused
    assert corpus.files(folder) == sound
    assert caplog.text.count("will be prepared again") == 1
    assert caplog.text.count("prepare") == caplog.text.count("prepared")  # no advice: it is already followed
    assert "[Errno" not in caplog.text
    assert name in caplog.text
    assert corpus.prepared_folders() == [folder.name]
    assert prepare(corpus.run()).reused


def test_an_empty_folder_or_a_file_of_its_name_is_replaced(corpus) -> None:
    folder = prepare(corpus.run()).folder
    shutil.rmtree(folder)
    folder.mkdir()
    assert not prepare(corpus.run()).reused
    shutil.rmtree(folder)
    folder.write_text("in the way")
    assert not prepare(corpus.run()).reused
    assert prepare(corpus.run()).reused


def test_an_interrupted_preparation_leaves_nothing(corpus, monkeypatch) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(pair_encoding.PairCleaner, "keeps", interrupt)
    with pytest.raises(KeyboardInterrupt):
        prepare(corpus.run())
    assert corpus.prepared_folders() == []


def test_the_unfinished_folder_of_a_killed_process_is_ignored(corpus) -> None:
    folder = prepare(corpus.run()).folder
    (folder / "prepared.json").unlink()
    folder.rename(folder.with_name(".unfinished-abc"))
    assert not prepare(corpus.run()).reused


def test_a_full_disk_is_an_error(corpus, monkeypatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(store_writing.TokenStoreWriter, "write_arrays", full)
    with pytest.raises(ResourceError, match="prepared': No space left .*data.prepared=FOLDER"):
        prepare(corpus.run())
    assert corpus.prepared_folders() == []


def test_text_that_cannot_be_read_back_is_an_error(corpus, monkeypatch, tmp_path) -> None:
    monkeypatch.setattr(preparation, "complete_folder", lambda *_: contextlib.nullcontext(tmp_path))
    with pytest.raises(ResourceError, match="cannot be read back"):
        prepare(corpus.run())
