"""``nmt-lstm plugins``: list the cells, attentions and encoders with their origin, and show what one computes."""

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

EPILOG = """\b
Examples:
  nmt-lstm plugins
  nmt-lstm plugins show lstm
  nmt-lstm plugins check lstm
  nmt-lstm plugins new my-cell
  nmt-lstm plugins --plugin my_cell.py"""

app = typer.Typer(help="List, show, check or create cells, attentions and encoders.", rich_markup_mode=None)
app.command("check", epilog=plugin_check.EPILOG)(plugin_check.check)
app.command("new", epilog=plugin_new.EPILOG)(plugin_new.new)


@app.callback(invoke_without_command=True)
def list_plugins(context: typer.Context, plugin: Plugins = None) -> None:
    """List, show, check or create cells, attentions and encoders."""
    load_plugins(plugin)
    if context.invoked_subcommand is not None:
        return
    from nmt_lstm.registry import REGISTRIES

    for registry in REGISTRIES:
        say(f"{registry.kind.capitalize()}s\n{listing(registry)}\n")
    say("For options, equations and source: nmt-lstm plugins show NAME")


@app.command("show", epilog="\b\nExamples:\n  nmt-lstm plugins show lstm\n  nmt-lstm plugins show my_cell.py")
def show(
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME|FILE|package.module:Class",
            help="Registered name, file or folder that registers parts, or class.",
        ),
    ],
    plugin: Plugins = None,
    source: Annotated[bool, typer.Option("--source/--no-source", help="Show the source code.")] = True,
) -> None:
    """Show the options, equations and source of a cell, attention or encoder."""
    load_plugins(plugin)
    from nmt_lstm.lab.cell_facts import cell_facts
    from nmt_lstm.registry import CELLS

    for registry, part_name, entry in named_parts(name):
        part = registry.get(part_name)
        options = "\n".join(f"  {spec}" for spec in registry.options(part_name).values()) or "  none"
        origin = f"{entry.origin}, {entry.target}" if entry else part_name
        say(f"{registry.kind} {part_name} ({origin})\n\n{inspect.getdoc(part) or 'No description.'}")
        say(f"\nOptions\n{options}")
        if registry is CELLS:
            say(f"\nProperties (I: input size, H: hidden size)\n{columns(cell_facts(part), indent='  ')}")
        if source:
            try:
                code = textwrap.indent(inspect.getsource(part), "  ").rstrip("\n")
                say(f"\nSource: {inspect.getsourcefile(part)}\n{code}")
            except (OSError, TypeError):  # a class of a notebook or an extension module
                say("\nSource: not available")


def listing(registry: Registry) -> str:
    """Return a table of the registered names, with a mark for a name with two origins."""
    entries = registry.entries()
    if not entries:
        return "  none"
    names = [entry.name for entry in entries]
    rows = [
        (entry.name, short_origin(entry) + (" (duplicate name)" if names.count(entry.name) > 1 else ""))
        for entry in entries
    ]
    table = columns(rows, indent="  ").split("\n")
    width = max(map(len, table)) + 2
    available = max(width + 30, shutil.get_terminal_size().columns)
    return "\n".join(
        textwrap.fill(
            entry.description, available, initial_indent=line.ljust(width), subsequent_indent=" " * width
        )
        or line
        for line, entry in zip(table, entries, strict=True)
    )
