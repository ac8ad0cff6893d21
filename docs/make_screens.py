"""Makes docs/images/quickstart.svg: records a real quickstart in a pseudo-terminal, and exports it with rich.

Only two sample translations of each group are shown; everything else is the unchanged output.
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
    """Run a command in a pseudo-terminal of WIDTH columns and return its output."""
    controller, terminal = pty.openpty()
    environment = {**os.environ, "COLUMNS": str(WIDTH), "LINES": "50", "TERM": "xterm-256color"}
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=terminal, stderr=terminal, env=environment
    )
    os.close(terminal)
    output = b""
    while True:
        try:
            data = os.read(controller, 65_536)
        except OSError:
            break
        if not data:
            break
        output += data
    if process.wait():
        raise SystemExit(f"{' '.join(command)} failed:\n{output.decode(errors='replace')}")
    return output.decode("utf-8", errors="replace")


def final_lines(output: str) -> list[str]:
    """Return the lines on the terminal at the end: lines that a progress bar redraws have their last state."""
    lines: list[str] = [""]
    row = 0
    for token in re.split(r"(\x1b\[[0-9;?]*[A-Za-z]|\r\n|\n|\r)", output):
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
    """Return the lines with only the first samples of each group, and without repeated blank lines."""
    shown: list[str] = []
    count = 0
    for line in lines:
        plain = re.sub(r"\x1b\[[0-9;]*m", "", line)
        if re.match(r"\d\. ", plain):
            count = 0
        count += plain.startswith("   source ")
        is_sample = plain.startswith(("   source ", "   translation ", "   reference "))
        is_repeated_blank = not plain and shown and not shown[-1]
        if not (is_sample and count > samples) and not is_repeated_blank:
            shown.append(line)
    return shown[: len(shown) - (not shown[-1])]


def with_wide_characters(svg: str) -> str:
    """Remove the width of texts with wide characters: rich assumes one column for each character."""
    from rich.cells import cell_len

    def without_width(match: re.Match[str]) -> str:
        text = html.unescape(match[3])
        return match[0] if cell_len(text) == len(text) else f"{match[1]}{match[2]}>{match[3]}</text>"

    return re.sub(r'(<text [^>]*?)textLength="[\d.]+" ([^>]*)>([^<]*)</text>', without_width, svg)


def main() -> None:
    """Run quickstart and write the image."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, default=Path(__file__).parent / "images" / "quickstart.svg")
    parser.add_argument("--samples", type=int, default=2, help="sample translations to show of each group")
    options = parser.parse_args()

    from rich.console import Console
    from rich.text import Text

    with tempfile.TemporaryDirectory() as folder:
        script = str(Path(sys.executable).with_name("nmt-lstm"))
        output = record([script, "quickstart", "-o", str(Path(folder) / "quickstart")])
    output = output.replace(folder, "runs")
    console = Console(record=True, width=WIDTH, file=open(os.devnull, "w"))  # noqa: PTH123, SIM115
    console.print(Text("$ nmt-lstm quickstart", style="bold"))
    for line in abridged(final_lines(output), options.samples):
        console.print(Text.from_ansi(line))
    options.output.parent.mkdir(parents=True, exist_ok=True)
    svg = console.export_svg(title="nmt-lstm quickstart")
    options.output.write_text(with_wide_characters(svg), encoding="utf-8")


if __name__ == "__main__":
    main()
