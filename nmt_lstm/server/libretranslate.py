"""LibreTranslate's interface, as its clients know it: https://docs.libretranslate.com/api/."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from nmt_lstm.server.access import Access, Caller
from nmt_lstm.server.detection import Detection, LanguageDetector
from nmt_lstm.server.languages import canonical, language_name, same_language
from nmt_lstm.server.models import ServedModel
from nmt_lstm.server.observation import all_by_name, unless_disconnected
from nmt_lstm.server.problems import RequestError, not_supported, overloaded
from nmt_lstm.server.request_values import Values, read_values
from nmt_lstm.server.service import TextTranslation, TranslationService

__all__ = ["LibreTranslate"]

FORMATS = ("text", "html")


class LibreTranslate:
    """The routes.

    Args:
        service: translates.
        detector: of languages.
        access: who may do what.
    """

    def __init__(self, service: TranslationService, detector: LanguageDetector, access: Access) -> None:
        self._service = service
        self._models = service.models
        self._limits = service.settings.limits
        self._detector = detector
        self._access = access
        self._languages = self._models.languages()

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [
            Route("/languages", self.languages, methods=["GET"]),
            Route("/translate", self.translate, methods=["POST"]),
            Route("/detect", self.detect, methods=["POST"]),
            Route("/frontend/settings", self.frontend_settings, methods=["GET"]),
            Route("/health", self.health, methods=["GET"]),
        ]

    async def languages(self, request: Request) -> Response:
        """List the languages; each is also its own target, as its text comes back unchanged."""
        return JSONResponse(
            [
                {
                    "code": code,
                    "name": language_name(code),
                    "targets": sorted({code, *self._models.targets(code)}),
                }
                for code in self._languages
            ]
        )

    async def translate(self, request: Request) -> Response:
        """Translate a text, or a list of texts."""
        values = await read_values(request, self._limits)
        asked, caller = self._admitted(request, values)
        source, target = values.required("source"), values.required("target")
        alternatives = values.number("alternatives")
        if alternatives > self._limits.alternatives:
            raise RequestError(
                400, f"Invalid request: alternatives parameter must be <= {self._limits.alternatives}"
            )
        texts = asked if isinstance(asked, list) else [asked]
        self._service.check_sizes(texts, caller.characters)
        named = self._served(source) if source.lower() != "auto" else ""
        target_code = self._served(target)
        detected = None if named else await self._detected(texts, target_code)
        sources = [self._served(each.language) for each in detected] if detected else [named] * len(texts)
        text_format = self._format(values)
        request.state.log.update({"source": ",".join(dict.fromkeys(sources)), "target": target_code})
        models = {code: self._model(code, target_code) for code in dict.fromkeys(sources)}

        async def translated(code: str, model: ServedModel | None) -> Iterator[TextTranslation]:
            own = [text for text, each in zip(texts, sources, strict=True) if each == code]
            if model is None:
                return iter([TextTranslation(text, [], 0.0) for text in own])
            return iter(
                await self._service.translate(
                    own,
                    model=model,
                    client=caller.name,
                    html=text_format == "html",
                    alternatives=alternatives,
                    characters=caller.characters,
                )
            )

        found = await unless_disconnected(
            request, all_by_name({code: translated(code, model) for code, model in models.items()})
        )
        translations = [next(found[code]) for code in sources]
        return JSONResponse(
            _reply(
                translations, is_list=isinstance(asked, list), detected=detected, alternatives=alternatives
            )
        )

    async def detect(self, request: Request) -> Response:
        """Tell the language of a text, or of the texts of a list together."""
        values = await read_values(request, self._limits)
        asked, caller = self._admitted(request, values)
        texts = asked if isinstance(asked, list) else [asked]
        self._service.check_sizes(texts, caller.characters)
        found = self._detector.detect("\n".join(texts)) or [self._undetected()]
        return JSONResponse([each._asdict() for each in found])

    async def frontend_settings(self, request: Request) -> Response:
        """Tell a page what it may offer."""
        first = self._models.first
        return JSONResponse(
            {
                "apiKeys": self._access.has_keys,
                "charLimit": self._limits.characters,
                "filesTranslation": False,
                "frontendTimeout": 500,
                "keyRequired": self._access.key_required,
                "language": {
                    "source": {"code": "auto", "name": "Auto Detect"},
                    "target": {"code": first.target, "name": language_name(first.target)},
                },
                "suggestions": False,
                "supportedFilesFormat": [],
            }
        )

    async def health(self, request: Request) -> Response:
        """Say that the server works."""
        if not self._service.is_alive:
            raise overloaded("no worker is alive", 1.0)
        return JSONResponse({"status": "ok"})

    def _admitted(self, request: Request, values: Values) -> tuple[str | list[str], Caller]:
        """Return what is asked, and by whom."""
        log = request.state.log
        try:
            asked = values.texts("q")
        except RequestError:
            self._access.admitted(request, values.text("api_key"), log=log)
            raise
        texts = asked if isinstance(asked, list) else [asked]
        if not values.is_json:
            # Forms have the line ends of the network.
            texts = ["\n".join(text.splitlines()) for text in texts]
            asked = texts if isinstance(asked, list) else texts[0]
        log.update({"texts": len(texts), "characters": sum(map(len, texts))})
        caller = self._access.admitted(request, values.text("api_key"), log=log, texts=len(texts))
        log["q"] = texts
        return asked, caller

    def _format(self, values: Values) -> str:
        text_format = values.text("format") or FORMATS[0]
        if text_format not in FORMATS:
            raise RequestError(400, f"{text_format[:100]} format is not supported")
        return text_format

    async def _detected(self, texts: Sequence[str], target: str) -> list[Detection]:
        """Return the language of each text: its own if that is certain and is translated, or that of all together."""
        found = self._detector.detect("\n".join(texts))
        together = found[0] if found else self._undetected()
        if len(texts) == 1:
            return [together]
        detected = []
        for text in texts:
            own = self._detector.certainly(text)
            is_served = own is not None and (
                canonical(own.language) == canonical(target)
                or self._models.between(own.language, target) is not None
            )
            detected.append(own if own is not None and is_served else together)
            # Of many texts, it takes long enough that others should not wait.
            await asyncio.sleep(0)
        return detected

    def _undetected(self) -> Detection:
        """What a text without letters is said to be: it comes back unchanged from any language."""
        return Detection(self._models.first.source, 0.0)

    def _served(self, code: str) -> str:
        served = same_language(code, self._languages)
        if served is None:
            raise not_supported(code)
        return served

    def _model(self, source: str, target: str) -> ServedModel | None:
        """Return the model that translates; None if the languages are the same."""
        if canonical(source) == canonical(target):
            return None
        model = self._models.between(source, target)
        if model is None:
            raise RequestError(
                400,
                f"{language_name(target)} ({target}) is not available as a target language from "
                f"{language_name(source)} ({source})",
            )
        return model


def _reply(
    translations: Sequence[TextTranslation],
    *,
    is_list: bool,
    detected: Sequence[Detection] | None,
    alternatives: int,
) -> dict[str, Any]:
    """Return the reply: lists for a list, and otherwise the only text."""
    reply: dict[str, Any] = {"translatedText": [each.text for each in translations]}
    if detected is not None:
        reply["detectedLanguage"] = [each._asdict() for each in detected]
    if alternatives:
        reply["alternatives"] = [each.alternatives for each in translations]
    return reply if is_list else {name: values[0] for name, values in reply.items()}
