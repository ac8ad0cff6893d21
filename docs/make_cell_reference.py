"""Write docs/cells.md, the reference of all registered cells: ``python docs/make_cell_reference.py [--check]``.

With --check nothing is written; the exit status tells whether the page is up to date.

Installed distributions register their cells, so install those in plugins first:
``pip install --no-deps plugins/*``.
"""

from __future__ import annotations

import inspect
import sys
import textwrap
from pathlib import Path

from nmt_lstm.lab.cell_facts import cell_facts
from nmt_lstm.registry import CELLS, Entry

HERE = Path(__file__).resolve().parent
HEAD = """\
# Cells

Every cell of nmt-lstm and of the distributions in [plugins](../plugins), from the documentation of its class, with default
options. I is the width of the inputs, and H the hidden width. Products are counted in multiply-adds for one row (one
sentence in one direction) and one step; products with the inputs, which contain I, are computed for all steps at once.
`nmt-lstm plugins show NAME` prints the same for any cell, with its source.
"""


def main() -> None:
    """Write the page, or compare it with the one that exists."""
    entries = sorted(
        CELLS.entries(), key=lambda entry: (entry.distribution != "nmt-lstm", entry.distribution)
    )
    text = "\n".join([HEAD, *(section(entry) for entry in entries)])
    page = HERE / "cells.md"
    if "--check" not in sys.argv[1:]:
        page.write_text(text, encoding="utf-8")
    elif page.read_text(encoding="utf-8") != text:
        sys.exit("docs/cells.md is out of date; run: python docs/make_cell_reference.py")


def section(entry: Entry) -> str:
    """Return the section about one cell."""
    part = CELLS.get(entry.name)
    facts = "\n".join(f"| {name} | {value} |" for name, value in cell_facts(part))
    table = f"| | |\n|---|---|\n| class | `{part.__name__}`, from {entry.distribution} |\n{facts}"
    return f"## {entry.name}\n\n{description(inspect.getdoc(part) or '')}\n\n{table}\n"


def description(documentation: str) -> str:
    """Return the documentation of a class without its arguments, with indented blocks as code."""
    paragraphs = documentation.split("\nArgs:")[0].strip().split("\n\n")
    return "\n\n".join(
        f"```\n{textwrap.dedent(paragraph)}\n```"
        if paragraph.startswith("    ")
        else paragraph.replace("::", ":")
        for paragraph in paragraphs
    )


if __name__ == "__main__":
    main()
