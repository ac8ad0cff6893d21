"""Running a server: its socket, its workers, and its end without losing a request."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import resource
import signal
import socket
from collections.abc import Callable, Iterator

import uvicorn

from nmt_lstm.errors import ConfigurationError, ResourceError
from nmt_lstm.server.access import Access
from nmt_lstm.server.access_log import AccessLog
from nmt_lstm.server.application import build_application
from nmt_lstm.server.connections import limited_protocol
from nmt_lstm.server.models import ServedModels
from nmt_lstm.server.service import TranslationService
from nmt_lstm.server.settings import ServerSettings

__all__ = ["is_loopback", "serve"]

SECONDS_FOR_STRAGGLERS = 0.5
"""After the signal to end: time in which a request that is on its way may still arrive on a connection that is kept."""
LONGEST_MESSAGE = 1_000_000
"""Bytes of a websocket's message; larger ones end the connection."""
_SPARE_FILES = 100


def serve(models: ServedModels, settings: ServerSettings, ready: Callable[[str], None]) -> None:
    """Serve until the process gets SIGTERM or SIGINT; what is being translated then is finished.

    Args:
        models: that are served.
        settings: of the server.
        ready: called with the address, such as "http://127.0.0.1:5000", when requests are answered.

    Raises:
        NmtLstmError: a model cannot be loaded.
        ConfigurationError: the file of keys, or the access log, cannot be used.
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
    # All that may fail comes before the models are loaded, which takes seconds.
    access = Access(settings)
    log = _log(settings)
    listener = _listener(settings.host, settings.port)
    _allow_files(settings.limits.connections + _SPARE_FILES)
    service = TranslationService(models, settings)
    ending = asyncio.Event()
    application = build_application(service, access=access, log=log, ending=ending)
    limits = settings.limits
    server = _Server(
        uvicorn.Config(
            application,
            http=limited_protocol(limits, service.metrics.refused_connections.add),
            ws_max_size=min(limits.body_bytes, LONGEST_MESSAGE),
            lifespan="off",
            access_log=False,
            log_config=None,
            log_level="error",  # clients that do not speak HTTP are none of the operator's business
            server_header=False,
            proxy_headers=bool(settings.proxies),
            forwarded_allow_ips=list(settings.proxies),
            timeout_graceful_shutdown=round(limits.seconds) + 1,
        ),
        service=service,
        ending=ending,
        ready=lambda: ready(_address(listener, settings.host)),
    )
    try:
        await service.start()
        await server.serve(sockets=[listener])
    finally:
        await service.stop()
        listener.close()
        log.close()


class _Server(uvicorn.Server):
    """A server that says when it is ready, and that ends in two steps.

    First it accepts no more connections, and closes each after the reply that is due. Only when no reply is due, it closes
    the connections that are kept for further requests: one may be on its way.

    Args:
        config: of uvicorn.
        service: translates.
        ending: is set when the end begins.
        ready: is called when requests are answered.
    """

    def __init__(
        self,
        config: uvicorn.Config,
        *,
        service: TranslationService,
        ending: asyncio.Event,
        ready: Callable[[], None],
    ) -> None:
        super().__init__(config)
        self._service = service
        self._ending = ending
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

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        # Connections that the system has accepted for us are not refused.
        await asyncio.sleep(0.05)
        for server in self.servers:
            server.close()
        self._ending.set()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._service.settings.limits.seconds):
                await asyncio.sleep(SECONDS_FOR_STRAGGLERS)
                while (self._service.running or self.server_state.tasks) and not self.force_exit:
                    await asyncio.sleep(0.02)
        await super().shutdown(sockets=sockets)


def _log(settings: ServerSettings) -> AccessLog:
    try:
        return AccessLog(settings.access_log, with_texts=settings.log_texts)
    except OSError as problem:
        raise ConfigurationError(
            f"access log '{settings.access_log}' cannot be written: {problem.strerror}; choose a different --access-log.",
            key="--access-log",
            value=settings.access_log,
        ) from problem


def _listener(host: str, port: int) -> socket.socket:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
            listener.setblocking(False)
        except OSError:
            listener.close()
            raise
    except (OSError, UnicodeError) as problem:
        reason = problem.strerror if isinstance(problem, OSError) else "it is not an address"
        raise ResourceError(
            f"cannot listen at '{host}' port {port}: {reason}; choose a different --port or --host.",
            key="--host",
            value=host,
        ) from problem
    return listener


def _address(listener: socket.socket, host: str) -> str:
    port = listener.getsockname()[1]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _allow_files(count: int) -> None:
    """Let this process have so many open files, as far as the system allows."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < count:
        wanted = count if hard == resource.RLIM_INFINITY else min(count, hard)
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
