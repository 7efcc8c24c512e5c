"""The body of a request to Google's generateContent; the model and whether it streams stand in the address, not in the body.

The one rule: what the model sealed goes back in the part it came with, since Gemini refuses a call without the seal on it.
"""

from collections.abc import Iterable, Mapping, Sequence

from actors.messages import Foreign, Image, Json, Message, Part, Role, Text, Thinking, ToolCall, ToolResult
from actors.request import Limits, Request, ToolChoice
from actors.route import Route
from actors.source import EncodingError
from actors.wire.pieces import base64_of, joined, merged, named_choice, turns, unseal, written

NAME = "gemini"
"""Who can read this dialect's seals and foreign parts."""

_UNSEALED = "skip_thought_signature_validator"
"""What Google's documentation gives as the seal of a call that another model made."""

_ROLES = {Role.USER: "user", Role.ASSISTANT: "model"}
_MODES = {ToolChoice.AUTO: "AUTO", ToolChoice.ANY: "ANY", ToolChoice.NONE: "NONE"}


def encode(request: Request, route: Route) -> bytes:
    """The body of `POST models/...:generateContent`; raises `EncodingError` for what the API does not have."""
    names = _call_names(request.messages)
    sealing = "gemini-3" in route.model
    told = joined(
        (role, _sealed(_parts(role, parts, names), needed=sealing)) for role, parts in turns(request.messages)
    )
    contents = [{"role": _ROLES[role], "parts": parts} for role, parts in told]
    if not contents:
        raise EncodingError("the request has no message that Gemini can read; give it a prompt")
    body: dict[str, object] = {"contents": contents}
    if request.system:
        body["systemInstruction"] = {"parts": [{"text": request.system}]}
    if request.tools:
        declared = [
            {"name": t.name, "description": t.description, "parametersJsonSchema": t.parameters} for t in request.tools
        ]
        body["tools"] = [{"functionDeclarations": declared}]
    if calling := _calling(request):
        body["toolConfig"] = {"functionCallingConfig": calling}
    if settings := _settings(request.limits, request.schema):
        body["generationConfig"] = settings
    return written(merged(body, request.extras.get(route.provider, {})))


def _calling(request: Request) -> Json:
    if name := named_choice(request):
        return {"mode": "ANY", "allowedFunctionNames": [name]}
    choice = request.tool_choice
    if not request.tools or not isinstance(choice, ToolChoice) or choice is ToolChoice.AUTO:
        return {}
    return {"mode": _MODES[choice]}


def _settings(limits: Limits, schema: Json | None) -> Json:
    budget = limits.thinking_tokens
    wanted: dict[str, object] = {
        "maxOutputTokens": limits.max_tokens,
        "thinkingConfig": None if budget is None else {"thinkingBudget": budget, "includeThoughts": True},
        "temperature": limits.temperature,
        "topP": limits.top_p,
        "stopSequences": list(limits.stop) or None,
        "responseMimeType": None if schema is None else "application/json",
        "responseJsonSchema": schema,
    }
    return {name: value for name, value in wanted.items() if value is not None}


def _call_names(messages: Iterable[Message]) -> Mapping[str, str]:
    """The tools' names by the calls' ids: a result must name its tool."""
    return {part.id: part.name for message in messages for part in message.parts if isinstance(part, ToolCall)}


def _parts(role: Role, parts: Sequence[Part], names: Mapping[str, str]) -> list[dict[str, object]]:
    """The parts of one turn; results of tools stand first in it."""
    ordered = sorted(parts, key=_after_results) if role is Role.USER else parts
    return [told for part in ordered for told in _part(part, names)]


def _after_results(part: Part) -> bool:
    return not isinstance(part, ToolResult)


def _part(part: Part, names: Mapping[str, str]) -> list[dict[str, object]]:
    """One part; none for what only another provider can read."""
    match part:
        case Text(text):
            return [{"text": text or " "}]
        case Image():
            return [_image(part)]
        case Thinking(text, signature):
            own = unseal(NAME, signature)
            thought = {"thought": True} if text else {}
            return [{"text": text, **thought, "thoughtSignature": own}] if own else []
        case ToolCall(call_id, name, arguments, signature, hosted):
            own = unseal(NAME, signature)
            seal = {"thoughtSignature": own} if own else {}
            return [] if hosted else [{"functionCall": {"id": call_id, "name": name, "args": arguments}, **seal}]
        case ToolResult():
            return [_result(part, names)]
        case Foreign(provider, _, block):
            return [dict(block)] if provider == NAME else []


def _image(image: Image) -> dict[str, object]:
    if image.url and not image.content:
        return {"fileData": {"fileUri": image.url, **({"mimeType": image.media_type} if image.media_type else {})}}
    return {"inlineData": {"data": base64_of(image), "mimeType": image.media_type}}


def _result(result: ToolResult, names: Mapping[str, str]) -> dict[str, object]:
    name = result.name or names.get(result.call_id, "")
    if not name:
        raise EncodingError(
            f"the result of call {result.call_id!r} follows no such call, and Gemini needs its tool's name; set ToolResult.name"
        )
    inner = (Text(result.content),) if isinstance(result.content, str) else result.content
    text = "".join(part.text for part in inner if isinstance(part, Text))
    told: dict[str, object] = {
        "id": result.call_id,
        "name": name,
        "response": {"error" if result.is_error else "output": text},
    }
    if images := [_image(part) for part in inner if isinstance(part, Image)]:
        told["parts"] = images
    return {"functionResponse": told}


def _sealed(parts: list[dict[str, object]], *, needed: bool) -> list[dict[str, object]]:
    """The parts, the first call among them sealed where the model insists: calls of another provider have no seal of Gemini's."""
    calls = [part for part in parts if "functionCall" in part]
    if needed and calls and not any("thoughtSignature" in call for call in calls):
        calls[0]["thoughtSignature"] = _UNSEALED
    return parts
