"""The lists of models that providers give to whoever has a key, each in its provider's spelling; and which key a request bears.

A list is asked for by `GET` at `/models`; Anthropic's and OpenAI's stand at the same path and are told apart by Anthropic's header.
"""

import re
from collections.abc import Sequence
from typing import Any

import msgspec
from attrs import frozen

from actors.chaos.faults import ErrorKind
from actors.chaos.speech import anthropic_errors, gemini_errors, openai_errors
from actors.chaos.speech.dialect import Complaint, Page, Request, Stamp

_OPENAI = re.compile(r"(/[\w.-]+)*/models")
_GEMINI = re.compile(r"/v1(?:alpha|beta)\d?/models")
_JSON = (("content-type", "application/json"),)

_REFUSED = Complaint(401, ErrorKind.AUTHENTICATION)


def key_of(request: Request) -> str:
    """The key that a request bears, wherever its provider has it stand; empty for none."""
    headers = request.headers
    given = (headers.get(name, "") for name in ("x-api-key", "x-goog-api-key", "api-key"))
    bearer = headers.get("authorization", "").removeprefix("Bearer ")
    return next(filter(None, (*given, bearer, request.query.get("key", ""))), "")


@frozen
class Listing:
    """Models by name, and the keys that may see them; without keys any will do."""

    models: Sequence[str] = ()
    keys: frozenset[str] = frozenset()

    def admits(self, request: Request) -> bool:
        """Whether the key of a request is one that is known here."""
        return not self.keys or key_of(request) in self.keys

    def page(self, request: Request, stamp: Stamp) -> Page | None:
        """The list, or why there is none; `None` where no list is asked for."""
        if request.method != "GET" or not _OPENAI.fullmatch(request.path):
            return None
        admitted = bool(key_of(request)) and self.admits(request)
        if _GEMINI.fullmatch(request.path):
            return self._gemini(stamp) if admitted else gemini_errors.error(_of_gemini(request), stamp)
        if "anthropic-version" in request.headers:
            return self._anthropic(stamp) if admitted else anthropic_errors.error(_REFUSED, stamp)
        return self._openai(stamp) if admitted else openai_errors.error(_REFUSED, stamp)

    def _anthropic(self, stamp: Stamp) -> Page:
        made = "2025-09-29T00:00:00Z"
        models = [{"type": "model", "id": name, "display_name": name, "created_at": made} for name in self.models]
        ends = {"first_id": self.models[0], "last_id": self.models[-1]} if self.models else {}
        return _page({"data": models, "has_more": False, **ends}, anthropic_errors.edge_headers(stamp))

    def _openai(self, stamp: Stamp) -> Page:
        models = [
            {"id": name, "object": "model", "created": int(stamp.at), "owned_by": "system"} for name in self.models
        ]
        return _page({"object": "list", "data": models}, openai_errors.edge_headers(stamp))

    def _gemini(self, stamp: Stamp) -> Page:
        methods = ["generateContent", "countTokens"]
        models = [{"name": f"models/{name}", "supportedGenerationMethods": methods} for name in self.models]
        return _page({"models": models}, gemini_errors.edge_headers(stamp))


def _of_gemini(request: Request) -> Complaint:
    return Complaint(400, ErrorKind.AUTHENTICATION) if key_of(request) else Complaint(403, ErrorKind.PERMISSION)


def _page(fields: dict[str, Any], headers: tuple[tuple[str, str], ...]) -> Page:
    return Page(200, (*_JSON, *headers), msgspec.json.encode(fields))
