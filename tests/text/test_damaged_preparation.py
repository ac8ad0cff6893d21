"""Prepared text that was damaged, or not made whole, is not taken for whole."""

from __future__ import annotations

import contextlib
import shutil
from pathlib import Path

import pytest

from nmt_lstm.errors import ResourceError
from nmt_lstm.text import preparation
from nmt_lstm.text.preparation import prepare


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


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
    """The content with one bit of its middle changed."""
    place = len(content) // 2
    return content[:place] + bytes([content[place] ^ 4]) + content[place + 1 :]


DAMAGES = {
    "missing": lambda path: path.unlink(),
    "empty": lambda path: path.write_bytes(b""),
    "cut": lambda path: path.write_bytes(path.read_bytes()[: path.stat().st_size // 2]),
    "a folder": lambda path: (path.unlink(), path.mkdir()),
    "flipped": lambda path: path.write_bytes(flipped(path.read_bytes())),
}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_folder_is_made_anew(written, name, damage, caplog) -> None:
    folder = prepare(written.run()).folder
    sound = files(folder)
    assert set(sound) == set(NAMES)
    DAMAGES[damage](folder / name)
    prepared = prepare(written.run())
    assert not prepared.reused
    assert files(folder) == sound
    assert caplog.text.count("is damaged and prepared again: ") == 1
    assert written.prepared_folders() == [folder.name]
    assert prepare(written.run()).reused


def test_an_empty_folder_or_a_file_in_its_place_is_replaced(written) -> None:
    folder = prepare(written.run()).folder
    shutil.rmtree(folder)
    folder.mkdir()
    assert not prepare(written.run()).reused
    shutil.rmtree(folder)
    folder.write_text("in the way")
    assert not prepare(written.run()).reused
    assert prepare(written.run()).reused


def test_a_failure_on_the_way_leaves_nothing(written, monkeypatch) -> None:
    def stopped(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(preparation.PairCleaner, "keeps", stopped)
    with pytest.raises(KeyboardInterrupt):
        prepare(written.run())
    assert written.prepared_folders() == []


def test_what_a_killed_process_left_is_not_taken_for_prepared_text(written) -> None:
    folder = prepare(written.run()).folder
    (folder / "prepared.json").unlink()
    folder.rename(folder.with_name(".unfinished-abc"))
    assert not prepare(written.run()).reused


def test_a_full_disk_is_told(written, monkeypatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(preparation.TokenStoreWriter, "write", full)
    with pytest.raises(
        ResourceError,
        match="Cannot write the prepared text to '.*prepared': No space left .* --set data.prepared=FOLDER",
    ):
        prepare(written.run())
    assert written.prepared_folders() == []


def test_text_that_cannot_be_read_back_is_an_error(written, monkeypatch, tmp_path) -> None:
    monkeypatch.setattr(preparation, "complete_folder", lambda *_: contextlib.nullcontext(tmp_path))
    with pytest.raises(ResourceError, match="cannot be read back"):
        prepare(written.run())
