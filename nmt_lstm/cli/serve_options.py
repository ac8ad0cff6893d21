"""Options of ``serve``: what requests may ask for, who may ask, and what is logged."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = [
    "AccessLogFile",
    "AlternativesLimit",
    "BatchLimit",
    "BodyLimit",
    "CharLimit",
    "Connections",
    "Host",
    "Keys",
    "LogTexts",
    "Port",
    "Proxies",
    "QueueLimit",
    "Rate",
    "ReadLimit",
    "Reload",
    "ServedModel",
    "Threads",
    "TimeLimit",
    "WholeLines",
    "Workers",
]

_LIMITS, _ACCESS, _WORK = "Limits", "Access", "Work"

ServedModel = Annotated[
    list[str],
    typer.Option(
        "--model",
        "-m",
        metavar="FOLDER",
        help="Model folder, or builtin:en-ja; repeat for several. de-en=FOLDER names its languages.",
    ),
]
Host = Annotated[
    str, typer.Option("--host", metavar="ADDRESS", help="Where to listen; by default for this machine only.")
]
Port = Annotated[
    int, typer.Option("--port", "-p", min=0, max=65_535, metavar="N", help="Port; 0 chooses a free one.")
]
Workers = Annotated[
    int | None,
    typer.Option(
        "--workers",
        "-w",
        min=1,
        metavar="N",
        help="Processes that translate. [default: one per core, or one on --device cuda]",
        rich_help_panel=_WORK,
    ),
]
Threads = Annotated[
    int,
    typer.Option("--threads", min=1, metavar="N", help="Threads of each worker.", rich_help_panel=_WORK),
]
WholeLines = Annotated[
    bool,
    typer.Option("--whole-lines", help="Do not split lines into sentences.", rich_help_panel=_WORK),
]
Reload = Annotated[
    bool,
    typer.Option(
        "--reload/--no-reload",
        help="Load a model again when its folder changes.",
        rich_help_panel=_WORK,
    ),
]
CharLimit = Annotated[
    int,
    typer.Option("--char-limit", min=1, metavar="N", help="Characters of a text.", rich_help_panel=_LIMITS),
]
BatchLimit = Annotated[
    int,
    typer.Option(
        "--batch-limit", min=1, metavar="N", help="Texts of a list in a request.", rich_help_panel=_LIMITS
    ),
]
AlternativesLimit = Annotated[
    int,
    typer.Option(
        "--alternatives-limit",
        min=0,
        metavar="N",
        help="Alternatives of a text. The beam has at most as many as its size.",
        rich_help_panel=_LIMITS,
    ),
]
BodyLimit = Annotated[
    int,
    typer.Option("--body-limit", min=1_000, metavar="N", help="Bytes of a request.", rich_help_panel=_LIMITS),
]
QueueLimit = Annotated[
    int,
    typer.Option(
        "--queue-limit",
        min=1,
        metavar="N",
        help="Characters that may wait; more are answered by status 503.",
        rich_help_panel=_LIMITS,
    ),
]
TimeLimit = Annotated[
    float,
    typer.Option(
        "--time-limit",
        min=0.1,
        metavar="SECONDS",
        help="For a request; then its status is 503.",
        rich_help_panel=_LIMITS,
    ),
]
ReadLimit = Annotated[
    float,
    typer.Option(
        "--read-limit",
        min=0.1,
        metavar="SECONDS",
        help="For a request to arrive; then its connection is closed.",
        rich_help_panel=_LIMITS,
    ),
]
Connections = Annotated[
    int,
    typer.Option(
        "--connections",
        min=1,
        metavar="N",
        help="Connections at the same time; more are answered by status 503.",
        rich_help_panel=_LIMITS,
    ),
]
Rate = Annotated[
    int,
    typer.Option(
        "--rate",
        min=0,
        metavar="N",
        help="Texts per minute of a client without a key; 0 is no limit.",
        rich_help_panel=_ACCESS,
    ),
]
Keys = Annotated[
    Path | None,
    typer.Option(
        "--keys",
        metavar="FILE",
        help="API keys, from 'nmt-lstm api-keys add'. Without --rate, requests need one.",
        rich_help_panel=_ACCESS,
    ),
]
Proxies = Annotated[
    list[str] | None,
    typer.Option(
        "--proxy",
        metavar="ADDRESS",
        help="Proxy whose X-Forwarded-For names the client, such as 127.0.0.1; repeatable.",
        rich_help_panel=_ACCESS,
    ),
]
AccessLogFile = Annotated[
    str,
    typer.Option(
        "--access-log",
        metavar="FILE",
        help="One JSON object per request; - is stdout, none is no log.",
        rich_help_panel="Log",
    ),
]
LogTexts = Annotated[
    bool,
    typer.Option("--log-texts", help="Write the texts to the access log, too.", rich_help_panel="Log"),
]
