"""LibreTranslate's interface, as its clients know it: https://docs.libretranslate.com/api/."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from nmt_lstm.server.access import Access
from nmt_lstm.server.detection import Detection, LanguageDetector
from nmt_lstm.server.languages import canonical, language_name, same_language
from nmt_lstm.server.models import ServedModel
from nmt_lstm.server.problems import RequestError, not_supported, too_long
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
        caller = self._access.admitted(request, values)
        asked = values.texts("q")
        source, target = values.required("source"), values.required("target")
        alternatives = values.number("alternatives")
        if alternatives > self._limits.alternatives:
            raise RequestError(
                400, f"Invalid request: alternatives parameter must be <= {self._limits.alternatives}"
            )
        if not values.is_json and isinstance(asked, str):
            asked = "\n".join(asked.splitlines())
        texts = asked if isinstance(asked, list) else [asked]
        self._check_sizes(texts, caller.characters or self._limits.characters)
        detected = self._detected(texts) if source.lower() == "auto" else None
        source_code = self._served(source if detected is None else detected.language)
        target_code = self._served(target)
        text_format = self._format(values)
        request.state.log |= {"texts": len(texts), "characters": sum(map(len, texts)), "source": source_code}
        request.state.log |= {"target": target_code, "q": texts}
        if canonical(source_code) == canonical(target_code):
            translations = [TextTranslation(text, [], 0.0) for text in texts]
        else:
            translations = await self._service.translate(
                texts,
                model=self._model(source_code, target_code),
                client=caller.name,
                html=text_format == "html",
                alternatives=alternatives,
            )
        return JSONResponse(
            _reply(
                translations, is_list=isinstance(asked, list), detected=detected, alternatives=alternatives
            )
        )

    async def detect(self, request: Request) -> Response:
        """Tell the language of a text, or of the texts of a list together."""
        values = await read_values(request, self._limits)
        caller = self._access.admitted(request, values)
        asked = values.texts("q")
        texts = asked if isinstance(asked, list) else [asked]
        self._check_sizes(texts, caller.characters or self._limits.characters)
        request.state.log |= {"texts": len(texts), "characters": sum(map(len, texts)), "q": texts}
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
        return JSONResponse({"status": "ok"})

    def _check_sizes(self, texts: Sequence[str], characters: int) -> None:
        if len(texts) > self._limits.texts:
            raise too_long(len(texts), self._limits.texts)
        for text in texts:
            if len(text) > characters:
                raise too_long(len(text), characters)

    def _format(self, values: Values) -> str:
        text_format = values.text("format") or FORMATS[0]
        if text_format not in FORMATS:
            raise RequestError(400, f"{text_format[:100]} format is not supported")
        return text_format

    def _detected(self, texts: Sequence[str]) -> Detection:
        found = self._detector.detect("\n".join(texts))
        return found[0] if found else self._undetected()

    def _undetected(self) -> Detection:
        """What a text without letters is said to be: it comes back unchanged from any language."""
        return Detection(self._models.first.source, 0.0)

    def _served(self, code: str) -> str:
        served = same_language(code, self._languages)
        if served is None:
            raise not_supported(code)
        return served

    def _model(self, source: str, target: str) -> ServedModel:
        model = self._models.between(source, target)
        if model is None:
            raise RequestError(
                400,
                f"{language_name(target)} ({target}) is not available as a target language from "
                f"{language_name(source)} ({source})",
            )
        return model


def _reply(
    translations: Sequence[TextTranslation], *, is_list: bool, detected: Detection | None, alternatives: int
) -> dict[str, Any]:
    """Return the reply: lists for a list, and otherwise the only text."""
    reply: dict[str, Any] = {"translatedText": [each.text for each in translations]}
    if detected is not None:
        # LibreTranslate decides for all texts of a list together.
        reply["detectedLanguage"] = [detected._asdict()] * len(translations)
    if alternatives:
        reply["alternatives"] = [each.alternatives for each in translations]
    return reply if is_list else {name: values[0] for name, values in reply.items()}
