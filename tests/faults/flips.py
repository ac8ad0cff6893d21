"""Damaging one file after the other of a folder, and comparing what the command that reads them does with it."""

from __future__ import annotations

import contextlib
import io
import os
import random
import shutil
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from nmt_lstm.cli.app import main

FLIPS = int(os.environ.get("NMT_LSTM_FLIPS", "12"))


@dataclass(frozen=True)
class Outcome:
    """What a command did."""

    status: int
    said: str
    result: object


def quiet_main(*arguments: object) -> tuple[int, str, bytes]:
    """Run a command in this process, and return its status and what it wrote to stderr and stdout."""
    errors, written = io.StringIO(), io.BytesIO()
    output = io.TextIOWrapper(written, encoding="utf-8")
    with contextlib.redirect_stderr(errors), contextlib.redirect_stdout(output):
        status = main([str(argument) for argument in arguments])
        output.flush()
        return status, errors.getvalue(), written.getvalue()


def prepared_once(*arguments: object) -> None:
    status, errors, _ = quiet_main(*arguments)
    assert status == 0, errors


def damaged(draw: random.Random, content: bytes, *, cut: bool) -> tuple[bytes, str]:
    """Return the content with a flipped bit, or without its end, and what was done."""
    if cut and draw.random() < 0.1:
        size = draw.randrange(len(content))
        return content[:size], f"cut after {size:,} bytes"
    at, bit = draw.randrange(len(content)), draw.randrange(8)
    changed = bytearray(content)
    changed[at] ^= 1 << bit
    return bytes(changed), f"bit {bit} of byte {at:,}"


def check_kind(
    name: str,
    folder: Path,
    read: Callable[[Path], Outcome],
    counted: Callable[[str], None],
    *,
    files: Callable[[Path], bool] = lambda _: True,
    cut: bool = True,
) -> None:
    """Damage the files of a folder one after the other, and read each.

    Args:
        name: of the kind, for the summary.
        folder: with the sound files; it is copied for each damage.
        read: runs the command that reads the folder.
        counted: adds to the summary.
        files: which of them.
        cut: also remove the end of files.
    """
    draw, counts, problems = random.Random(name), Counter[str](), list[str]()
    copy = folder.with_name(f"{folder.name}-damaged")

    def fresh() -> Path:
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(folder, copy, symlinks=True)
        return copy

    sound = read(fresh())
    assert sound.status == 0, sound.said
    assert read(fresh()).result == sound.result, "the command is not repeatable"
    names = sorted(
        str(path.relative_to(folder))
        for path in folder.rglob("*")
        if path.is_file() and files(path) and path.stat().st_size and not path.name.startswith(".")
    )
    for number in range(FLIPS):
        # Every file is met, whatever its size.
        path = fresh() / names[number % len(names)]
        content, what = damaged(draw, path.read_bytes(), cut=cut)
        path.write_bytes(content)
        outcome = read(copy)
        where = f"{path.relative_to(copy)}, {what}"
        named = path.name in outcome.said or str(path.parent) in outcome.said
        if "Traceback" in outcome.said:
            problems.append(f"{where}: {outcome.said}")
        elif outcome.status:
            counts["refused by name"] += named
            if not named:
                problems.append(f"{where}: refused without its name: {outcome.said}")
        elif outcome.result == sound.result:
            counts["named, and harmless" if path.name in outcome.said and path.name not in sound.said else "harmless"] += 1  # fmt: skip
        elif (path.suffix == ".csv" or path.name.startswith("step-")) and path.name in outcome.said:
            counts["named in a warning"] += 1
        else:
            problems.append(f"{where}: accepted silently: {outcome.said}")
    described = ", ".join(f"{count} {what}" for what, count in sorted(counts.items()) if count)
    counted(f"{len(problems)} of {FLIPS} damaged files accepted silently: {name} ({described})")
    assert not problems, "\n".join(problems)
