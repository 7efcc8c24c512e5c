"""Access tokens of Google Cloud for Vertex AI: its own library knows the kinds of credentials, our connections carry what it sends.

That library blocks, so it runs in a thread; whatever it wants from the network is sent by the task that waits for it, over the pool of all
the others.  So a cancel is felt at once, no thread is left behind, and what the token server says when it is ill is judged where all weather
is (the library would sleep and try again).  The one rule: whether there are credentials is known before anything opens.
"""

import os
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs
import trio

from actors.config import Endpoint, Expiring
from actors.errors import SettingError
from actors.providers.connections import Connections, http_client
from actors.source import RefusedError

SCOPES = ("https://www.googleapis.com/auth/cloud-platform",)

SECONDS = 20.0
"""How long a token server may take to answer, where the library does not say."""

NONE_FOUND = (
    "there are no Google credentials, and routes of {} need them: run `gcloud auth application-default login`, or export "
    "GOOGLE_APPLICATION_CREDENTIALS=FILE or GOOGLE_OAUTH_ACCESS_TOKEN=..."
)


def address(location: str) -> str:
    """Where Vertex AI is for a region.  The clients know too, but would ask the environment first."""
    if location == "global":
        return "https://aiplatform.googleapis.com"
    return (
        f"https://aiplatform.{location}.rep.googleapis.com"
        if location in {"us", "eu"}
        else f"https://{location}-aiplatform.googleapis.com"
    )


def logged_in(endpoint: Endpoint, connections: Connections) -> Endpoint:
    """The endpoint with somebody who gives it tokens, where it has none; raises `SettingError` where there are no credentials."""
    if endpoint.keys or endpoint.refresh is not None:
        return endpoint
    return attrs.evolve(endpoint, refresh=GoogleLogin(endpoint, connections).token)


def check(endpoint: Endpoint) -> None:
    """Raises `SettingError` where there is no token and nobody to give one."""
    if not endpoint.keys and endpoint.refresh is None:
        _credentials(endpoint)


class GoogleLogin:
    """Gives access tokens for the credentials that are configured, or that this machine has."""

    def __init__(self, endpoint: Endpoint, connections: Connections) -> None:
        self._credentials = _credentials(endpoint)
        self._http = http_client(connections)

    async def token(self) -> Expiring:
        """A new token; raises what the library or the network raised, `RefusedError` for a token server that is ill."""
        credentials = self._credentials
        await trio.to_thread.run_sync(credentials.refresh, self._request)
        expiry = credentials.expiry
        lasts = float("inf") if expiry is None else (expiry - _now()).total_seconds()
        return Expiring(credentials.token or "", lasts)

    def _request(
        self,
        url: str,
        method: str = "GET",
        body: bytes | str | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float | None = None,
        **_: Any,
    ) -> "Answered":
        """Called in the thread; sent by the task that waits for it."""
        seconds = timeout or SECONDS

        async def send() -> "Answered":
            response = await self._http.request(method, url, content=body, headers=dict(headers or {}), timeout=seconds)
            return Answered(response.status_code, dict(response.headers), response.content)

        answered = trio.from_thread.run(send)
        if answered.status == 429 or answered.status >= 500:
            message = f"Google's token server answered with status {answered.status}"
            raise RefusedError(message, status=answered.status)
        return answered


@attrs.frozen
class Answered:
    """An answer as the library reads it."""

    status: int
    headers: Mapping[str, str]
    data: bytes = attrs.field(repr=False)


def _now() -> Any:
    from google.auth import _helpers  # noqa: PLC0415 -- as its expiry is told: UTC without a zone

    helpers: Any = _helpers
    return helpers.utcnow()


def _credentials(endpoint: Endpoint) -> Any:
    path = endpoint.option("credentials")
    if path and not Path(path).expanduser().is_file():
        raise SettingError(f"GOOGLE_APPLICATION_CREDENTIALS is {path!r}, where no file is; correct it or unset it")
    try:
        import google.auth  # noqa: PLC0415 -- few runs need it
        from google.auth import _cloud_sdk, compute_engine, exceptions  # noqa: PLC0415 -- the same
        from google.auth.compute_engine import _metadata  # noqa: PLC0415 -- the same
    except ImportError:
        raise SettingError(
            f"google-auth is not installed, and routes of {endpoint.provider} need it: pip install 'trio-supervisor[vertex]'"
        ) from None
    auth: Any = google.auth
    sdk, engine, metadata, problems = _untyped(_cloud_sdk, compute_engine, _metadata, exceptions)
    file = Path(path or sdk.get_application_default_credentials_path()).expanduser()
    if not file.is_file():
        if os.environ.get("GCE_METADATA_HOST") or metadata.detect_gce_residency_linux():
            return engine.Credentials(scopes=SCOPES)
        raise SettingError(NONE_FOUND.format(endpoint.provider))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter(
                "ignore", DeprecationWarning
            )  # it warns of files from strangers; this one is the person's own
            return auth.load_credentials_from_file(str(file), scopes=list(SCOPES))[0]
    except problems.GoogleAuthError as error:
        raise SettingError(
            f"{file} holds no Google credentials: {type(error).__name__}; make it anew with gcloud"
        ) from None


def _untyped(*modules: Any) -> tuple[Any, ...]:
    """Modules that do not tell their types."""
    return modules
