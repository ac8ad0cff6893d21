"""Running a server: its socket, its workers, and its end without losing a request."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import logging
import signal
import socket
from collections.abc import Callable, Iterator

import uvicorn

from nmt_lstm.errors import ResourceError
from nmt_lstm.server.application import build_application
from nmt_lstm.server.models import ServedModels
from nmt_lstm.server.service import TranslationService
from nmt_lstm.server.settings import ServerSettings

__all__ = ["is_loopback", "serve"]

logger = logging.getLogger(__name__)


def serve(models: ServedModels, settings: ServerSettings, ready: Callable[[str], None]) -> None:
    """Serve until the process gets SIGTERM or SIGINT; what is being translated then is finished.

    Args:
        models: that are served.
        settings: of the server.
        ready: called with the address, such as "http://127.0.0.1:5000", when requests are answered.

    Raises:
        NmtLstmError: a model cannot be loaded.
        ResourceError: the address cannot be used.
    """
    asyncio.run(_serve(models, settings, ready))


def is_loopback(host: str) -> bool:
    """Whether only programs of this machine reach an address."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


async def _serve(models: ServedModels, settings: ServerSettings, ready: Callable[[str], None]) -> None:
    # Before the models are loaded, which takes seconds.
    listener = _listener(settings.host, settings.port)
    service = TranslationService(models, settings)
    application = build_application(service)
    await service.start()
    try:
        server = _Server(
            uvicorn.Config(
                application,
                lifespan="off",
                access_log=False,
                log_config=None,
                server_header=False,
                http="h11",
                limit_concurrency=settings.limits.connections,
                timeout_graceful_shutdown=None,
            ),
            lambda: ready(_address(listener, settings.host)),
        )
        await server.serve(sockets=[listener])
    finally:
        await service.stop()
        listener.close()


class _Server(uvicorn.Server):
    """A server that says when it is ready.

    Args:
        config: of uvicorn.
        ready: is called then.
    """

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._ready = ready

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Finish what is running after a signal, without ending the process: the workers have to be ended, too."""
        previous = {
            number: signal.signal(number, self.handle_exit) for number in (signal.SIGINT, signal.SIGTERM)
        }
        try:
            yield
        finally:
            for number, handler in previous.items():
                signal.signal(number, handler)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        self._ready()


def _listener(host: str, port: int) -> socket.socket:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
            listener.listen(1024)
            listener.setblocking(False)
        except OSError:
            listener.close()
            raise
    except OSError as problem:
        raise ResourceError(
            f"cannot listen at {host} port {port}: {problem.strerror or problem}; choose a different --port or --host."
        ) from problem
    return listener


def _address(listener: socket.socket, host: str) -> str:
    port = listener.getsockname()[1]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
