"""The body of a request for chat completions, as OpenAI and every compatible server take it.

The one rule: nothing is sent that only some servers know, unless the request asks for it; what goes beyond is for `extras`.
"""

from collections.abc import Sequence

import msgspec

from actors.messages import Image, Json, Part, Role, Text, ToolCall, ToolResult
from actors.request import Limits, Request, ToolChoice
from actors.route import Route
from actors.source import EncodingError
from actors.wire.efforts import effort
from actors.wire.pieces import image_url, merged, named_choice, turns, unseal, written

NAME = "openai-chat"
"""Who can read this dialect's seals."""

_NEW_NAMES = ("o1", "o3", "o4", "gpt-", "chatgpt-")
"""How the names of OpenAI's own models begin: they, and they alone, know `max_tokens` by its new name."""

_CHOICES = {ToolChoice.AUTO: "auto", ToolChoice.ANY: "required", ToolChoice.NONE: "none"}


def encode(request: Request, route: Route) -> bytes:
    """The body of `POST /chat/completions`; raises `EncodingError` for what the format does not have."""
    turned = [message for role, parts in turns(request.messages) for message in _turn(role, parts)]
    if not turned:
        raise EncodingError("the request has no message that chat completions can carry; give it a prompt")
    system = [{"role": "system", "content": request.system}] if request.system else []
    body: dict[str, object] = {"model": route.model, "messages": [*system, *turned], "stream": route.streams}
    if route.streams:
        body["stream_options"] = {"include_usage": True}
    body |= _limits(request.limits, route.model)
    if request.tools:
        body["tools"] = [
            {"type": "function", "function": {"name": t.name, "description": t.description, "parameters": t.parameters}}
            for t in request.tools
        ]
    if name := named_choice(request):
        body["tool_choice"] = {"type": "function", "function": {"name": name}}
    elif request.tools and isinstance(request.tool_choice, ToolChoice) and request.tool_choice is not ToolChoice.AUTO:
        body["tool_choice"] = _CHOICES[request.tool_choice]
    if request.schema is not None:
        body["response_format"] = {"type": "json_schema", "json_schema": {"name": "answer", "schema": request.schema}}
    return written(merged(body, request.extras.get(route.provider, {})))


def _limits(limits: Limits, model: str) -> dict[str, object]:
    """The limits; a budget for thinking becomes a word."""
    wanted: dict[str, object] = {
        "max_completion_tokens" if model.startswith(_NEW_NAMES) else "max_tokens": limits.max_tokens,
        "reasoning_effort": effort(limits.thinking_tokens, model),
        "temperature": limits.temperature,
        "top_p": limits.top_p,
        "stop": list(limits.stop) or None,
    }
    return {name: value for name, value in wanted.items() if value is not None}


def _turn(role: Role, parts: Sequence[Part]) -> list[Json]:
    """One turn as messages: the results of tools each as their own, right behind the calls."""
    if role is Role.ASSISTANT:
        return _said(parts)
    results = [_result(part) for part in parts if isinstance(part, ToolResult)]
    content = [_content(part) for part in parts if isinstance(part, Text | Image)]
    if len(content) == 1 and content[0]["type"] == "text":
        return [*results, {"role": "user", "content": content[0]["text"]}]
    return [*results, {"role": "user", "content": content}] if content else results


def _said(parts: Sequence[Part]) -> list[Json]:
    """What the model said; its thinking and blocks of other providers have no place in this format."""
    if any(isinstance(part, Image) for part in parts):
        raise EncodingError("a turn of the assistant has an image, which chat completions cannot carry; leave it out")
    text = "".join(part.text for part in parts if isinstance(part, Text))
    calls = [_call(part) for part in parts if isinstance(part, ToolCall) and not part.hosted]
    if not (text or calls):
        return []
    return [{"role": "assistant", "content": text or None, **({"tool_calls": calls} if calls else {})}]


def _call(call: ToolCall) -> Json:
    arguments = msgspec.json.encode(call.arguments).decode()
    own = unseal(NAME, call.signature) or ""
    beside = {"extra_content": msgspec.json.decode(own)} if own.startswith("{") else {}
    return {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": arguments}, **beside}


def _result(result: ToolResult) -> Json:
    content = result.content
    if not isinstance(content, str):
        if any(isinstance(inner, Image) for inner in content):
            raise EncodingError(
                "a tool's result has an image, which chat completions cannot carry; say it in a user's turn"
            )
        content = "".join(inner.text for inner in content if isinstance(inner, Text))
    return {"role": "tool", "tool_call_id": result.call_id, "content": content}


def _content(part: Text | Image) -> Json:
    if isinstance(part, Text):
        return {"type": "text", "text": part.text}
    return {"type": "image_url", "image_url": {"url": image_url(part)}}
