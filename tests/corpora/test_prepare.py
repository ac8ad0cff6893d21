"""A public corpus is installed from local files or downloads, checked, and corrected line by line."""

from __future__ import annotations

import dataclasses
import gzip
import hashlib
import html

import pytest

from nmt_lstm.corpora import download
from nmt_lstm.corpora.prepare import CorpusFile, install_corpus, main
from nmt_lstm.errors import DataError, ResourceError

TEXTS = {"train.de": b"Ein Hund .\nZwei Katzen .\n" * 500, "train.en": b"A dog .\nTwo cats .\n" * 500}


def corpus_files(address: str, *, packed: bool, checked: bool = True) -> list[CorpusFile]:
    """The descriptions of the texts above."""
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
    """Whether the texts on the server are compressed."""
    for name, text in TEXTS.items():
        site.files[f"{name}.gz" if request.param else name] = gzip.compress(text) if request.param else text
    return request.param


def files_in(folder) -> dict[str, bytes]:
    """The contents of the files in a folder, by name."""
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def test_a_corpus_is_downloaded_checked_and_decompressed(site, packed, tmp_path) -> None:
    sentences: list[str] = []
    install_corpus(corpus_files(site.address, packed=packed), tmp_path / "raw", say=sentences.append)
    assert files_in(tmp_path / "raw") == TEXTS
    assert sentences == [f"{tmp_path / 'raw' / name}: 1,000 lines (checked)" for name in TEXTS]
    install_corpus(corpus_files(site.address, packed=packed), tmp_path / "raw", say=sentences.append)
    assert len(site.requests) == 2


