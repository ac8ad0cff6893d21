"""What to do about an error of a write: a full disk, a used-up quota, a limit of the process, a read-only file system."""

from __future__ import annotations

import errno
import os

__all__ = ["is_write_error", "write_remedy"]

_CHOOSE = "choose a different folder"
_REMEDIES = {
    errno.ENOSPC: "free some disk space",
    errno.EDQUOT: "free some space in your disk quota",
    # Python ignores SIGXFSZ, so the limit of the process is an error like others.
    errno.EFBIG: "raise the limit for the size of a file (ulimit -f)",
    errno.EROFS: f"make the file system writable, or {_CHOOSE}",
    errno.EACCES: f"change its permissions, or {_CHOOSE}",
    errno.EPERM: f"change its permissions, or {_CHOOSE}",
}
_WRITES_ONLY = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS)


def write_remedy(error: OSError) -> str:
    """Return what to do about an error of a write, such as "free some disk space"."""
    return _REMEDIES.get(error.errno or 0, "check the disk")


def is_write_error(error: OSError) -> bool:
    """Whether the system reported an error that only writing can cause."""
    # The toolkit has the same number for files that are too large to read, with its own text.
    return error.errno in _WRITES_ONLY and error.strerror == os.strerror(error.errno)
