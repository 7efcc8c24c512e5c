"""The body of a request to OpenAI's Responses.

The one rule: a request leaves nothing behind at the provider.  The whole conversation is sent each time and nothing is stored, so what the
model thought comes back sealed and goes out again as it came; who wants it otherwise says so in `extras`.
"""

from collections.abc import Sequence

import msgspec

from actors.messages import Foreign, Image, Json, Part, Role, Text, Thinking, ToolCall, ToolResult
from actors.request import Limits, Request, ToolChoice
from actors.route import Route
from actors.source import EncodingError
from actors.wire.efforts import effort, thinks
from actors.wire.pieces import image_url, merged, named_choice, turns, unseal, written

NAME = "openai"
"""Who can read this dialect's seals and foreign items."""

_CHOICES = {ToolChoice.AUTO: "auto", ToolChoice.ANY: "required", ToolChoice.NONE: "none"}


def encode(request: Request, route: Route) -> bytes:
    """The body of `POST /responses`; raises `EncodingError` for what the API does not have."""
    items = [item for role, parts in turns(request.messages) for item in _turn(role, parts)]
    if not items:
        raise EncodingError("the request has no message that OpenAI can read; give it a prompt")
    body: dict[str, object] = {"model": route.model, "input": items, "stream": route.streams, "store": False}
    if request.system:
        body["instructions"] = request.system
    if thinks(route.model) or request.limits.thinking_tokens is not None:
        body["include"] = ["reasoning.encrypted_content"]
    body |= _limits(request.limits, route.model)
    if request.tools:
        body["tools"] = [
            {
                "type": "function",
                "name": t.name,
                "description": t.description,
                "parameters": t.parameters,
                "strict": False,
            }
            for t in request.tools
        ]
    if name := named_choice(request):
        body["tool_choice"] = {"type": "function", "name": name}
    elif request.tools and isinstance(request.tool_choice, ToolChoice) and request.tool_choice is not ToolChoice.AUTO:
        body["tool_choice"] = _CHOICES[request.tool_choice]
    if request.schema is not None:
        body["text"] = {"format": {"type": "json_schema", "name": "answer", "schema": request.schema, "strict": False}}
    return written(merged(body, request.extras.get(route.provider, {})))


def _limits(limits: Limits, model: str) -> dict[str, object]:
    """The limits; a budget for thinking becomes a word."""
    if limits.stop:
        raise EncodingError("Responses has no stop texts; leave limits.stop empty or take an openai-chat route")
    word = effort(limits.thinking_tokens, model)
    wanted: dict[str, object] = {
        "max_output_tokens": limits.max_tokens,
        "reasoning": None if word is None else {"effort": word},
        "temperature": limits.temperature,
        "top_p": limits.top_p,
    }
    return {name: value for name, value in wanted.items() if value is not None}


def _turn(role: Role, parts: Sequence[Part]) -> list[Json]:
    items = [
        item for part in parts if not isinstance(part, Text | Image) or role is Role.ASSISTANT for item in _item(part)
    ]
    if role is Role.USER:
        content = [_content(part) for part in parts if isinstance(part, Text | Image)]
        return [*items, {"role": "user", "content": content}] if content else items
    while items and items[-1].get("type") == "reasoning":
        items.pop()  # what nothing follows is refused: it was cut off before it came to anything
    return items


def _item(part: Part) -> list[Json]:
    """The item of one part; none for what only another provider can read."""
    match part:
        case Text(text):
            return [{"role": "assistant", "content": text}] if text else []
        case Image():
            raise EncodingError("a turn of the assistant has an image, which Responses cannot carry; leave it out")
        case Thinking(text, signature):
            return _reasoning(text, unseal(NAME, signature))
        case ToolCall(call_id, name, arguments, signature, hosted):
            own = unseal(NAME, signature) or ""
            beside: Json = msgspec.json.decode(own, type=dict[str, object]) if own.startswith("{") else {}
            call = {"type": "function_call", "call_id": call_id, "name": name}
            return [] if hosted else [{**call, "arguments": msgspec.json.encode(arguments).decode(), **beside}]
        case ToolResult(call_id, content):
            output = content if isinstance(content, str) else [_content(inner) for inner in content]
            return [{"type": "function_call_output", "call_id": call_id, "output": output}]
        case Foreign(provider, _, block):
            return [block] if provider == NAME else []


def _reasoning(text: str, own: str | None) -> list[Json]:
    """Thinking goes back under its seal only: it names an item that means nothing elsewhere."""
    if own is None or not own.startswith("{"):
        return []
    summary = [{"type": "summary_text", "text": text}] if text else []
    return [{"type": "reasoning", "summary": summary, **msgspec.json.decode(own, type=dict[str, object])}]


def _content(part: Text | Image) -> Json:
    if isinstance(part, Text):
        return {"type": "input_text", "text": part.text}
    return {"type": "input_image", "image_url": image_url(part), "detail": "auto"}
