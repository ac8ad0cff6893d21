"""Makes docs/images/quickstart.svg: a real quickstart, run in a terminal of our own and exported by rich.

Of the sample translations two of each group are kept; everything else stands as it was printed.
"""

from __future__ import annotations

import argparse
import html
import os
import pty
import re
import subprocess
import sys
import tempfile
from pathlib import Path

WIDTH = 120


def record(command: list[str]) -> str:
    """Run a command in a pseudo-terminal of WIDTH columns and return all it wrote."""
    controller, terminal = pty.openpty()
    environment = {**os.environ, "COLUMNS": str(WIDTH), "LINES": "50", "TERM": "xterm-256color"}
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=terminal, stderr=terminal, env=environment
    )
    os.close(terminal)
    written = b""
    while True:
        try:
            part = os.read(controller, 65_536)
        except OSError:
            break
        if not part:
            break
        written += part
    if process.wait():
        raise SystemExit(f"{' '.join(command)} failed:\n{written.decode(errors='replace')}")
    return written.decode("utf-8", errors="replace")


def final_lines(written: str) -> list[str]:
    """What stands on the terminal in the end: lines redrawn by a progress bar are replaced by their last state."""
    lines: list[str] = [""]
    row = 0
    for token in re.split(r"(\x1b\[[0-9;?]*[A-Za-z]|\r\n|\n|\r)", written):
        if token in ("\r\n", "\n"):
            row += 1
            lines.extend([""] * (row + 1 - len(lines)))
        elif token == "\r":
            lines[row] = ""
        elif token.endswith("A") and token.startswith("\x1b["):
            row = max(0, row - int(token[2:-1] or 1))
        elif token.startswith("\x1b[") and token.endswith("K"):
            lines[row] = ""
        elif token.startswith("\x1b[") and not token.endswith("m"):
            continue
        else:
            lines[row] += token
    return lines


def abridged(lines: list[str], samples: int) -> list[str]:
    """Return the lines with the first samples of each group, of four lines each, and without blank ends."""
    kept: list[str] = []
    shown = 0
    for line in lines:
        plain = re.sub(r"\x1b\[[0-9;]*m", "", line)
        if re.match(r"\d\. ", plain):
            shown = 0
        shown += plain.startswith("   source ")
        belongs = plain.startswith(("   source ", "   translation ", "   reference "))
        repeated = not plain and kept and not kept[-1]
        if not (belongs and shown > samples) and not repeated:
            kept.append(line)
    return kept[: len(kept) - (not kept[-1])]


def with_wide_characters(svg: str) -> str:
    """Let texts with wide characters be as long as they are: rich would squeeze each character into one place."""
    from rich.cells import cell_len

    def freed(match: re.Match[str]) -> str:
        text = html.unescape(match[3])
        return match[0] if cell_len(text) == len(text) else f"{match[1]}{match[2]}>{match[3]}</text>"

    return re.sub(r'(<text [^>]*?)textLength="[\d.]+" ([^>]*)>([^<]*)</text>', freed, svg)


def main() -> None:
    """Run quickstart and write the picture."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, default=Path(__file__).parent / "images" / "quickstart.svg")
    parser.add_argument("--samples", type=int, default=2, help="sample translations to keep of each group")
    options = parser.parse_args()

    from rich.console import Console
    from rich.text import Text

    with tempfile.TemporaryDirectory() as folder:
        script = str(Path(sys.executable).with_name("nmt-lstm"))
        written = record([script, "quickstart", "-o", str(Path(folder) / "quickstart")])
    written = written.replace(folder, "runs")
    console = Console(record=True, width=WIDTH, file=open(os.devnull, "w"))  # noqa: PTH123, SIM115
    console.print(Text("$ nmt-lstm quickstart", style="bold"))
    for line in abridged(final_lines(written), options.samples):
        console.print(Text.from_ansi(line))
    options.output.parent.mkdir(parents=True, exist_ok=True)
    svg = console.export_svg(title="nmt-lstm quickstart")
    options.output.write_text(with_wide_characters(svg), encoding="utf-8")


if __name__ == "__main__":
    main()
