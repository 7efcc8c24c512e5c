"""The body of a request to Anthropic Messages.

The one rule: what the API would refuse for its shape is never sent; it is put right where its meaning is plain (turns of one role are
joined, results of tools stand first) and refused in a clear sentence where it is not.
"""

from collections.abc import Sequence

import msgspec

from actors.messages import Foreign, Image, Json, Part, Role, Text, Thinking, ToolCall, ToolResult
from actors.request import Limits, Request, ToolChoice
from actors.route import Route
from actors.source import EncodingError
from actors.wire.blocks import NAME
from actors.wire.pieces import base64_of, joined, merged, named_choice, turns, unseal, written

MAX_TOKENS = 8192
"""Tokens of an answer where the request sets no limit; the API wants a number, every current model allows this one."""

_LEAST_THINKING = 1024

_IMAGES = frozenset({"image/jpeg", "image/png", "image/gif", "image/webp"})
_CHOICES = {ToolChoice.AUTO: "auto", ToolChoice.ANY: "any", ToolChoice.NONE: "none"}
_CITATIONS = frozenset(
    {"char_location", "page_location", "content_block_location", "web_search_result_location", "search_result_location"}
)


def encode(request: Request, route: Route) -> bytes:
    """The body of `POST /v1/messages`; raises `EncodingError` for what the API does not have."""
    told = joined((role, _blocks(role, parts)) for role, parts in turns(request.messages))
    if not told:
        raise EncodingError("the request has no message that Anthropic can read; give it a prompt")
    body: dict[str, object] = {
        "model": route.model,
        **_limits(request.limits),
        "messages": [{"role": role.value, "content": blocks} for role, blocks in _prefilled(told)],
        "stream": route.streams,
    }
    if request.system:
        body["system"] = request.system
    if request.tools:
        body["tools"] = [
            {"name": t.name, "description": t.description, "input_schema": t.parameters} for t in request.tools
        ]
    if name := named_choice(request):
        body["tool_choice"] = {"type": "tool", "name": name}
    elif request.tools and isinstance(request.tool_choice, ToolChoice) and request.tool_choice is not ToolChoice.AUTO:
        body["tool_choice"] = {"type": _CHOICES[request.tool_choice]}
    if request.schema is not None:
        body["output_config"] = {"format": {"type": "json_schema", "schema": request.schema}}
    return written(merged(body, request.extras.get(route.provider, {})))


def _prefilled(told: list[tuple[Role, list[Json]]]) -> list[tuple[Role, list[Json]]]:
    """The turns, the last without blanks at its end where the model is to go on from it: the API refuses them there."""
    role, blocks = told[-1]
    last = blocks[-1]
    if role is Role.USER or last["type"] != "text":
        return told
    bare = {**last, "text": str(last["text"]).rstrip() or " "}
    return [*told[:-1], (role, [*blocks[:-1], bare])]


def _limits(limits: Limits) -> dict[str, object]:
    thinking, most = limits.thinking_tokens, limits.max_tokens
    if thinking is not None and thinking < _LEAST_THINKING:
        raise EncodingError(
            f"thinking_tokens is {thinking}; Anthropic thinks with at least {_LEAST_THINKING} tokens or not at all"
        )
    if thinking is not None and most is not None and most <= thinking:
        raise EncodingError(
            f"max_tokens is {most} and counts the {thinking} thinking_tokens too; make it larger than those"
        )
    wanted: dict[str, object] = {
        "max_tokens": most or MAX_TOKENS + (thinking or 0),
        "thinking": None if thinking is None else {"type": "enabled", "budget_tokens": thinking},
        "temperature": limits.temperature,
        "top_p": limits.top_p,
        "stop_sequences": list(limits.stop) or None,
    }
    return {name: value for name, value in wanted.items() if value is not None}


def _blocks(role: Role, parts: Sequence[Part]) -> list[Json]:
    """The blocks of one turn; results of tools must stand first in it."""
    if role is Role.ASSISTANT and any(isinstance(part, Image) for part in parts):
        raise EncodingError("a turn of the assistant has an image, which Anthropic cannot carry; leave it out")
    ordered = sorted(parts, key=_after_results) if role is Role.USER else parts
    return [block for part in ordered for block in _block(part)]


def _after_results(part: Part) -> bool:
    return not isinstance(part, ToolResult)


def _block(part: Part) -> list[Json]:
    """The block of one part; none for what only another provider can read."""
    match part:
        case Text(text, citations):
            own = [citation for citation in citations if citation.get("type") in _CITATIONS]
            return [{"type": "text", "text": text or " ", **({"citations": own} if own else {})}]
        case Image():
            return [_image(part)]
        case Thinking(text, signature, redacted):
            return _thinking(text, signature, redacted=redacted)
        case ToolCall():
            return _tool_use(part)
        case ToolResult(call_id, content, is_error):
            told = content if isinstance(content, str) else [block for inner in content for block in _block(inner)]
            return [
                {
                    "type": "tool_result",
                    "tool_use_id": call_id,
                    "content": told,
                    **({"is_error": True} if is_error else {}),
                }
            ]
        case Foreign(provider, _, block):
            return [block] if provider == NAME else []


def _image(image: Image) -> Json:
    if image.url and not image.content:
        return {"type": "image", "source": {"type": "url", "url": image.url}}
    source = {"type": "base64", "media_type": image.media_type, "data": base64_of(image)}
    if image.media_type not in _IMAGES:
        raise EncodingError(f"an image is {image.media_type}; Anthropic reads {', '.join(sorted(_IMAGES))}")
    return {"type": "image", "source": source}


def _thinking(text: str, signature: str, *, redacted: bool) -> list[Json]:
    """Thinking goes back under its seal only; the API refuses it otherwise and does well without it."""
    own = unseal(NAME, signature)
    if own is None or not (own or redacted):
        return []
    return [
        {"type": "redacted_thinking", "data": text}
        if redacted
        else {"type": "thinking", "thinking": text, "signature": own}
    ]


def _tool_use(call: ToolCall) -> list[Json]:
    own = unseal(NAME, call.signature)
    if call.hosted and not own:
        return []
    beside: Json = msgspec.json.decode(own, type=dict[str, object]) if own else {}
    return [{"type": "tool_use", "id": call.id, "name": call.name, "input": call.arguments, **beside}]
