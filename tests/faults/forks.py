"""Run commands of ``nmt-lstm`` as processes of their own that need not import its libraries again: ``python forks.py``.

Each line of stdin is a JSON object with a command; the process forks, and the child runs it. The answer is two lines: the
id of the child, and the status with which it ended. Importing takes most of the time of a short command.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any

from killed import arm_within


def run(order: dict[str, Any]) -> None:
    """Run a command in this process, which is a session of its own, and end it."""
    os.setsid()  # so that the processes it starts are killed with it, as when a machine stops
    os.chdir(order["folder"])
    for number in (1, 2):
        file = os.open(f"{order['output']}.{number}", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(file, number)
    sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115 - it is open to the end
    sys.stderr = open(2, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.argv = ["nmt-lstm", *order["words"]]
    if order["kill"]:
        arm_within(*order["kill"])
    from nmt_lstm.cli.app import main

    status = main(order["words"])
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


def serve() -> None:
    """Fork for each order."""
    import nmt_lstm.inference.translator
    import nmt_lstm.lab.leaderboard.board
    import nmt_lstm.training.fit  # noqa: F401

    for line in sys.stdin:
        child = os.fork()
        if not child:
            try:
                run(json.loads(line))
            finally:
                os._exit(99)
        print(child, flush=True)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


if __name__ == "__main__":
    serve()
