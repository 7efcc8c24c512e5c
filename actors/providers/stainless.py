"""Sending through the official clients of Anthropic and OpenAI: Stainless makes both, so one way serves both.

The one rule (P5): an attempt sends at most one request, and nothing is sent outside an attempt. So the client is made
with `max_retries=0`, and is told its platform: it would ask a thread for it before the first request, and meanwhile a
mock clock would jump and the order of events would be left to chance.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any, cast

import attrs
import httpx2
import msgspec

from actors.providers.sources import refused
from actors.route import Clocks, Route
from actors.wire.dialect import Dialect

if TYPE_CHECKING:
    import anthropic
    import openai

CONTENT = {"Content-Type": "application/json"}


@attrs.frozen
class Post:
    """A client's low-level call, with the exceptions of its package.

    `send` is the bound `post` of the client; `stream_cls` is what it wants to be told although no such stream is made.
    `headers` go with every request.  `opened`: a cloud's client reads the body to address the request, so it is given the fields
    and writes them itself.
    """

    send: Callable[..., Awaitable[object]]
    stream_cls: type
    refused: "type[anthropic.APIStatusError | openai.APIStatusError]"
    unreached: "type[anthropic.APIConnectionError | openai.APIConnectionError]"
    headers: Mapping[str, Any] = CONTENT
    opened: bool = False

    async def __call__(self, path: str, content: bytes, route: Route, dialect: Dialect) -> httpx2.Response:
        """One request, the answer's body still unread.

        An explicit timeout: the stream layer's clocks hold, not the client's.
        Raises `RefusedError` for a status of 300 or more, and the exceptions of httpx2 for what happens on the way.
        """
        connect = (route.clocks or Clocks()).connect
        try:
            answer = await self.send(
                path,
                cast_to=httpx2.Response,
                **({"body": msgspec.json.decode(content)} if self.opened else {"content": content}),
                options={"headers": self.headers, "timeout": httpx2.Timeout(None, connect=connect)},
                stream=True,
                stream_cls=self.stream_cls,
            )
        except self.refused as error:
            raise refused(error.response, dialect) from None
        except self.unreached as error:
            wrapped = error.__cause__ or error  # what happened, a bug of ours too, without the client's wrapping
            raise wrapped from wrapped.__cause__
        return cast("httpx2.Response", answer)  # as `cast_to` asked for, whatever a stream's class is
