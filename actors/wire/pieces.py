"""Pieces of request bodies that dialects share.

The one rule: what a provider sealed (a signature, a block of its own) is sent back to that provider alone.  A seal therefore carries its
dialect's name before a colon, which no provider's own signature contains.
"""

import base64
from collections.abc import Iterable, Iterator
from typing import TypeVar

import msgspec

from actors.messages import Image, Json, Message, Part, Role, ToolCall, ToolResult
from actors.request import Request, ToolChoice
from actors.source import EncodingError
from actors.wire.shapes import is_array, is_object

Piece = TypeVar("Piece")


def seal(dialect: str, signature: str) -> str:
    """A provider's signature with the name of who can read it."""
    return f"{dialect}:{signature}"


def unseal(dialect: str, sealed: str) -> str | None:
    """The signature as the provider sent it; `None` where another provider did. Without a name it is given as it is."""
    owner, colon, signature = sealed.partition(":")
    if not colon:
        return sealed
    return signature if owner == dialect else None


def merged(body: dict[str, object], extras: Json) -> dict[str, object]:
    """The body with extra fields: objects are merged, lists go on, anything else replaces what was there."""
    whole = dict(body)
    for name, extra in extras.items():
        here = whole.get(name)
        if is_object(here) and is_object(extra):
            whole[name] = merged(here, extra)
        elif is_array(here) and is_array(extra):
            whole[name] = [*here, *extra]
        else:
            whole[name] = extra
    return whole


def written(body: Json) -> bytes:
    """The body as JSON; raises `EncodingError` for values that JSON does not have."""
    try:
        return msgspec.json.encode(body)
    except (TypeError, ValueError, OverflowError) as error:
        raise EncodingError(f"the request holds a value that JSON cannot carry: {error}") from error


def base64_of(image: Image) -> str:
    """The image's bytes; raises `EncodingError` where there are none or their type is not said."""
    if not image.content:
        raise EncodingError("an image has neither content nor url; give it one of them")
    if not image.media_type:
        raise EncodingError("an image has content but no media_type; say which it is, for example image/png")
    return base64.b64encode(image.content).decode()


def image_url(image: Image) -> str:
    """Where the image is: its own address, or a `data:` address that holds it."""
    if image.url and not image.content:
        return image.url
    return f"data:{image.media_type};base64,{base64_of(image)}"


def image_at(url: str) -> Image:
    """The image at an address; one that the address itself holds is taken out of it."""
    media_type, marked, content = url.removeprefix("data:").partition(";base64,")
    if not (marked and url.startswith("data:")):
        return Image(url=url)
    try:
        return Image(media_type, base64.b64decode(content, validate=True))
    except ValueError:
        return Image(url=url)


NOT_RUN = "the call was not run: the turn was interrupted"
"""What stands for the result of a call that has none, since providers refuse a conversation in which a call is left open."""


def turns(messages: tuple[Message, ...]) -> Iterator[tuple[Role, list[Part]]]:
    """The conversation with neighbours of one role made one turn, each with the parts that role may say, and every call answered."""
    calls: list[ToolCall] = []
    for role, parts in _merged(messages):
        yield role, parts if role is Role.ASSISTANT else [*_missing(calls, parts), *parts]
        calls = [part for part in parts if isinstance(part, ToolCall) and not part.hosted]
    if calls:
        yield Role.USER, _missing(calls, [])


def _missing(calls: list[ToolCall], parts: list[Part]) -> list[Part]:
    """An errored result for each call that these parts do not answer."""
    answered = {part.call_id for part in parts if isinstance(part, ToolResult)}
    return [ToolResult(call.id, NOT_RUN, is_error=True, name=call.name) for call in calls if call.id not in answered]


def _merged(messages: tuple[Message, ...]) -> Iterator[tuple[Role, list[Part]]]:
    role, parts = Role.USER, list[Part]()
    for message in filter(_speaks, messages):
        if message.role is not role and parts:
            yield role, parts
            parts = []
        role = message.role
        parts += [_checked(role, part) for part in message.parts]
    if parts:
        yield role, parts


def _speaks(message: Message) -> bool:
    return bool(message.parts)


def joined(told: Iterable[tuple[Role, list[Piece]]]) -> list[tuple[Role, list[Piece]]]:
    """Turns as a dialect wrote them, without those that came to nothing in it, and neighbours of one role made one turn again."""
    whole: list[tuple[Role, list[Piece]]] = []
    for role, pieces in told:
        if whole and pieces and whole[-1][0] is role:
            whole[-1] = (role, [*whole[-1][1], *pieces])
        elif pieces:
            whole.append((role, pieces))
    return whole


def _checked(role: Role, part: Part) -> Part:
    wrong = ToolCall if role is Role.USER else ToolResult
    if isinstance(part, wrong):
        raise EncodingError(
            f"a {type(part).__name__} stands in a turn of the {role.value}; only the other side can say it"
        )
    return part


def named_choice(request: Request) -> str | None:
    """The one tool that must be called; raises `EncodingError` where the choice asks for a tool that is not there."""
    choice, names = request.tool_choice, [tool.name for tool in request.tools]
    if isinstance(choice, str):
        if choice not in names:
            raise EncodingError(f"tool_choice names {choice!r}, which is none of the tools {names}")
        return choice
    if choice is ToolChoice.ANY and not names:
        raise EncodingError("tool_choice is ANY and the request has no tools; add one or leave the choice at AUTO")
    return None
