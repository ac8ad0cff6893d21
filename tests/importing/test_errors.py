"""The exceptions of importing: all are documented, and can be pickled with what they list."""

from __future__ import annotations

import pickle
from pathlib import Path

import nmt_lstm.importing.errors
from nmt_lstm.errors import NmtLstmError
from nmt_lstm.importing.errors import (
    ImportingError,
    UnsafeFileError,
    UnsupportedModelError,
    UnsupportedOption,
)


def test_all_are_documented() -> None:
    assert issubclass(ImportingError, NmtLstmError)
    for kind in (ImportingError, *ImportingError.__subclasses__()):
        assert kind.__name__ in nmt_lstm.importing.errors.__doc__
        assert kind.exit_status == 1


def test_they_survive_pickling() -> None:
    options = [UnsupportedOption("copy_attn", True, "a copy mechanism")]
    for error in (
        UnsupportedModelError("Toolkit", options, path=Path("model.pt")),
        UnsafeFileError("unsafe", path=Path("model.pt"), known=["os.system"]),
    ):
        copy = pickle.loads(pickle.dumps(error))
        assert (type(copy), str(copy), vars(copy)) == (type(error), str(error), vars(error))


def test_each_unsupported_option_has_a_line() -> None:
    options = [UnsupportedOption("one", 1, "this"), UnsupportedOption("two", None, "that")]
    error = UnsupportedModelError("Toolkit", options, path=Path("model.pt"))
    assert str(error).splitlines()[1:] == ["  one = 1: needs this", "  two = None: needs that"]
    assert error.options == tuple(options)
