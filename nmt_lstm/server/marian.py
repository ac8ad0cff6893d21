"""A websocket that speaks like marian-server: each message is lines of text, and each reply their translations."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime
from typing import Any

from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from nmt_lstm.server.access import Access, address_of
from nmt_lstm.server.access_log import AccessLog
from nmt_lstm.server.metrics import Metrics
from nmt_lstm.server.models import ServedModel
from nmt_lstm.server.problems import RequestError, missing_parameter
from nmt_lstm.server.request_values import without_surrogates
from nmt_lstm.server.service import TranslationService

__all__ = ["MarianSocket"]

# Codes of RFC 6455, section 7.4.1.
GOING_AWAY, POLICY_VIOLATION, UNSUPPORTED_DATA, TOO_BIG, TRY_AGAIN_LATER = 1001, 1008, 1003, 1009, 1013
PATH = "/translate"
LONGEST_REASON = 120


class MarianSocket:
    """The route.

    The first model translates, or that of ``/translate?model=NAME`` or ``/translate?source=de&target=en``. What cannot be
    answered ends the connection, with a code and a reason: the protocol has no errors.

    Args:
        service: translates.
        access: who may do what.
        metrics: figures.
        log: the access log.
        ending: is set when the server is about to end.
    """

    def __init__(
        self,
        service: TranslationService,
        access: Access,
        *,
        metrics: Metrics,
        log: AccessLog,
        ending: asyncio.Event,
    ) -> None:
        self._service = service
        self._access = access
        self._metrics = metrics
        self._log = log
        self._ending = ending

    def routes(self) -> list[WebSocketRoute]:
        """Return the route."""
        return [WebSocketRoute(PATH, self.converse)]

    async def converse(self, socket: WebSocket) -> None:
        """Answer messages until the client or the server ends the connection."""
        await socket.accept()
        try:
            model = self._model(socket)
            while (text := await self._message(socket)) is not None:
                await socket.send_text(await self._answer(socket, text, model))
            await socket.close(GOING_AWAY, "the server ends")
        except RequestError as problem:
            await _close(socket, _code(problem.status), problem.text)
        except WebSocketDisconnect:
            pass

    async def _answer(self, socket: WebSocket, text: str, model: ServedModel) -> str:
        start = time.perf_counter()
        facts: dict[str, Any] = {"characters": len(text), "model": model.name, "q": [text]}
        status = 200
        try:
            caller = self._access.admitted(socket, socket.query_params.get("api_key", ""), log=facts)
            # marian-server does not mind a line end after the last line, and always writes one.
            lines = text.removesuffix("\n")
            (translation,) = await self._service.translate(
                [lines], model=model, client=caller.name, characters=caller.characters
            )
        except RequestError as problem:
            status = problem.status
            raise
        finally:
            seconds = time.perf_counter() - start
            self._metrics.requests.add(1, f"websocket {PATH}", str(status))
            self._metrics.request_seconds.observe(seconds, f"websocket {PATH}")
            self._log.add(
                {
                    "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
                    "client": address_of(socket),
                    "method": "websocket",
                    "path": PATH,
                    "status": status,
                    "seconds": round(seconds, 4),
                    **facts,
                }
            )
        return f"{translation.text}\n"

    async def _message(self, socket: WebSocket) -> str | None:
        """Return the next message; None if the server ends before there is one."""
        message = asyncio.ensure_future(socket.receive())
        ending = asyncio.ensure_future(self._ending.wait())
        try:
            await asyncio.wait((message, ending), return_when=asyncio.FIRST_COMPLETED)
            if not message.done():
                return None
            received = message.result()
        finally:
            message.cancel()
            ending.cancel()
        if received["type"] != "websocket.receive":
            raise WebSocketDisconnect
        if (text := received.get("text")) is not None:
            return without_surrogates(str(text))
        try:
            # Some clients send bytes.
            return bytes(received.get("bytes") or b"").decode("utf-8")
        except UnicodeDecodeError:
            raise RequestError(415, "a message is not UTF-8 text") from None

    def _model(self, socket: WebSocket) -> ServedModel:
        asked, models = socket.query_params, self._service.models
        if "model" in asked:
            model, wanted = models.named(asked["model"]), f"named {asked['model'][:50]}"
        elif "source" in asked or "target" in asked:
            for side in ("source", "target"):
                if not asked.get(side):
                    raise missing_parameter(side)
            source, target = asked["source"], asked["target"]
            if source.lower() == "auto":
                raise RequestError(400, "source=auto is not supported here: name the source language")
            model, wanted = models.between(source, target), f"from {source[:20]} to {target[:20]}"
        else:
            return models.first
        if model is None:
            raise RequestError(400, f"there is no model {wanted}")
        return model


def _code(status: int) -> int:
    codes = {415: UNSUPPORTED_DATA, 413: TOO_BIG, 429: TRY_AGAIN_LATER, 503: TRY_AGAIN_LATER}
    return codes.get(status, POLICY_VIOLATION if status < 500 else 1011)


async def _close(socket: WebSocket, code: int, reason: str) -> None:
    if socket.client_state is WebSocketState.CONNECTED:
        await socket.close(code, reason.encode()[:LONGEST_REASON].decode(errors="ignore"))
