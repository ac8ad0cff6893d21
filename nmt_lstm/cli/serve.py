"""``nmt-lstm serve``: models as a translation server."""

from __future__ import annotations

import ipaddress

from nmt_lstm.cli.arguments import BatchSize, Device, Plugins, Precision, PrecisionName, TrustPlugins
from nmt_lstm.cli.messages import note
from nmt_lstm.cli.serve_options import (
    AccessLogFile,
    AlternativesLimit,
    BatchLimit,
    BodyLimit,
    CharLimit,
    Connections,
    Host,
    Keys,
    LogTexts,
    Port,
    Proxies,
    QueueLimit,
    Rate,
    ReadLimit,
    Reload,
    ServedModel,
    Threads,
    TimeLimit,
    WholeLines,
    Workers,
)
from nmt_lstm.errors import ConfigurationError, ResourceError
from nmt_lstm.extras import install_command
from nmt_lstm.plain_text import count_of

__all__ = ["serve"]

NO_LOG = "none"
EPILOG = """\b
Examples:
  nmt-lstm serve -m builtin:en-ja
  nmt-lstm serve -m runs/de-en -m runs/en-de --workers 2
  nmt-lstm serve -m de-en=runs/base --port 8080
  nmt-lstm serve -m runs/de-en --host 0.0.0.0 --keys keys.toml
\b
Ask it:
  curl -d q="Tom is tall." -d source=en -d target=ja localhost:5000/translate
\b
Interfaces:
  LibreTranslate     /translate, /languages, /detect, /health, /spec
  OpenNMT-py         /translator/translate
  marian-server      a websocket at /translate
  Prometheus         /metrics"""


def serve(
    model: ServedModel,
    host: Host = "127.0.0.1",
    port: Port = 5000,
    workers: Workers = None,
    threads: Threads = 1,
    batch_size: BatchSize = 64,
    whole_lines: WholeLines = False,
    reload: Reload = True,
    char_limit: CharLimit = 10_000,
    batch_limit: BatchLimit = 1_000,
    alternatives_limit: AlternativesLimit = 20,
    body_limit: BodyLimit = 1_000_000,
    queue_limit: QueueLimit = 1_000_000,
    time_limit: TimeLimit = 60.0,
    read_limit: ReadLimit = 20.0,
    connections: Connections = 1_000,
    keys: Keys = None,
    rate: Rate = 0,
    proxy: Proxies = None,
    access_log: AccessLogFile = "-",
    log_texts: LogTexts = False,
    precision: Precision = PrecisionName.auto,
    device: Device = "auto",
    plugin: Plugins = None,
    trust_plugins: TrustPlugins = False,
) -> None:
    """Serve models to programs, browsers and translators' tools.

    The server speaks like LibreTranslate, so programs for LibreTranslate can use your models. It also speaks like the servers
    of OpenNMT-py and Marian.
    """
    _require_packages()
    from nmt_lstm.numerics.device import check_device_name
    from nmt_lstm.numerics.threads import usable_cores
    from nmt_lstm.server.models import served_models
    from nmt_lstm.server.run import is_loopback
    from nmt_lstm.server.run import serve as run_server
    from nmt_lstm.server.settings import Limits, LoadOptions, ServerSettings

    if log_texts and access_log == NO_LOG:
        raise ConfigurationError(
            "--log-texts writes to the access log; remove it, or --access-log none.", key="--log-texts"
        )
    for address in proxy or ():
        _check_proxy(address)
    check_device_name(device)
    models = served_models(model)
    settings = ServerSettings(
        host=host,
        port=port,
        # Several workers on a GPU would each have a copy of the model in its memory.
        workers=workers or (1 if device.startswith("cuda") else max(1, usable_cores() // threads)),
        batch_size=batch_size,
        limits=Limits(
            characters=char_limit,
            texts=batch_limit,
            alternatives=alternatives_limit,
            body_bytes=body_limit,
            queue_characters=queue_limit,
            seconds=time_limit,
            reading_seconds=read_limit,
            connections=connections,
            rate=rate,
        ),
        loading=LoadOptions(
            device=device,
            precision=precision.value,
            plugins=tuple(plugin or ()),
            trust_plugins=trust_plugins,
            split_sentences=not whole_lines,
            threads=threads,
        ),
        keys=keys,
        proxies=tuple(proxy or ()),
        access_log=None if access_log == NO_LOG else access_log,
        log_texts=log_texts,
        reload_seconds=2.0 if reload else 0.0,
    )
    if not is_loopback(host) and keys is None:
        note(
            f"nmt-lstm: warning: anyone who can reach '{host}' may use this server; --keys FILE asks for API keys "
            f"(see 'nmt-lstm api-keys --help')."
        )

    def ready(address: str) -> None:
        pairs = ", ".join(f"{each.source}-{each.target} ({each.name})" for each in models)
        note(
            f"Serving {pairs} at {address} with {count_of(settings.workers, 'worker')}. Press ctrl-C to stop."
        )

    run_server(models, settings, ready)
    note("The server has stopped.")


def _check_proxy(address: str) -> None:
    try:
        ipaddress.ip_network(address)
    except ValueError:
        raise ConfigurationError(
            f"--proxy '{address}' must be an address or a network, such as 127.0.0.1 or 10.0.0.0/8.",
            key="--proxy",
            value=address,
        ) from None


def _require_packages() -> None:
    try:
        import py3langid  # noqa: F401
        import sentencex  # noqa: F401
        import starlette  # noqa: F401
        import uvicorn  # noqa: F401
        import websockets  # noqa: F401
    except ImportError as problem:
        raise ResourceError(
            f"serve needs the package {problem.name}, which is not installed: {install_command('serve')}",
            value=problem.name,
        ) from problem
