"""``nmt-lstm api-keys``: who may use a server."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nmt_lstm.cli.messages import note, say
from nmt_lstm.plain_text import columns

if TYPE_CHECKING:
    from nmt_lstm.server.keys import KeyFile

__all__ = ["app"]

EPILOG = """\b
Examples:
  nmt-lstm api-keys add weblate --rate 600
  nmt-lstm api-keys list
  nmt-lstm api-keys remove weblate
  nmt-lstm serve -m runs/de-en --keys keys.toml"""

app = typer.Typer(
    help="Add, list and remove the API keys of a server.", no_args_is_help=True, rich_markup_mode=None
)

File = Annotated[Path, typer.Option("--file", "-f", metavar="FILE", help="File of the keys.")]
Name = Annotated[str, typer.Argument(metavar="NAME", help="Whose key it is.")]


@app.command("add", epilog="\b\nExample:\n  nmt-lstm api-keys add weblate --rate 600")
def add(
    name: Name,
    file: File = Path("keys.toml"),
    rate: Annotated[
        int, typer.Option("--rate", min=0, metavar="N", help="Texts per minute; 0 is no limit.")
    ] = 0,
    char_limit: Annotated[
        int,
        typer.Option(
            "--char-limit", min=0, metavar="N", help="Characters of a text; 0 is the limit of the server."
        ),
    ] = 0,
) -> None:
    """Add a key and print it.

    The file has only a digest, so the key cannot be shown again. Servers that run notice the change.
    """
    key = _file(file).add(name, rate=rate, characters=char_limit)
    say(key)
    note(f"Keep this key: '{file}' has only its digest.")


@app.command("list", epilog="\b\nExample:\n  nmt-lstm api-keys list")
def list_keys(file: File = Path("keys.toml")) -> None:
    """List the names and limits of the keys."""
    rows = [
        (
            key.name,
            f"{key.rate:,}" if key.rate else "no limit",
            f"{key.characters:,}" if key.characters else "server's",
        )
        for key in _file(file).read()
    ]
    say(columns([("name", "texts per minute", "characters of a text"), *rows], right=(1, 2)))


@app.command("remove", epilog="\b\nExample:\n  nmt-lstm api-keys remove weblate")
def remove(name: Name, file: File = Path("keys.toml")) -> None:
    """Remove a key; servers that run refuse it from then on."""
    _file(file).remove(name)
    note(f"Removed '{name}' from '{file}'.")


def _file(path: Path) -> KeyFile:
    from nmt_lstm.server.keys import KeyFile

    return KeyFile(path)
