"""The application: all routes of a server around one service."""

from __future__ import annotations

import logging

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp

from nmt_lstm.server.access import Access
from nmt_lstm.server.detection import LanguageDetector
from nmt_lstm.server.libretranslate import LibreTranslate
from nmt_lstm.server.observation import Observed
from nmt_lstm.server.problems import RequestError
from nmt_lstm.server.service import TranslationService

__all__ = ["build_application"]

logger = logging.getLogger(__name__)


def build_application(service: TranslationService) -> ASGIApp:
    """Return the application.

    Args:
        service: translates; whoever runs the application starts and stops it.
    """
    access = Access(service.settings)
    detector = LanguageDetector(service.models.languages())
    routes = [*LibreTranslate(service, detector, access).routes()]
    application = Starlette(
        routes=routes,
        exception_handlers={RequestError: _refused, HTTPException: _no_route, Exception: _failed},
    )
    # A path that is nearly one of ours is not answered with a redirection, which would lose the body.
    application.router.redirect_slashes = False
    return Observed(application)


async def _refused(_: Request, problem: Exception) -> Response:
    assert isinstance(problem, RequestError)
    return JSONResponse({"error": problem.text}, problem.status, headers=problem.headers())


async def _no_route(_: Request, problem: Exception) -> Response:
    assert isinstance(problem, HTTPException)
    return JSONResponse({"error": problem.detail}, problem.status_code, headers=problem.headers)


async def _failed(_: Request, __: Exception) -> Response:
    # Starlette raises it again after the reply, and uvicorn writes the traceback to the server's log.
    return JSONResponse({"error": "Internal Server Error"}, 500)
