"""Each cause of a failed write has its own remedy."""

from __future__ import annotations

import errno
import os

import pytest

from nmt_lstm.files.write_errors import is_write_error, write_remedy


@pytest.mark.parametrize(
    ("number", "word"),
    [
        (errno.ENOSPC, "free"),
        (errno.EDQUOT, "quota"),
        (errno.EFBIG, "ulimit -f"),
        (errno.EROFS, "file system"),
        (errno.EACCES, "permissions"),
        (errno.EIO, "check the disk"),
    ],
)
def test_the_remedy_follows_from_the_cause(number: int, word: str) -> None:
    assert word in write_remedy(OSError(number, os.strerror(number)))


def test_an_error_without_a_number_has_a_remedy() -> None:
    assert write_remedy(OSError("unknown")) == "check the disk"


def test_a_file_that_is_too_large_to_read_is_no_error_of_a_write() -> None:
    assert is_write_error(OSError(errno.EFBIG, os.strerror(errno.EFBIG)))
    assert not is_write_error(OSError(errno.EFBIG, "it is larger than 16 MiB"))
    assert not is_write_error(OSError(errno.EACCES, os.strerror(errno.EACCES)))
