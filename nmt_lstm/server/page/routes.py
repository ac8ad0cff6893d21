"""The routes of the page: its files, and what its script asks for."""

from __future__ import annotations

import dataclasses
import mimetypes
from collections.abc import Sequence
from importlib import resources
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from nmt_lstm.server.access import Access, Caller
from nmt_lstm.server.languages import language_name
from nmt_lstm.server.models import ServedModel
from nmt_lstm.server.problems import RequestError
from nmt_lstm.server.request_values import Values, read_values
from nmt_lstm.server.service import TranslationService
from nmt_lstm.server.units import Kind, Unit

__all__ = ["Page"]

ALTERNATIVES = 3
"""Other translations of a sentence, at most."""
# Nothing from elsewhere is loaded, and only the scripts of this package run.
HEADERS = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "cache-control": "no-cache",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}


class Page:
    """The page at "/".

    Args:
        service: translates.
        access: who may do what.
    """

    def __init__(self, service: TranslationService, access: Access) -> None:
        self._service = service
        self._limits = service.settings.limits
        self._access = access
        self._files = _files()

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [
            Route("/", self.file, methods=["GET"]),
            Route("/page/models", self.models, methods=["GET"]),
            Route("/page/translate", self.translate, methods=["POST"]),
            Route("/page/words", self.words, methods=["POST"]),
            Route("/page/inside", self.inside, methods=["POST"]),
            Route("/page/texts", self.texts, methods=["POST"]),
            Route("/page/{name}", self.file, methods=["GET"]),
        ]

    async def file(self, request: Request) -> Response:
        """Send a file of the page."""
        name = request.path_params.get("name", "index.html")
        if name not in self._files:
            raise RequestError(404, "Not Found")
        kind = mimetypes.guess_type(name)[0] or "text/plain"
        return Response(self._files[name], media_type=kind, headers=HEADERS)

    async def models(self, request: Request) -> Response:
        """List the models, and what a request may have."""
        return JSONResponse(
            {
                "models": [
                    {
                        "name": model.name,
                        "source": _language(model.source),
                        "target": _language(model.target),
                    }
                    for model in self._service.models
                ],
                "characters": self._limits.characters,
                "texts": self._limits.texts,
                "keyRequired": self._access.key_required,
            }
        )

    async def translate(self, request: Request) -> Response:
        """Translate a text, with the details of each sentence.

        The reply has the text in parts: strings that stay as they are, and numbers of sentences.
        """
        values, caller, model = await self._asked(request)
        text = self._sized(values.text("text"), caller)
        plan = self._service.plan(text, model)
        prefixes = values.strings_by_name("prefixes")
        units = [dataclasses.replace(unit, prefix=prefixes.get(unit.text, "")) for unit in plan.units]
        found = await self._run("details", units, model, caller, n_best=ALTERNATIVES + 1)
        sentences = [
            {"line": unit.text, "prefix": unit.prefix, **details}
            for unit, details in zip(units, found, strict=True)
        ]
        return JSONResponse({"parts": plan.outline(), "sentences": sentences})

    async def words(self, request: Request) -> Response:
        """List the likeliest words after the beginning of a sentence's translation."""
        values, caller, model = await self._asked(request)
        unit = Unit(self._sized(values.required("text"), caller), values.text("prefix"))
        (found,) = await self._run("words", [unit], model, caller)
        return JSONResponse({"words": found})

    async def inside(self, request: Request) -> Response:
        """Send gates, memory and output of all cells for a sentence and its translation."""
        values, caller, model = await self._asked(request)
        unit = Unit(self._sized(values.required("text"), caller), values.required("translation"))
        (found,) = await self._run("inside", [unit], model, caller)
        return JSONResponse(found)

    async def texts(self, request: Request) -> Response:
        """Translate the texts of a file; placeholders and tags in them stay."""
        values = await read_values(request, self._limits)
        asked = values.texts("texts")
        texts = [asked] if isinstance(asked, str) else asked
        caller, model = self._admitted(request, values, texts=len(texts))
        translations = await self._service.translate(
            texts, model=model, client=caller.name, keep=True, characters=caller.characters
        )
        return JSONResponse({"texts": [translation.text for translation in translations]})

    async def _asked(self, request: Request) -> tuple[Values, Caller, ServedModel]:
        values = await read_values(request, self._limits)
        return values, *self._admitted(request, values)

    def _admitted(self, request: Request, values: Values, texts: int = 1) -> tuple[Caller, ServedModel]:
        log = request.state.log
        log["texts"] = texts
        caller = self._access.admitted(request, values.text("api_key"), log=log, texts=texts)
        name = values.required("model")
        model = self._service.models.named(name)
        if model is None:
            raise RequestError(400, f"Invalid request: there is no model {name[:100]}")
        log["model"] = model.name
        return caller, model

    def _sized(self, text: str, caller: Caller) -> str:
        self._service.check_sizes([text], caller.characters)
        return text

    async def _run(
        self, task: str, units: Sequence[Unit], model: ServedModel, caller: Caller, n_best: int = 1
    ) -> list[Any]:
        kind = Kind(model.name, task, min(n_best, model.beam_size))
        return [result.details for result in await self._service.run(kind, units, client=caller.name)]


def _language(code: str) -> dict[str, str]:
    return {"code": code, "name": language_name(code)}


def _files() -> dict[str, bytes]:
    """Return the files of the page by name; pictures are drawn, and colours chosen, by what reports use too."""
    lab = resources.files("nmt_lstm.lab")
    heat = lab.joinpath("inspection", "heat.js").read_text(encoding="utf-8")
    files = {
        "report.css": lab.joinpath("report", "page.css").read_bytes(),
        "heat.js": f"{heat}\nexport {{ LEVELS, bytes, heat, prepareColours, ramp }};\n".encode(),
    }
    for file in resources.files("nmt_lstm.server.page").joinpath("static").iterdir():
        files[file.name] = file.read_bytes()
    return files
