"""``nmt-lstm leaderboard rescore`` and ``verify``: is the board still what it says?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nmt_lstm.cli.messages import note, say

__all__ = ["Board", "rescore", "verify"]

Board = Annotated[Path, typer.Argument(metavar="BOARD", help="Folder of the board.")]


def rescore(
    board: Board,
    update: Annotated[
        bool,
        typer.Option(
            "--update", help="Score on the present test sets, and put new rows for those that change."
        ),
    ] = False,
) -> None:
    """Score every row again from its stored output, and report any that changes (status 1)."""
    from nmt_lstm.lab.leaderboard.board import Leaderboard

    opened = Leaderboard(board)
    count = len(opened.current())
    changes = opened.rescore(update=update)
    for change in changes:
        state = "updated" if change.updated else "not updated" if update else "changed"
        for what in change.what:
            say(f"{change.row.system} on {change.row.test_set}: {state}: {what}")
    note(f"{count:,} rows scored again; {len(changes):,} changed.")
    if any(not change.updated for change in changes):
        raise typer.Exit(1)


def verify(board: Board) -> None:
    """Check every row and every text against its checksum (status 1 if one is wrong)."""
    from nmt_lstm.lab.leaderboard.board import Leaderboard

    found = Leaderboard(board).verify()
    for problem in found.problems:
        say(problem)
    note(f"{found.rows:,} rows and {found.texts:,} texts checked; {len(found.problems):,} problems.")
    if found.problems:
        raise typer.Exit(1)
