"""``nmt-lstm serve``: models as a translation server."""

from __future__ import annotations

from typing import Annotated

import typer

from nmt_lstm.cli.arguments import Device, Plugins, Precision, PrecisionName, TrustPlugins
from nmt_lstm.cli.messages import note
from nmt_lstm.errors import ResourceError
from nmt_lstm.extras import install_command
from nmt_lstm.plain_text import count_of

__all__ = ["serve"]

EPILOG = """\b
Examples:
  nmt-lstm serve -m builtin:en-ja
  nmt-lstm serve -m runs/de-en -m runs/en-de --workers 2
  nmt-lstm serve -m de-en=runs/base --port 8080
\b
Ask it:
  curl -d q="Tom is tall." -d source=en -d target=ja localhost:5000/translate"""


def serve(
    model: Annotated[
        list[str],
        typer.Option(
            "--model",
            "-m",
            metavar="FOLDER",
            help="Model folder, or builtin:en-ja; repeatable. de-en=FOLDER names its languages.",
        ),
    ],
    host: Annotated[
        str,
        typer.Option("--host", metavar="ADDRESS", help="Where to listen; by default for this machine only."),
    ] = "127.0.0.1",
    port: Annotated[
        int, typer.Option("--port", "-p", min=0, max=65_535, metavar="N", help="Port; 0 chooses a free one.")
    ] = 5000,
    workers: Annotated[
        int | None,
        typer.Option(
            "--workers", "-w", min=1, metavar="N", help="Processes that translate. [default: one per core]"
        ),
    ] = None,
    precision: Precision = PrecisionName.auto,
    device: Device = "auto",
    plugin: Plugins = None,
    trust_plugins: TrustPlugins = False,
) -> None:
    """Serve models to programs, browsers and translators' tools.

    The server speaks like LibreTranslate, so programs for it can use your models.
    """
    _require_server()
    from nmt_lstm.numerics.device import check_device_name
    from nmt_lstm.numerics.threads import usable_cores
    from nmt_lstm.server.models import served_models
    from nmt_lstm.server.run import is_loopback
    from nmt_lstm.server.run import serve as run_server
    from nmt_lstm.server.settings import LoadOptions, ServerSettings

    check_device_name(device)
    models = served_models(model)
    settings = ServerSettings(
        host=host,
        port=port,
        workers=workers or usable_cores(),
        loading=LoadOptions(
            device=device, precision=precision.value, plugins=tuple(plugin or ()), trust_plugins=trust_plugins
        ),
    )
    if not is_loopback(host) and settings.keys is None:
        note(f"nmt-lstm: warning: anyone who reaches {host} can use this server; --keys asks for a key.")

    def ready(address: str) -> None:
        pairs = ", ".join(f"{each.source}-{each.target}" for each in models)
        note(
            f"Serving {pairs} at {address} with {count_of(settings.workers, 'worker')}. Press ctrl-C to stop."
        )

    run_server(models, settings, ready)
    note("Stopped.")


def _require_server() -> None:
    try:
        import py3langid  # noqa: F401
        import sentencex  # noqa: F401
        import starlette  # noqa: F401
        import uvicorn  # noqa: F401
        import websockets  # noqa: F401
    except ImportError as problem:
        raise ResourceError(
            f"serve needs the package {problem.name}, which is not installed: {install_command('serve')}"
        ) from problem
