"""API keys: a file that names who may use a server, and has only digests of the keys."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

from pydantic import Field, ValidationError

from nmt_lstm.config.load import read_toml
from nmt_lstm.config.schema_base import Settings
from nmt_lstm.config.toml_writer import write_toml
from nmt_lstm.errors import ConfigurationError, nearest
from nmt_lstm.files.atomic import write_atomically

__all__ = ["ApiKey", "KeyFile", "digest", "new_key"]

PREFIX = "nmt-"
BYTES = 32
"""Of a key, drawn at random: so many cannot be guessed, and a plain digest of them cannot be reversed."""


class ApiKey(Settings):
    """Who has a key, and what it allows."""

    name: Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[\w.@-]+$")]
    """Of its owner, in the access log."""
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    """Digest of the key."""
    rate: Annotated[int, Field(ge=0)] = 0
    """Texts in a minute; 0 is no limit."""
    characters: Annotated[int, Field(ge=0)] = 0
    """Characters of a text; 0 is the limit of the server."""


class _Keys(Settings):
    key: tuple[ApiKey, ...] = Field((), strict=False)


def new_key() -> str:
    """Return a key that nobody has."""
    return PREFIX + secrets.token_urlsafe(BYTES)


def digest(key: str) -> str:
    """Return the digest of a key."""
    return hashlib.sha256(key.encode("utf-8", "replace")).hexdigest()


class KeyFile:
    """A file of keys.

    Args:
        path: it may not exist before the first key is added.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> tuple[ApiKey, ...]:
        """Return the keys.

        Raises:
            ConfigurationError: the file is missing, or is not a file of keys.
        """
        if not self.path.exists():
            raise ConfigurationError(
                f"key file '{self.path}' does not exist; add a key with: nmt-lstm api-keys add NAME --file {self.path}",
                path=self.path,
            )
        try:
            keys = _Keys.model_validate(read_toml(self.path, "key file")).key
        except ValidationError as problem:
            first = problem.errors()[0]
            place = ".".join(map(str, first["loc"]))
            raise ConfigurationError(
                f"'{self.path}' is not a file of API keys: {place}: {first['msg']}; 'nmt-lstm api-keys add' makes one.",
                path=self.path,
            ) from problem
        names = [key.name for key in keys]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise ConfigurationError(
                f"key file '{self.path}' has two keys named '{twice}'; remove one.",
                path=self.path,
                value=twice,
            )
        return keys

    def add(self, name: str, *, rate: int = 0, characters: int = 0) -> str:
        """Add a key, and return it: the file has only its digest.

        Raises:
            ConfigurationError: the name is taken or not allowed, or the file is not a file of keys.
        """
        keys = self.read() if self.path.exists() else ()
        if any(key.name == name for key in keys):
            raise ConfigurationError(
                f"'{self.path}' already has a key named '{name}'; remove it first, or choose a different name.",
                value=name,
            )
        key = new_key()
        try:
            added = ApiKey(name=name, sha256=digest(key), rate=rate, characters=characters)
        except ValidationError as problem:
            raise ConfigurationError(
                f"the name of a key is '{name}', but must be up to 100 letters, digits and characters of '._@-'.",
                key="NAME",
                value=name,
            ) from problem
        self._write([*keys, added])
        return key

    def remove(self, name: str) -> None:
        """Remove a key.

        Raises:
            ConfigurationError: there is none of that name, or the file is not a file of keys.
        """
        keys = self.read()
        names = [key.name for key in keys]
        if name not in names:
            known = f" Keys: {', '.join(names)}." if names else ""
            raise ConfigurationError(
                f"'{self.path}' has no key named '{name}'.{nearest(name, names)}{known}",
                value=name,
                known=names,
            )
        self._write([key for key in keys if key.name != name])

    def _write(self, keys: Iterable[ApiKey]) -> None:
        tables = [key.model_dump() for key in keys]
        write_atomically(self.path, write_toml({"key": tables}) if tables else "")
        # Others could not use the digests, but the names are nobody's business.
        self.path.chmod(0o600)
