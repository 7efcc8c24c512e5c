"""Claude on Amazon Bedrock through the official client's own variant: it signs, addresses and sends; the bytes are ours, both ways.

A stream comes in frames of Amazon's own around Anthropic's events.  The one rule (P5): an attempt sends at most one request to the provider.
Where no Bedrock key is set requests are signed; credentials that have to be looked up (profiles, roles) are, in a thread that a cancel leaves
to itself, since the library behind it cannot be interrupted.
"""

import os
from collections.abc import AsyncGenerator, Collection, Mapping
from contextlib import asynccontextmanager
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import attrs
import httpx2
import msgspec
import trio

from actors.config import Endpoint
from actors.errors import SettingError
from actors.providers.anthropic import PATH
from actors.providers.connections import Connections, http_client
from actors.providers.keys import Keys
from actors.providers.sources import reading
from actors.providers.stainless import Post
from actors.request import Request
from actors.route import Route
from actors.source import RefusedError, Source
from actors.wire.anthropic import DIALECT as ANTHROPIC
from actors.wire.dialect import Dialect
from actors.wire.eventstream import FramedReader


class _Body(msgspec.Struct):
    message: str = ""
    Message: str = ""


_BODY = msgspec.json.Decoder(_Body)


def _read_error(status: int, headers: Mapping[str, str], body: bytes) -> RefusedError:
    """Amazon names the error in a header and says the rest in `message`."""
    kind = headers.get("x-amzn-errortype", "").partition(":")[0].rpartition("#")[2]
    try:
        said = _BODY.decode(body)
    except (msgspec.DecodeError, UnicodeError):
        said = _Body()
    read = ANTHROPIC.read_error(status, headers, body)
    headers = {"request-id": headers.get("x-amzn-requestid", ""), **headers}
    message = said.message or said.Message or read.message
    return RefusedError(
        message, status=status, kind=kind or read.kind, code=read.code, headers=headers, retry_after=read.retry_after
    )


DIALECT = Dialect(ANTHROPIC.encode, partial(FramedReader, ANTHROPIC.reader), ANTHROPIC.read_reply, _read_error)
"""Anthropic's, in Amazon's frames and with Amazon's errors."""


@attrs.frozen(repr=False)
class Credentials:
    """What requests are signed with; all empty where a key does it."""

    access_key: str = ""
    secret_key: str = ""
    session_token: str = ""


ROLES = (
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
)
"""What the machines of Amazon set where they have a role to give; one without (EC2) is asked where AWS_EC2_METADATA_DISABLED is `false`."""

NONE_FOUND = (
    "there are no AWS credentials, and routes of bedrock need them: export AWS_BEARER_TOKEN_BEDROCK=..., or AWS_ACCESS_KEY_ID and "
    "AWS_SECRET_ACCESS_KEY, or AWS_PROFILE; on EC2 export AWS_EC2_METADATA_DISABLED=false to use the machine's role"
)


class BedrockProvider:
    """Answers requests at an endpoint over our connections. Making one imports the official client (about a second).

    Raises `SettingError` where there is nothing to log in with, or the library for it is not installed.
    """

    def __init__(self, endpoint: Endpoint, connections: Connections) -> None:
        self._endpoint = endpoint
        self._http = http_client(connections)
        self._given = _given(endpoint)
        check(endpoint)
        self._signers: dict[Credentials, Post] = {}
        self._session: Any = None
        self._keys = Keys(endpoint, lambda key: _post(endpoint, self._http, key, Credentials()) if key else None)

    @asynccontextmanager
    async def open(self, request: Request, route: Route) -> AsyncGenerator[Source]:
        """Send the request and give its answer; raises as `AnthropicProvider.open` does."""
        content = DIALECT.encode(request, route)

        async def ask(post: Post | None) -> httpx2.Response:
            return await (post or await self._signer())(PATH, content, route, DIALECT)

        response = await self._keys.ask(ask)
        async with reading(response, DIALECT, route, response.headers.get("x-amzn-requestid", "")) as source:
            yield source

    async def _signer(self) -> Post:
        """A client with the credentials of this moment."""
        credentials = self._given
        if not credentials.access_key:
            credentials = await trio.to_thread.run_sync(self._looked_up, abandon_on_cancel=True)
        if credentials not in self._signers:
            if credentials.session_token and self._endpoint.tell is not None:
                self._endpoint.tell(credentials.session_token)
            self._signers = {credentials: _post(self._endpoint, self._http, "", credentials)}
        return self._signers[credentials]

    def _looked_up(self) -> Credentials:
        """In a thread: what the chain of Amazon's library finds, and renews when it is due."""
        import boto3  # noqa: PLC0415 -- few runs need it
        from botocore.exceptions import BotoCoreError  # noqa: PLC0415 -- the same

        made: Any = boto3
        try:
            self._session = self._session or made.Session(profile_name=self._endpoint.option("profile") or None)
            found = self._session.get_credentials()
            frozen = found and found.get_frozen_credentials()
        except BotoCoreError as error:
            message = f"AWS credentials cannot be looked up: {type(error).__name__}: {error}"
            raise RefusedError(message, status=401, kind="no_credentials") from error
        if frozen is None:
            raise RefusedError("no AWS credentials were found after all", status=401, kind="no_credentials")
        return Credentials(frozen.access_key, frozen.secret_key, frozen.token or "")


