"""The application: all routes of a server around one service."""

from __future__ import annotations

import asyncio

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp

from nmt_lstm.server.access import Access
from nmt_lstm.server.access_log import AccessLog
from nmt_lstm.server.description import api_description
from nmt_lstm.server.detection import LanguageDetector
from nmt_lstm.server.libretranslate import LibreTranslate
from nmt_lstm.server.marian import MarianSocket
from nmt_lstm.server.metrics import CONTENT_TYPE
from nmt_lstm.server.observation import Observed
from nmt_lstm.server.opennmt import OpenNmt
from nmt_lstm.server.page.routes import Page
from nmt_lstm.server.problems import RequestError
from nmt_lstm.server.service import TranslationService

__all__ = ["build_application"]


def build_application(
    service: TranslationService, *, access: Access, log: AccessLog, ending: asyncio.Event
) -> ASGIApp:
    """Return the application.

    Args:
        service: translates; whoever runs the application starts and stops it.
        access: who may do what.
        log: the access log.
        ending: is set when the server is about to end.
    """
    detector = LanguageDetector(service.models.languages())
    description = api_description(service.models, service.settings.limits)

    async def spec(_: Request) -> Response:
        return JSONResponse(description)

    async def metrics(_: Request) -> Response:
        return Response(service.metrics.text(), media_type=CONTENT_TYPE)

    http_routes = [
        *LibreTranslate(service, detector, access).routes(),
        *OpenNmt(service, access).routes(),
        Route("/spec", spec, methods=["GET"]),
        Route("/metrics", metrics, methods=["GET"]),
        *(Page(service, access).routes() if service.settings.page else []),
    ]
    routes: list[BaseRoute] = [
        *http_routes,
        *MarianSocket(service, access, metrics=service.metrics, log=log, ending=ending).routes(),
    ]
    application = Starlette(
        routes=routes,
        exception_handlers={RequestError: _refused, HTTPException: _no_route, Exception: _failed},
    )
    # A path that differs by a slash is not redirected: clients would repeat a POST without its body.
    application.router.redirect_slashes = False
    return Observed(
        application,
        paths=[route.path for route in http_routes],
        metrics=service.metrics,
        log=log,
        is_ending=ending.is_set,
    )


async def _refused(_: Request, problem: Exception) -> Response:
    assert isinstance(problem, RequestError)
    return JSONResponse({"error": problem.text}, problem.status, headers=problem.headers())


async def _no_route(_: Request, problem: Exception) -> Response:
    assert isinstance(problem, HTTPException)
    return JSONResponse({"error": problem.detail}, problem.status_code, headers=problem.headers)


async def _failed(_: Request, __: Exception) -> Response:
    # Starlette raises it again after the reply, and uvicorn writes the traceback to the server's log.
    return JSONResponse({"error": "Internal Server Error"}, 500)
