"""Placing a public corpus: from files at hand or from its origin, checked, mended line by line, whole or not at all."""

from __future__ import annotations

import dataclasses
import gzip
import hashlib
import html

import pytest

from nmt_lstm.corpora import download
from nmt_lstm.corpora.prepare import CorpusFile, main, place_corpus
from nmt_lstm.errors import DataError, ResourceError

TEXTS = {"train.de": b"Ein Hund .\nZwei Katzen .\n" * 500, "train.en": b"A dog .\nTwo cats .\n" * 500}


def known(address: str, *, packed: bool, checked: bool = True) -> list[CorpusFile]:
    """What is known of the texts above."""
    return [
        CorpusFile(
            name,
            f"{address}/{name}{'.gz' if packed else ''}",
            1_000,
            hashlib.sha256(text).hexdigest() if checked else None,
        )
        for name, text in TEXTS.items()
    ]


@pytest.fixture(params=[True, False], ids=["packed", "plain"])
def packed(request, site) -> bool:
    for name, text in TEXTS.items():
        site.files[f"{name}.gz" if request.param else name] = gzip.compress(text) if request.param else text
    return request.param


def placed(folder) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def test_a_corpus_is_fetched_checked_and_unpacked(site, packed, tmp_path) -> None:
    said: list[str] = []
    place_corpus(known(site.address, packed=packed), tmp_path / "raw", say=said.append)
    assert placed(tmp_path / "raw") == TEXTS
    assert said == [f"{tmp_path / 'raw' / name}: 1,000 lines (checked)" for name in TEXTS]
    place_corpus(known(site.address, packed=packed), tmp_path / "raw", say=said.append)
    assert len(site.requests) == 2


