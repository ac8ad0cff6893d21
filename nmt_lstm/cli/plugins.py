"""``nmt-lstm plugins``: which cells and attentions there are, where they come from, and what they compute."""

from __future__ import annotations

import inspect
import shutil
import textwrap
from typing import TYPE_CHECKING, Annotated

import typer

from nmt_lstm.cli import plugin_check, plugin_new
from nmt_lstm.cli.arguments import Plugins, load_plugins
from nmt_lstm.cli.messages import say
from nmt_lstm.cli.plugin_names import named_parts, short_origin
from nmt_lstm.plain_text import columns

if TYPE_CHECKING:
    from nmt_lstm.registry import Registry

__all__ = ["app"]

EXAMPLE = """\b
Examples:
  nmt-lstm plugins
  nmt-lstm plugins show lstm
  nmt-lstm plugins check lstm
  nmt-lstm plugins new my-cell
  nmt-lstm plugins --plugin my_cell.py"""

app = typer.Typer(
    help="List cells and attentions, show or check one, begin a new one.", rich_markup_mode=None
)
app.command("check", epilog=plugin_check.EXAMPLE)(plugin_check.check)
app.command("new", epilog=plugin_new.EXAMPLE)(plugin_new.new)


@app.callback(invoke_without_command=True)
def list_plugins(context: typer.Context, plugin: Plugins = None) -> None:
    """List cells and attentions with their origin; show or check one; begin a new one."""
    load_plugins(plugin)
    if context.invoked_subcommand is not None:
        return
    from nmt_lstm.registry import ATTENTIONS, CELLS

    for heading, registry in (("Cells", CELLS), ("Attentions", ATTENTIONS)):
        say(f"{heading}\n{listing(registry)}\n")
    say("'nmt-lstm plugins show NAME' shows options, equations and source.")


@app.command("show", epilog="\b\nExamples:\n  nmt-lstm plugins show lstm\n  nmt-lstm plugins show my_cell.py")
def show(
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME|FILE|package.module:Class",
            help="A registered cell or attention, a file or folder that registers some, or a class.",
        ),
    ],
    plugin: Plugins = None,
    source: Annotated[
        bool, typer.Option("--source/--no-source", help="Show the source text of the class.")
    ] = True,
) -> None:
    """Show a cell or an attention: options, equations, source."""
    load_plugins(plugin)
    from nmt_lstm.lab.cell_facts import cell_facts
    from nmt_lstm.registry import CELLS

    for registry, found, entry in named_parts(name):
        part = registry.get(found)
        options = "\n".join(f"  {spec}" for spec in registry.options(found).values()) or "  none"
        origin = f"{entry.origin}, {entry.target}" if entry else found
        say(f"{registry.kind} {found} ({origin})\n\n{inspect.getdoc(part) or 'No description.'}")
        say(f"\nOptions\n{options}")
        if registry is CELLS:
            say(
                f"\nFacts (I: width of the inputs, H: hidden width)\n{columns(cell_facts(part), indent='  ')}"
            )
        if source:
            try:
                text = inspect.getsource(part)
            except (OSError, TypeError):
                text = "not available\n"
            place = inspect.getsourcefile(part)
            say(f"\nSource: {place}\n{textwrap.indent(text, '  ').removesuffix(chr(10))}")


def listing(registry: Registry) -> str:
    """Return the parts of a registry as a table; a name with two origins is marked."""
    entries = registry.entries()
    if not entries:
        return "  none"
    names = [entry.name for entry in entries]
    rows = [
        (entry.name, short_origin(entry) + (" (name taken twice!)" if names.count(entry.name) > 1 else ""))
        for entry in entries
    ]
    table = columns(rows, indent="  ").split("\n")
    width = max(map(len, table)) + 2
    room = max(30, shutil.get_terminal_size().columns - width)
    lines = []
    for line, entry in zip(table, entries, strict=True):
        first, *rest = textwrap.wrap(entry.description, room) or [""]
        lines.append(f"{line.ljust(width)}{first}".rstrip())
        lines += [" " * width + more for more in rest]
    return "\n".join(lines)
