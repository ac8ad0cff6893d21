"""Files of API keys."""

from __future__ import annotations

import pytest

from nmt_lstm.errors import ConfigurationError
from nmt_lstm.server.keys import KeyFile, digest


def test_keys_are_not_in_their_file(tmp_path) -> None:
    file = KeyFile(tmp_path / "keys.toml")
    key = file.add("me", rate=5)
    (read,) = file.read()
    assert (read.name, read.rate, read.sha256) == ("me", 5, digest(key))
    assert key not in file.path.read_text()
    assert file.path.stat().st_mode & 0o077 == 0
    assert file.add("you") != key
    file.remove("me")
    assert [each.name for each in file.read()] == ["you"]


@pytest.mark.parametrize(
    "content",
    [
        "[[key]]\nname = 'a'\n",
        "[[key]]\nname = 'a'\nsha256 = 'x'\n",
        "keys = 1\n",
        "[",
        "[[key]]\nname = 'a b'\n",
    ],
)
def test_a_file_that_has_no_keys_is_named(tmp_path, content) -> None:
    path = tmp_path / "keys.toml"
    path.write_text(content)
    with pytest.raises(ConfigurationError, match=r"keys\.toml"):
        KeyFile(path).read()


@pytest.mark.parametrize("content", [b"[", b"\xff"])
def test_a_broken_file_of_keys_is_not_called_a_run_file(tmp_path, content) -> None:
    path = tmp_path / "keys.toml"
    path.write_bytes(content)
    with pytest.raises(ConfigurationError, match=r"key file '.*keys\.toml'") as caught:
        KeyFile(path).read()
    assert "run file" not in str(caught.value)


def test_two_keys_of_one_name_are_refused(tmp_path) -> None:
    path = tmp_path / "keys.toml"
    path.write_text(f"[[key]]\nname = 'a'\nsha256 = '{'0' * 64}'\n" * 2)
    with pytest.raises(ConfigurationError, match="two keys"):
        KeyFile(path).read()