def test_a_transfer_that_was_cut_is_gone_on_with(site, packed, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(download.time, "sleep", lambda _: None)
    site.cuts = [20]
    place_corpus(known(site.address, packed=packed)[:1], tmp_path)
    assert placed(tmp_path) == {"train.de": TEXTS["train.de"]}
    assert [asked for _, asked in site.requests] == ["", "bytes=20-"]


def test_another_text_at_the_origin_is_refused_and_not_kept(site, packed, tmp_path) -> None:
    other = TEXTS["train.de"].replace(b"Hund", b"Hahn")
    site.files = {name: gzip.compress(other) if packed else other for name in site.files}
    with pytest.raises(DataError, match=rf"sha256.* {hashlib.sha256(other).hexdigest()}"):
        place_corpus(known(site.address, packed=packed), tmp_path)
    assert placed(tmp_path) == {}
    assert list((tmp_path / "downloads").iterdir()) == []


def test_another_text_is_taken_where_that_is_asked_for(site, packed, tmp_path) -> None:
    other = TEXTS["train.de"].replace(b"Hund", b"Hahn")
    site.files = {name: gzip.compress(other) if packed else other for name in site.files}
    said: list[str] = []
    place_corpus(known(site.address, packed=packed)[:1], tmp_path, force=True, say=said.append)
    assert placed(tmp_path) == {"train.de": other}
    digest = hashlib.sha256(other).hexdigest()
    assert said[0].startswith(f"warning: train.de has the sha256 {digest} where")
    assert said[1].endswith(f"train.de: 1,000 lines (not checked: its sha256 is {digest})")


def test_a_download_that_is_no_archive_is_not_kept(site, tmp_path) -> None:
    site.files["train.de.gz"] = b"<html>Please log in</html>"
    with pytest.raises(DataError, match=r"downloads/train.de.gz' is not a .gz file"):
        place_corpus(known(site.address, packed=True), tmp_path)
    assert list((tmp_path / "downloads").iterdir()) == []
    site.files["train.de.gz"] = gzip.compress(TEXTS["train.de"])
    place_corpus(known(site.address, packed=True)[:1], tmp_path)
    assert placed(tmp_path) == {"train.de": TEXTS["train.de"]}


def test_a_file_missing_at_the_origin_is_named(site, tmp_path) -> None:
    with pytest.raises(DataError, match="Cannot fetch http://.*/train.de: the server answers 404"):
        place_corpus(known(site.address, packed=False), tmp_path)


@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_files_at_hand_are_taken_and_left_as_they_are(tmp_path, suffix) -> None:
    source = tmp_path / "here"
    source.mkdir()
    for name, text in TEXTS.items():
        (source / f"{name}{suffix}").write_bytes(gzip.compress(text) if suffix else text)
    before = placed(source)
    place_corpus(known("http://unused", packed=True), tmp_path / "raw", source=source)
    assert placed(tmp_path / "raw") == TEXTS
    assert placed(source) == before
    place_corpus(known("http://unused", packed=True), tmp_path / "raw", source=tmp_path / "raw")
    assert placed(tmp_path / "raw") == TEXTS


@pytest.mark.parametrize(
    "spoil", [lambda packed: packed[:-9], lambda packed: packed[:30] + b"\xff" * 9 + packed[39:]]
)
def test_a_damaged_archive_at_hand_is_refused_and_left(tmp_path, spoil) -> None:
    (tmp_path / "train.de.gz").write_bytes(spoil(gzip.compress(TEXTS["train.de"])))
    with pytest.raises(DataError, match="Cannot read '.*train.de.gz' after byte"):
        place_corpus(known("http://unused", packed=True), tmp_path / "raw", source=tmp_path)
    assert (tmp_path / "train.de.gz").exists()
    assert placed(tmp_path / "raw") == {}


def test_a_folder_that_lacks_a_file_is_told(tmp_path) -> None:
    with pytest.raises(
        DataError, match="none' has neither train.de nor train.de.gz; name the folder that has with --from"
    ):
        place_corpus(known("http://unused", packed=True), tmp_path / "raw", source=tmp_path / "none")


def test_an_optional_file_that_a_folder_lacks_is_left_out(site, tmp_path) -> None:
    (tmp_path / "train.de").write_bytes(TEXTS["train.de"])
    needed, optional = known(site.address, packed=False)
    files = [dataclasses.replace(optional, optional=True), needed]
    said: list[str] = []
    place_corpus(files, tmp_path / "raw", source=tmp_path, say=said.append)
    assert placed(tmp_path / "raw") == {"train.de": TEXTS["train.de"]}
    assert said[0] == f"train.en is not in {tmp_path} and left out; training does not need it"
    with pytest.raises(DataError, match="none' has neither train.en nor"):
        place_corpus(files, tmp_path / "raw", source=tmp_path / "none")
    site.files = dict(TEXTS)
    place_corpus(files, tmp_path / "fetched", say=said.append)
    assert placed(tmp_path / "fetched") == TEXTS


def test_another_number_of_lines_is_refused(tmp_path) -> None:
    (tmp_path / "train.de").write_bytes(TEXTS["train.de"] + b"more")
    files = known("http://unused", packed=True, checked=False)
    with pytest.raises(
        DataError, match=r"train.de has 1,001 lines where 1,000 are expected. Use --force to take it"
    ):
        place_corpus(files, tmp_path / "raw", source=tmp_path)
    assert placed(tmp_path / "raw") == {}
    said: list[str] = []
    place_corpus(files[:1], tmp_path / "raw", source=tmp_path, force=True, say=said.append)
    assert said[0] == "warning: train.de has 1,001 lines where 1,000 are expected."


def test_text_of_which_no_checksum_is_known_says_its_own(tmp_path) -> None:
    (tmp_path / "train.de").write_bytes(TEXTS["train.de"])
    said: list[str] = []
    files = known("http://unused", packed=True, checked=False)[:1]
    place_corpus(files, tmp_path / "raw", source=tmp_path, say=said.append)
    digest = hashlib.sha256(TEXTS["train.de"]).hexdigest()
    assert said == [f"{tmp_path / 'raw' / 'train.de'}: 1,000 lines (not checked: its sha256 is {digest})"]


def test_lines_are_mended_and_stay_lines(tmp_path) -> None:
    lines = ["It &apos;s &quot;fine&quot;", "", "a&#10;b &amp;#10; c", "Tr\u1ea7n\u2028x", "no end"]
    (tmp_path / "a.vi").write_bytes("\n".join(lines).encode())
    files = [CorpusFile("a.vi", "http://unused/a.vi", 5)]
    place_corpus(files, tmp_path / "raw", source=tmp_path, mend=html.unescape)
    assert (tmp_path / "raw" / "a.vi").read_bytes().decode().split("\n") == [
        'It \'s "fine"',
        "",
        "a b &#10; c",
        "Tr\u1ea7n\u2028x",
        "no end",
        "",
    ]


def test_text_to_mend_that_is_not_utf_8_is_told(tmp_path) -> None:
    (tmp_path / "a.vi").write_bytes(b"fine\nca\xe9\n")
    files = [CorpusFile("a.vi", "http://unused/a.vi", 2)]
    with pytest.raises(DataError, match="a.vi' is not UTF-8 at line 2, byte 3"):
        place_corpus(files, tmp_path / "raw", source=tmp_path, mend=html.unescape)
    assert placed(tmp_path / "raw") == {}


def test_a_place_that_cannot_be_written_is_told(tmp_path) -> None:
    (tmp_path / "train.de").write_bytes(TEXTS["train.de"])
    (tmp_path / "raw").write_text("in the way")
    files = known("http://unused", packed=True)[:1]
    with pytest.raises(ResourceError, match="Cannot make the folder '.*raw': File exists"):
        place_corpus(files, tmp_path / "raw", source=tmp_path)
    (tmp_path / "raw").unlink()
    (tmp_path / "raw" / "train.de").mkdir(parents=True)
    with pytest.raises(ResourceError, match="Cannot write '.*raw/train.de': Is a directory"):
        place_corpus(files, tmp_path / "raw", source=tmp_path)
    assert placed(tmp_path / "raw") == {}


def test_the_command_says_what_it_placed(tmp_path, capsys) -> None:
    for name, text in TEXTS.items():
        (tmp_path / name).write_bytes(text)
    arguments = ["--from", str(tmp_path), "--output", str(tmp_path / "out")]
    assert (
        main(known("http://unused", packed=True), tmp_path / "raw", name="a corpus", arguments=arguments) == 0
    )
    assert capsys.readouterr().out.splitlines() == [
        f"{tmp_path / 'out' / name}: 1,000 lines (checked)" for name in TEXTS
    ]
    assert not (tmp_path / "raw").exists()


def test_the_command_ends_with_one_line_and_a_status_where_it_cannot(tmp_path, capsys) -> None:
    with pytest.raises(SystemExit) as ended:
        main(
            known("http://unused", packed=True),
            tmp_path,
            name="a corpus",
            arguments=["--from", str(tmp_path)],
        )
    assert ended.value.code == 1
    answer = capsys.readouterr()
    assert answer.err.startswith("error: '")
    assert answer.err.count("\n") == 1
    assert answer.out == ""


def test_the_command_can_be_stopped(tmp_path, capsys) -> None:
    def stop(_: str) -> str:
        raise KeyboardInterrupt

    (tmp_path / "a").write_bytes(b"one line\n")
    files = [CorpusFile("a", "http://unused/a", 1)]
    with pytest.raises(SystemExit) as ended:
        main(files, tmp_path / "raw", name="a corpus", mend=stop, arguments=["--from", str(tmp_path)])
    assert ended.value.code == 130
    assert "the same command goes on from here" in capsys.readouterr().err
    assert placed(tmp_path / "raw") == {}
