"""The interface of OpenNMT-py's server, for tools that speak it: a list of lines, each with the number of a model."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from nmt_lstm.server.access import Access
from nmt_lstm.server.models import ServedModel
from nmt_lstm.server.observation import unless_disconnected
from nmt_lstm.server.problems import RequestError
from nmt_lstm.server.request_values import read_json, without_surrogates
from nmt_lstm.server.service import TranslationService

__all__ = ["OpenNmt"]


class OpenNmt:
    """The routes.

    A model's number is its position among those of the server, from 0. In a request, "id" may also be its name.

    Args:
        service: translates.
        access: who may do what.
    """

    def __init__(self, service: TranslationService, access: Access) -> None:
        self._service = service
        self._models = list(service.models)
        self._access = access

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [
            Route("/translator/translate", self.translate, methods=["POST"]),
            Route("/translator/models", self.models, methods=["GET"]),
            Route("/translator/health", self.health, methods=["GET"]),
        ]

    async def translate(self, request: Request) -> Response:
        """Translate the lines of a request, which are all for one model.

        The reply is a list of lists: that of the best translations first, as OpenNMT-py writes them.
        """
        limits = self._service.settings.limits
        inputs = await read_json(request, limits)
        texts, model = self._read(inputs)
        log = request.state.log
        log.update({"texts": len(texts), "characters": sum(map(len, texts)), "model": model.name})
        caller = self._access.admitted(
            request, request.query_params.get("api_key", ""), log=log, texts=len(texts)
        )
        log["q"] = texts
        translations = await unless_disconnected(
            request,
            self._service.translate(texts, model=model, client=caller.name, characters=caller.characters),
        )
        best = [
            {"src": text, "tgt": each.text, "n_best": 1, "pred_score": each.score}
            for text, each in zip(texts, translations, strict=True)
        ]
        return JSONResponse([best])

    async def models(self, request: Request) -> Response:
        """List the models."""
        return JSONResponse(
            [
                {
                    "model_id": number,
                    "model": model.name,
                    "opt": {"models": [model.name], "beam_size": model.beam_size},
                    "loaded": True,
                    "available": [model.name],
                    "timeout": -1,
                    "src": model.source,
                    "tgt": model.target,
                }
                for number, model in enumerate(self._models)
            ]
        )

    async def health(self, request: Request) -> Response:
        """Say that the server works."""
        return JSONResponse({"status": "ok"})

    def _read(self, inputs: Any) -> tuple[list[str], ServedModel]:
        if not isinstance(inputs, list) or not inputs or not all(isinstance(each, dict) for each in inputs):
            raise _invalid('the body must be a list such as [{"id": 0, "src": "text"}]')
        texts = [each.get("src") for each in inputs]
        if not all(isinstance(text, str) for text in texts):
            raise _invalid('each entry needs a text, "src"')
        numbers = [each.get("id", 0) for each in inputs]
        if any(number != numbers[0] or isinstance(number, bool) for number in numbers):
            raise _invalid('all entries must have the same "id"')
        return [without_surrogates(text) for text in texts], self._model(numbers[0])

    def _model(self, number: object) -> ServedModel:
        model = self._service.models.named(number) if isinstance(number, str) else None
        if isinstance(number, int) and 0 <= number < len(self._models):
            model = self._models[number]
        if model is None:
            raise _invalid(f"there is no model {str(number)[:100]!r}; GET /translator/models lists them")
        return model


def _invalid(text: str) -> RequestError:
    return RequestError(400, f"Invalid request: {text}")