def test_an_interrupted_transfer_is_resumed(site, packed, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(download.time, "sleep", lambda _: None)
    site.interruptions = [20]
    install_corpus(corpus_files(site.address, packed=packed)[:1], tmp_path)
    assert files_in(tmp_path) == {"train.de": TEXTS["train.de"]}
    assert [requested for _, requested in site.requests] == ["", "bytes=20-"]


def test_a_different_text_at_the_origin_is_removed(site, packed, tmp_path) -> None:
    other = TEXTS["train.de"].replace(b"Hund", b"Hahn")
    site.files = {name: gzip.compress(other) if packed else other for name in site.files}
    with pytest.raises(DataError, match=rf"SHA-256 .*{hashlib.sha256(other).hexdigest()}"):
        install_corpus(corpus_files(site.address, packed=packed), tmp_path)
    assert files_in(tmp_path) == {}
    assert list((tmp_path / "downloads").iterdir()) == []


def test_a_different_text_is_accepted_on_request(site, packed, tmp_path) -> None:
    other = TEXTS["train.de"].replace(b"Hund", b"Hahn")
    site.files = {name: gzip.compress(other) if packed else other for name in site.files}
    sentences: list[str] = []
    install_corpus(corpus_files(site.address, packed=packed)[:1], tmp_path, force=True, say=sentences.append)
    assert files_in(tmp_path) == {"train.de": other}
    digest = hashlib.sha256(other).hexdigest()
    assert sentences[0].startswith(f"warning: train.de has the SHA-256 {digest}")
    assert sentences[1].endswith(f"train.de: 1,000 lines (not checked: its SHA-256 is {digest})")


def test_a_download_in_the_wrong_format_is_removed(site, tmp_path) -> None:
    site.files["train.de.gz"] = b"<html>Please log in</html>"
    with pytest.raises(DataError, match="not a .gz file"):
        install_corpus(corpus_files(site.address, packed=True), tmp_path)
    assert list((tmp_path / "downloads").iterdir()) == []
    site.files["train.de.gz"] = gzip.compress(TEXTS["train.de"])
    install_corpus(corpus_files(site.address, packed=True)[:1], tmp_path)
    assert files_in(tmp_path) == {"train.de": TEXTS["train.de"]}


def test_a_missing_file_at_the_origin_is_named(site, tmp_path) -> None:
    with pytest.raises(DataError, match="/train.de: .* 404"):
        install_corpus(corpus_files(site.address, packed=False), tmp_path)


@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_local_files_are_used_and_not_changed(tmp_path, suffix) -> None:
    source = tmp_path / "local"
    source.mkdir()
    for name, text in TEXTS.items():
        (source / f"{name}{suffix}").write_bytes(gzip.compress(text) if suffix else text)
    before = files_in(source)
    install_corpus(corpus_files("http://unused", packed=True), tmp_path / "raw", source=source)
    assert files_in(tmp_path / "raw") == TEXTS
    assert files_in(source) == before
    install_corpus(corpus_files("http://unused", packed=True), tmp_path / "raw", source=tmp_path / "raw")
    assert files_in(tmp_path / "raw") == TEXTS


@pytest.mark.parametrize(
    ("damage", "word"),
    [
        (lambda packed: packed[:-9], "incomplete"),
        (lambda packed: packed[:30] + b"\xff" * 9 + packed[39:], "damaged"),
    ],
)
def test_a_damaged_local_archive_is_refused_and_kept(tmp_path, damage, word) -> None:
    (tmp_path / "train.de.gz").write_bytes(damage(gzip.compress(TEXTS["train.de"])))
    with pytest.raises(DataError, match=f"train.de.gz' is {word}"):
        install_corpus(corpus_files("http://unused", packed=True), tmp_path / "raw", source=tmp_path)
    assert (tmp_path / "train.de.gz").exists()
    assert files_in(tmp_path / "raw") == {}


def test_a_folder_without_a_required_file_is_refused(tmp_path) -> None:
    with pytest.raises(DataError, match="neither train.de nor train.de.gz"):
        install_corpus(corpus_files("http://unused", packed=True), tmp_path / "raw", source=tmp_path / "none")


def test_a_missing_optional_file_is_skipped(site, tmp_path) -> None:
    (tmp_path / "train.de").write_bytes(TEXTS["train.de"])
    needed, optional = corpus_files(site.address, packed=False)
    files = [dataclasses.replace(optional, optional=True), needed]
    sentences: list[str] = []
    install_corpus(files, tmp_path / "raw", source=tmp_path, say=sentences.append)
    assert files_in(tmp_path / "raw") == {"train.de": TEXTS["train.de"]}
    assert sentences[0] == f"train.en is missing from {tmp_path} and skipped; training does not need it"
    with pytest.raises(DataError, match="neither train.en nor"):
        install_corpus(files, tmp_path / "raw", source=tmp_path / "none")
    site.files = dict(TEXTS)
    install_corpus(files, tmp_path / "fetched", say=sentences.append)
    assert files_in(tmp_path / "fetched") == TEXTS


def test_the_wrong_number_of_lines_is_refused(tmp_path) -> None:
    (tmp_path / "train.de").write_bytes(TEXTS["train.de"] + b"more")
    files = corpus_files("http://unused", packed=True, checked=False)
    with pytest.raises(DataError, match="1,001 lines, but 1,000 are expected.*--force"):
        install_corpus(files, tmp_path / "raw", source=tmp_path)
    assert files_in(tmp_path / "raw") == {}
    sentences: list[str] = []
    install_corpus(files[:1], tmp_path / "raw", source=tmp_path, force=True, say=sentences.append)
    assert sentences[0] == "warning: train.de has 1,001 lines, but 1,000 are expected."


def test_the_checksum_of_text_without_a_known_one_is_reported(tmp_path) -> None:
    (tmp_path / "train.de").write_bytes(TEXTS["train.de"])
    sentences: list[str] = []
    files = corpus_files("http://unused", packed=True, checked=False)[:1]
    install_corpus(files, tmp_path / "raw", source=tmp_path, say=sentences.append)
    digest = hashlib.sha256(TEXTS["train.de"]).hexdigest()
    assert sentences == [
        f"{tmp_path / 'raw' / 'train.de'}: 1,000 lines (not checked: its SHA-256 is {digest})"
    ]


def test_corrected_lines_contain_no_line_breaks(tmp_path) -> None:
    lines = ["It &apos;s &quot;fine&quot;", "", "a&#10;b &amp;#10; c", "Tr\u1ea7n\u2028x", "no end"]
    (tmp_path / "a.vi").write_bytes("\n".join(lines).encode())
    files = [CorpusFile("a.vi", "http://unused/a.vi", 5)]
    install_corpus(files, tmp_path / "raw", source=tmp_path, fix_line=html.unescape)
    assert (tmp_path / "raw" / "a.vi").read_bytes().decode().split("\n") == [
        'It \'s "fine"',
        "",
        "a b &#10; c",
        "Tr\u1ea7n\u2028x",
        "no end",
        "",
    ]


def test_text_to_correct_must_be_utf_8(tmp_path) -> None:
    (tmp_path / "a.vi").write_bytes(b"fine\nca\xe9\n")
    files = [CorpusFile("a.vi", "http://unused/a.vi", 2)]
    with pytest.raises(DataError, match="not UTF-8 at line 2, byte 3"):
        install_corpus(files, tmp_path / "raw", source=tmp_path, fix_line=html.unescape)
    assert files_in(tmp_path / "raw") == {}


def test_a_folder_that_cannot_be_written_is_an_error(tmp_path) -> None:
    (tmp_path / "train.de").write_bytes(TEXTS["train.de"])
    (tmp_path / "raw").write_text("in the way")
    files = corpus_files("http://unused", packed=True)[:1]
    with pytest.raises(ResourceError, match="raw': File exists"):
        install_corpus(files, tmp_path / "raw", source=tmp_path)
    (tmp_path / "raw").unlink()
    (tmp_path / "raw" / "train.de").mkdir(parents=True)
    with pytest.raises(ResourceError, match="train.de': Is a directory"):
        install_corpus(files, tmp_path / "raw", source=tmp_path)
    assert files_in(tmp_path / "raw") == {}


def test_the_command_reports_the_installed_files(tmp_path, capsys) -> None:
    for name, text in TEXTS.items():
        (tmp_path / name).write_bytes(text)
    arguments = ["--from", str(tmp_path), "--output", str(tmp_path / "out")]
    assert (
        main(
            corpus_files("http://unused", packed=True), tmp_path / "raw", name="a corpus", arguments=arguments
        )
        == 0
    )
    assert capsys.readouterr().out.splitlines() == [
        f"{tmp_path / 'out' / name}: 1,000 lines (checked)" for name in TEXTS
    ]
    assert not (tmp_path / "raw").exists()


def test_an_error_of_the_command_is_one_line_with_a_status(tmp_path, capsys) -> None:
    with pytest.raises(SystemExit) as exit_:
        main(
            corpus_files("http://unused", packed=True),
            tmp_path,
            name="a corpus",
            arguments=["--from", str(tmp_path)],
        )
    assert exit_.value.code == 1
    output = capsys.readouterr()
    assert output.err.startswith("error: '")
    assert output.err.count("\n") == 1
    assert output.out == ""


def test_the_command_can_be_interrupted(tmp_path, capsys) -> None:
    def stop(_: str) -> str:
        raise KeyboardInterrupt

    (tmp_path / "a").write_bytes(b"one line\n")
    files = [CorpusFile("a", "http://unused/a", 1)]
    with pytest.raises(SystemExit) as exit_:
        main(files, tmp_path / "raw", name="a corpus", fix_line=stop, arguments=["--from", str(tmp_path)])
    assert exit_.value.code == 130
    assert "rerun the same command" in capsys.readouterr().err
    assert files_in(tmp_path / "raw") == {}
