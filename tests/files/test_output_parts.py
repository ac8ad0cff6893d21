"""Output in parts: complete or missing, never wrong, and only of the same job."""

from __future__ import annotations

import io

import pytest

from nmt_lstm.errors import ConfigurationError, DataError
from nmt_lstm.files.output_parts import JOB_FILE, Job, OutputParts

JOB = Job(lines=10, part_lines=4, facts={"--beam-size": "5", "the input": "abc"})
CONTENTS = [b"a\nb\nc\nd\n", b"e\nf\ng\nh\n", b"i\nj\n"]


@pytest.fixture
def parts(tmp_path) -> OutputParts:
    parts = OutputParts(tmp_path / "out", JOB)
    parts.begin()
    for number, content in enumerate(CONTENTS):
        parts.write(number, content)
    return parts


def merged(parts) -> bytes:
    stream = io.BytesIO()
    parts.merge(parts.output, stream)
    return stream.getvalue()


@pytest.mark.parametrize("shares", [1, 2, 3, 7])
def test_shares_contain_every_part_once(shares):
    job = Job(lines=21, part_lines=4, facts={})
    everything = [part for number in range(1, shares + 1) for part in job.share(number, shares)]
    assert sorted(everything) == list(range(6))
    assert [line for part in range(6) for line in job.line_range(part)] == list(range(21))


def test_parts_are_merged_in_order_whatever_the_order_of_writing(tmp_path):
    parts = OutputParts(tmp_path / "out", JOB)
    parts.begin()
    for number in (2, 0, 1):
        assert number in parts.missing()
        parts.write(number, CONTENTS[number])
    assert parts.missing() == []
    assert merged(OutputParts(tmp_path / "out", JOB)) == b"".join(CONTENTS)


def test_an_input_without_lines_has_no_parts(tmp_path):
    parts = OutputParts(tmp_path / "out", Job(lines=0, part_lines=4, facts={}))
    assert (parts.missing(), merged(parts)) == ([], b"")


@pytest.mark.parametrize("position", range(0, 300, 37))
def test_every_changed_byte_makes_a_part_missing(parts, position):
    path = sorted(parts.folder.glob("*.part"))[1]
    content = bytearray(path.read_bytes())
    content[position % len(content)] ^= 1
    path.write_bytes(content)
    assert parts.missing() == [1]
    with pytest.raises(DataError) as caught:
        merged(parts)
    assert (caught.value.path, caught.value.line) == (path, 5)


def test_a_part_in_the_wrong_place_or_of_another_job_is_missing(parts, tmp_path):
    first, second, third = sorted(parts.folder.glob("*.part"))
    second.write_bytes(first.read_bytes())
    other = OutputParts(tmp_path / "other", Job(lines=10, part_lines=4, facts={}))
    other.write(2, CONTENTS[2])
    third.write_bytes(next(other.folder.glob("*.part")).read_bytes())
    assert parts.missing() == [1, 2]


def test_parts_of_a_different_job_are_refused_with_the_differences(parts, tmp_path):
    changed = Job(lines=10, part_lines=4, facts={"--beam-size": "4", "the input": "abc", "--avoid": "x"})
    with pytest.raises(ConfigurationError) as caught:
        OutputParts(tmp_path / "out", changed)
    assert caught.value.value == ["--beam-size was 5, is 4", "--avoid was not given, is x"]
    assert parts.missing() == []


@pytest.mark.parametrize("content", [b"", b"{}", b"[1]", b"\xff", b'{"format": "x"}'])
def test_a_folder_without_a_job_is_refused(tmp_path, content):
    folder = tmp_path / "out.parts"
    folder.mkdir()
    (folder / JOB_FILE).write_bytes(content)
    with pytest.raises(DataError, match="no parts beside it") as caught:
        OutputParts(tmp_path / "out", JOB)
    assert caught.value.path == folder / JOB_FILE


def spoil(parts, content):
    path = parts.folder / JOB_FILE
    path.unlink() if content is None else path.write_bytes(content)
    return path


@pytest.mark.parametrize("content", [None, b"", b"{}", b"\xff"])
def test_a_damaged_job_is_written_again_if_intact_parts_belong_to_it(parts, caplog, content):
    before = (parts.folder / JOB_FILE).read_bytes()
    path = spoil(parts, content)
    second = sorted(parts.folder.glob("*.part"))[1]
    second.write_bytes(b"damaged")
    again = OutputParts(parts.output, JOB)
    assert str(path) in caplog.text
    assert again.missing() == [1]
    again.begin()
    assert path.read_bytes() == before
    assert again.missing() == [1]


@pytest.mark.parametrize("content", [None, b"{}"])
def test_a_damaged_job_with_parts_of_a_different_one_is_named_with_what_could_be_lost(parts, content):
    path = spoil(parts, content)
    other = Job(lines=10, part_lines=4, facts={})
    with pytest.raises(DataError, match="3 intact parts will be lost") as caught:
        OutputParts(parts.output, other)
    assert (caught.value.path, caught.value.value) == (path, {JOB.digest: 3})
    assert OutputParts(parts.output, JOB).missing() == []


def test_a_job_that_cannot_be_read_is_named(parts):
    path = spoil(parts, None)
    path.mkdir()
    with pytest.raises(DataError, match="cannot be read") as caught:
        OutputParts(parts.output, JOB)
    assert caught.value.path == path


def test_a_finished_output_is_remembered_and_verified(parts):
    assert not parts.output_is_intact()
    parts.output.write_bytes(merged(parts))
    parts.finish()
    assert [path.name for path in parts.folder.iterdir()] == [JOB_FILE]
    again = OutputParts(parts.output, JOB)
    assert again.output_is_intact()
    parts.output.write_bytes(b"something else\n")
    assert not again.output_is_intact()
    parts.output.unlink()
    assert not again.output_is_intact()


def test_a_folder_without_a_job_was_left_by_a_process_that_ended_at_once(tmp_path):
    folder = tmp_path / "out.parts"
    folder.mkdir()
    (folder / ".shard-1-of-1.lock").touch()
    parts = OutputParts(tmp_path / "out", JOB)
    parts.begin()
    assert parts.missing() == [0, 1, 2]
    (tmp_path / "other.parts").mkdir()
    (tmp_path / "other.parts" / "file").touch()
    with pytest.raises(DataError):
        OutputParts(tmp_path / "other", JOB).begin()
