"""The description of LibreTranslate's interface in OpenAPI, for programs that generate clients or tests."""

from __future__ import annotations

from typing import Any

import nmt_lstm
from nmt_lstm.server.models import ServedModels
from nmt_lstm.server.settings import Limits

__all__ = ["api_description"]

_JSON, _FORM = "application/json", "application/x-www-form-urlencoded"
_TEXT = {"type": "string"}
_NUMBER = {"type": "number", "minimum": 0, "maximum": 100}
_PROBLEMS = {
    "400": "The request is not valid.",
    "403": "The API key is not valid.",
    "408": "The request did not arrive in time.",
    "413": "The request is too large.",
    "429": "The client sends too many texts; Retry-After says when to continue.",
    "500": "The text cannot be translated.",
    "503": "The server is busy; Retry-After says when to try again.",
}


def api_description(models: ServedModels, limits: Limits) -> dict[str, Any]:
    """Return the description of a server with these models and limits."""
    codes = models.languages()
    text = {"type": "string", "minLength": 1, "maxLength": limits.characters}
    texts = {"type": "array", "items": {**text, "minLength": 0}, "minItems": 1, "maxItems": limits.texts}
    key = {"api_key": {**_TEXT, "description": "API key, where the server asks for one."}}
    parameters = {
        "source": {**_TEXT, "enum": ["auto", *codes], "description": 'Source language, or "auto".'},
        "target": {**_TEXT, "enum": codes, "description": "Target language."},
        "format": {**_TEXT, "enum": ["text", "html"], "default": "text"},
        "alternatives": {"type": "integer", "minimum": 0, "maximum": limits.alternatives, "default": 0},
        **key,
    }
    q = {"oneOf": [text, texts], "description": "A text, or a list of texts."}
    translated = {
        "translatedText": {"oneOf": [_TEXT, _list(_TEXT)]},
        "detectedLanguage": {"oneOf": [_ref("Detection"), _list(_ref("Detection"))]},
        "alternatives": {"oneOf": [_list(_TEXT), _list(_list(_TEXT))]},
    }
    return {
        "openapi": "3.0.3",
        "info": {
            "title": "nmt-lstm",
            "version": nmt_lstm.__version__,
            "description": "Translation by recurrent networks, with the interface of LibreTranslate.",
        },
        "paths": {
            "/translate": _post(
                "Translate a text, or a list of texts.",
                {"q": q, **parameters},
                {"q": text, **parameters},
                ["q", "source", "target"],
                _object(translated, ["translatedText"]),
            ),
            "/detect": _post(
                "Tell the language of a text.",
                {"q": {"oneOf": [text, texts]}, **key},
                {"q": text, **key},
                ["q"],
                _list(_ref("Detection")),
            ),
            "/languages": _get("List the languages.", _list(_ref("Language"))),
            "/frontend/settings": _get("Tell a page what it may offer.", {"type": "object"}),
            "/health": _get("Tell whether the server works.", _object({"status": _TEXT}, ["status"])),
        },
        "components": {
            "schemas": {
                "Detection": _object({"language": _TEXT, "confidence": _NUMBER}, ["language", "confidence"]),
                "Language": _object(
                    {"code": _TEXT, "name": _TEXT, "targets": _list(_TEXT)}, ["code", "name", "targets"]
                ),
                "Problem": _object({"error": _TEXT}, ["error"]),
            }
        },
    }


def _post(
    summary: str,
    as_json: dict[str, Any],
    as_form: dict[str, Any],
    required: list[str],
    result: dict[str, Any],
) -> dict[str, Any]:
    content = {
        kind: {"schema": _object(fields, required)} for kind, fields in ((_JSON, as_json), (_FORM, as_form))
    }
    return {
        "post": {
            "summary": summary,
            "requestBody": {"required": True, "content": content},
            "responses": {
                "200": _response("The result.", result),
                **{status: _response(text, _ref("Problem")) for status, text in _PROBLEMS.items()},
            },
        }
    }


def _get(summary: str, result: dict[str, Any]) -> dict[str, Any]:
    return {
        "get": {
            "summary": summary,
            "responses": {
                "200": _response("The result.", result),
                "503": _response(_PROBLEMS["503"], _ref("Problem")),
            },
        }
    }


def _response(text: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"description": text, "content": {_JSON: {"schema": schema}}}


def _object(properties: dict[str, Any], required: list[str]) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": required}


def _list(items: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": items}


def _ref(name: str) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{name}"}