def _given(endpoint: Endpoint) -> Credentials:
    return Credentials(*(endpoint.option(name) for name in ("access_key", "secret_key", "session_token")))


def check(endpoint: Endpoint) -> None:
    """Raises `SettingError` where there is no key and nothing can come of signing."""
    if endpoint.keys or endpoint.refresh is not None:
        return
    given = _given(endpoint)
    if find_spec("boto3") is None:
        raise SettingError(
            "boto3 is not installed, and routes of bedrock sign with it: pip install 'trio-supervisor[bedrock]', or export "
            "AWS_BEARER_TOKEN_BEDROCK=..."
        )
    if bool(given.access_key) != bool(given.secret_key):
        missing = "AWS_SECRET_ACCESS_KEY" if given.access_key else "AWS_ACCESS_KEY_ID"
        raise SettingError(f"{missing} is not set, and the other half of the AWS key is: export both, or neither")
    profile = endpoint.option("profile")
    if profile and not given.access_key and profile not in _profiles():
        raise SettingError(
            f"AWS_PROFILE is {profile!r}, which the AWS configuration files do not have; correct it or unset it"
        )
    files = [
        Path(os.environ.get(name, usual)).expanduser()
        for name, usual in (
            ("AWS_SHARED_CREDENTIALS_FILE", "~/.aws/credentials"),
            ("AWS_CONFIG_FILE", "~/.aws/config"),
        )
    ]
    machine = os.environ.get("AWS_EC2_METADATA_DISABLED", "").lower() == "false"
    roles = machine or any(os.environ.get(name) for name in ROLES)
    if not (given.access_key or profile or roles or any(file.is_file() for file in files)):
        raise SettingError(NONE_FOUND)


def _profiles() -> Collection[str]:
    import botocore.session  # noqa: PLC0415 -- few runs need it

    made: Any = botocore.session
    return made.Session().full_config["profiles"]


def _post(endpoint: Endpoint, http: httpx2.AsyncClient, key: str, credentials: Credentials) -> Post:
    from anthropic import (  # noqa: PLC0415 -- takes a second, and many runs never need it
        APIConnectionError,
        APIStatusError,
        AsyncStream,
    )
    from anthropic._base_client import get_platform  # noqa: PLC0415 -- no public way to say it beforehand
    from anthropic.lib.bedrock import AsyncAnthropicBedrock  # noqa: PLC0415 -- the same

    region = endpoint.option("region")
    client = AsyncAnthropicBedrock(
        # An empty key too, and the address that the client knows itself, or it would take what the environment may hold.
        api_key=key,
        aws_region=region,
        base_url=endpoint.base_url or f"https://bedrock-runtime.{region}.amazonaws.com",
        http_client=http,
        max_retries=0,
        open_telemetry=False,
    )
    if not key:
        client.api_key = None
        client.aws_access_key, client.aws_secret_key = credentials.access_key, credentials.secret_key
        client.aws_session_token = credentials.session_token or None
    client._platform = get_platform()  # noqa: SLF001  # pyright: ignore[reportPrivateUsage] -- the same
    return Post(client.post, AsyncStream, APIStatusError, APIConnectionError, opened=True)
