"""What the words and numbers of the outside world mean: statuses, providers' codes, system errors, exceptions by name.

Tables only; `classify` says in which order they are asked.  The one rule: a row is a fact that a provider documents or that was seen on
the wire, and no text is looked for anywhere but at the beginning of a message.
"""

import errno
import re

from actors.failure import FailureKind

K = FailureKind

BY_STATUS: dict[int, FailureKind] = {
    # No attempt follows a redirect: the address is wrong.
    **dict.fromkeys(range(300, 400), K.PROTOCOL),
    400: K.INVALID_REQUEST,
    401: K.INVALID_KEY,
    402: K.QUOTA,
    403: K.PERMISSION,
    404: K.MODEL_UNAVAILABLE,
    407: K.PERMISSION,
    408: K.TIMEOUT,
    409: K.SERVER,
    410: K.MODEL_UNAVAILABLE,
    413: K.TOO_LARGE,
    414: K.TOO_LARGE,
    422: K.INVALID_REQUEST,
    425: K.UNAVAILABLE,
    429: K.RATE_LIMIT,
    431: K.TOO_LARGE,
    499: K.RESET,
    500: K.SERVER,
    502: K.UNAVAILABLE,
    503: K.UNAVAILABLE,
    504: K.TIMEOUT,
    529: K.OVERLOADED,
}

BY_CODE: dict[str, FailureKind] = {
    # Anthropic's error types
    "rate_limit_error": K.RATE_LIMIT,
    "overloaded_error": K.OVERLOADED,
    "api_error": K.SERVER,
    "timeout_error": K.TIMEOUT,
    "authentication_error": K.INVALID_KEY,
    "permission_error": K.PERMISSION,
    "not_found_error": K.MODEL_UNAVAILABLE,
    "request_too_large": K.TOO_LARGE,
    "billing_error": K.QUOTA,
    "contract_spend_limit_reached": K.QUOTA,
    "enforced_spend_limit_reached": K.QUOTA,
    "linked_organization_spend_limit_reached": K.QUOTA,
    "linked_organization_billing_unavailable": K.QUOTA,
    "ramp_limit_exceeded": K.RATE_LIMIT,
    "organization_on_hold": K.PERMISSION,
    # Claude Code's words, as its command line says them
    "authentication_failed": K.INVALID_KEY,
    "oauth_org_not_allowed": K.PERMISSION,
    "rate_limit": K.RATE_LIMIT,
    "overloaded": K.OVERLOADED,
    "invalid_request": K.INVALID_REQUEST,
    "max_output_tokens": K.INVALID_REQUEST,
    "error_max_turns": K.INVALID_REQUEST,
    "error_max_budget_usd": K.QUOTA,
    "program_unusable": K.PROGRAM,
    # OpenAI's codes and types
    "insufficient_quota": K.QUOTA,
    "credit_balance_exhausted": K.QUOTA,
    "organization_spend_limit_exceeded": K.QUOTA,
    "project_spend_limit_exceeded": K.QUOTA,
    "organization_usage_limit_exceeded": K.QUOTA,
    "billing_hard_limit_reached": K.QUOTA,
    "billing_not_active": K.QUOTA,
    "rate_limit_exceeded": K.RATE_LIMIT,
    "slow_down": K.OVERLOADED,
    "server_error": K.SERVER,
    "invalid_request_error": K.INVALID_REQUEST,
    "vector_store_timeout": K.TIMEOUT,
    "invalid_api_key": K.INVALID_KEY,
    "model_not_found": K.MODEL_UNAVAILABLE,
    "context_length_exceeded": K.CONTEXT_WINDOW,
    "exceed_context_size_error": K.CONTEXT_WINDOW,
    "content_policy_violation": K.POLICY,
    "content_filter": K.POLICY,
    "invalid_prompt": K.POLICY,
    "tool_use_failed": K.TOOL_JSON,
    # Words of servers that speak OpenAI's format
    "invalid_model": K.MODEL_UNAVAILABLE,
    "DeploymentNotFound": K.MODEL_UNAVAILABLE,
    "too_many_prompt_tokens": K.CONTEXT_WINDOW,
    "rate_limited": K.RATE_LIMIT,
    "RateLimitReached": K.RATE_LIMIT,
    "wrong_api_key": K.INVALID_KEY,
    "unsupported_country_region_territory": K.PERMISSION,
    # AWS's exceptions, as Bedrock says them
    "ThrottlingException": K.RATE_LIMIT,
    "ServiceQuotaExceededException": K.QUOTA,
    "ServiceUnavailableException": K.UNAVAILABLE,
    "InternalServerException": K.SERVER,
    "ModelTimeoutException": K.TIMEOUT,
    "ModelNotReadyException": K.UNAVAILABLE,
    "ModelErrorException": K.SERVER,
    "ModelStreamErrorException": K.SERVER,
    "ValidationException": K.INVALID_REQUEST,
    "ResourceNotFoundException": K.MODEL_UNAVAILABLE,
    "AccessDeniedException": K.PERMISSION,
    "UnrecognizedClientException": K.INVALID_KEY,
    "InvalidSignatureException": K.INVALID_KEY,
    "ExpiredTokenException": K.EXPIRED_KEY,
    # Google's statuses and reasons
    "API_KEY_INVALID": K.INVALID_KEY,
    "UNAUTHENTICATED": K.INVALID_KEY,
    "PERMISSION_DENIED": K.PERMISSION,
    "NOT_FOUND": K.MODEL_UNAVAILABLE,
    "RESOURCE_EXHAUSTED": K.RATE_LIMIT,
    "INTERNAL": K.SERVER,
    "UNAVAILABLE": K.UNAVAILABLE,
    "DEADLINE_EXCEEDED": K.TIMEOUT,
    "CANCELLED": K.RESET,
}

VAGUE = frozenset({K.SERVER, K.INVALID_REQUEST})
"""What a provider's word says when it only names the culprit (`api_error` comes with 401 too): the status says more."""

SPENT_FOR_LONG = re.compile(r"PerDay|PerMonth|=0(?:,|$)")
"""In the names of the quotas that Google says are used up, each with its limit where that is none at all: waiting does not help."""


def _begins(*patterns: str) -> "re.Pattern[str]":
    """Whether a message in lower case begins so; a pattern that is longer than a beginning binds what stands between."""
    return re.compile("|".join(f"(?:{pattern})" for pattern in patterns))


BY_PHRASE: tuple[tuple[FailureKind, "re.Pattern[str]", FailureKind], ...] = (
    (
        K.INVALID_REQUEST,
        _begins(
            "prompt is too long",
            "prompt too long",
            "input length and `max_tokens` exceed",
            "the input token count",
            "unable to submit request because the input token count",
            "this model's maximum context length is",
            "this endpoint's maximum context length is",
            "this model's maximum prompt length is",
            "the input length exceeds the context length",
            "the request exceeds the available context size",
            "please reduce the length of the messages",
            "too many tokens: size limit exceeded",
            "token limit reached",
            r"prompt contains \d+ tokens\b.*\btoo large for model",
            r"input is too long for requested model",
        ),
        K.CONTEXT_WINDOW,
    ),
    (K.SERVER, _begins("context size has been exceeded"), K.CONTEXT_WINDOW),
    (K.INVALID_REQUEST, _begins("too many total text bytes"), K.TOO_LARGE),
    (
        K.SERVER,
        _begins(
            "api error: connection closed mid-response",
            "api error: connection to the api was lost",
            "api error: stream ended",
        ),
        K.TRUNCATED,
    ),
    (K.SERVER, _begins("api error: json parse error"), K.MALFORMED),
    (K.SERVER, _begins("api error: overloaded"), K.OVERLOADED),
    (K.SERVER, _begins("api error: the operation timed out"), K.TIMEOUT),
    (K.SERVER, _begins("api error: unable to connect"), K.REFUSED),
    (K.RATE_LIMIT, _begins("the service may be temporarily overloaded"), K.OVERLOADED),
    (
        K.INVALID_REQUEST,
        _begins("your credit balance is too low", "you have reached your specified api usage"),
        K.QUOTA,
    ),
    (K.RATE_LIMIT, _begins("you have reached your specified api usage"), K.QUOTA),
    (K.INVALID_REQUEST, _begins("api key not valid", "incorrect api key provided"), K.INVALID_KEY),
    (K.INVALID_REQUEST, _begins("api key expired"), K.EXPIRED_KEY),
    (K.INVALID_KEY, _begins("api key expired", "oauth token has expired"), K.EXPIRED_KEY),
    (
        K.INVALID_KEY,
        _begins(
            "no auth credentials found",
            "no cookie auth credentials found",
            "missing authentication header",
            "you didn't provide an api key",
            "x-api-key header is required",
        ),
        K.MISSING_KEY,
    ),
    (K.PERMISSION, _begins("method doesn't allow unregistered callers"), K.MISSING_KEY),
    (K.INVALID_REQUEST, _begins("user location is not supported"), K.PERMISSION),
    (K.INVALID_REQUEST, _begins("the provided model identifier is invalid"), K.MODEL_UNAVAILABLE),
    (K.MODEL_UNAVAILABLE, _begins("not found: cache content"), K.INVALID_REQUEST),
)
"""What the status says, how a message begins that says more, and what it is then."""

HOPELESS = _begins("request too large for ")
"""How the message of a rate limit begins that one request alone is above: to ask again is in vain."""

BY_TYPE: dict[str, FailureKind] = {
    "ConnectTimeout": K.CONNECT_TIMEOUT,
    "TimeoutException": K.TIMEOUT,
    "APITimeoutError": K.TIMEOUT,
    "TooSlowError": K.TIMEOUT,
    "TimeoutError": K.TIMEOUT,
    "ConnectError": K.REFUSED,
    "ConnectionRefusedError": K.REFUSED,
    "ProxyError": K.REFUSED,
    "NetworkError": K.RESET,
    "ConnectionError": K.RESET,
    "BrokenResourceError": K.RESET,
    "APIConnectionError": K.RESET,
    "RemoteProtocolError": K.PROTOCOL,
    "UnsupportedProtocol": K.PROTOCOL,
    "TooManyRedirects": K.PROTOCOL,
    "DecodingError": K.MALFORMED,
    "APIResponseValidationError": K.MALFORMED,
    "SSEError": K.MALFORMED,
    "UnknownApiResponseError": K.MALFORMED,
    "ContinuationInterruptedError": K.TRUNCATED,
    "WebSocketConnectionClosedError": K.RESET,
    "ContentFilterFinishReasonError": K.POLICY,
    "LengthFinishReasonError": K.INVALID_REQUEST,
    "ProtocolError": K.PROTOCOL,
    "TransportError": K.RESET,
    "RequestError": K.UNKNOWN,
    "HTTPError": K.UNKNOWN,
    # What finds, exchanges and refreshes credentials: of Anthropic, Google and AWS
    "CredentialsError": K.INVALID_KEY,
    "WorkloadIdentityError": K.INVALID_KEY,
    "IdentityTokenFileError": K.MISSING_KEY,
    "DefaultCredentialsError": K.MISSING_KEY,
    "RefreshError": K.EXPIRED_KEY,
    "NoCredentialsError": K.MISSING_KEY,
    "PartialCredentialsError": K.MISSING_KEY,
    "CredentialRetrievalError": K.INVALID_KEY,
    "TokenRetrievalError": K.EXPIRED_KEY,
    "UnauthorizedSSOTokenError": K.EXPIRED_KEY,
    "InvalidURL": K.PROTOCOL,
    "herror": K.DNS_PERMANENT,
    "Cancelled": K.CANCELLED,
    "KeyboardInterrupt": K.CANCELLED,
    "CancelledError": K.CANCELLED,
    # A line that breaks under TLS is no flaw of TLS.
    "SSLEOFError": K.RESET,
    "SSLSyscallError": K.RESET,
    "SSLZeroReturnError": K.RESET,
    "SSLCertVerificationError": K.TLS,
    "SSLError": K.TLS,
}
"""By the name of the exception's class or, where that is not here, of the nearest of its bases that is."""

BUGS = frozenset({"LocalProtocolError", "ClosedResourceError"})
"""Exceptions that a base would make weather, and that tell of a wrong use by this program."""

BY_ERRNO: dict[int, FailureKind] = {
    errno.ECONNREFUSED: K.REFUSED,
    errno.ECONNRESET: K.RESET,
    errno.ECONNABORTED: K.RESET,
    errno.EPIPE: K.RESET,
    errno.ENOTCONN: K.RESET,
    errno.ESHUTDOWN: K.RESET,
    errno.ENETRESET: K.RESET,
    errno.ETIMEDOUT: K.TIMEOUT,
    errno.EHOSTUNREACH: K.REFUSED,
    errno.EHOSTDOWN: K.REFUSED,
    errno.ENETUNREACH: K.REFUSED,
    errno.ENETDOWN: K.REFUSED,
    errno.EADDRNOTAVAIL: K.REFUSED,
    errno.EMFILE: K.FILES,
    errno.ENFILE: K.FILES,
    errno.EAGAIN: K.CPU,
    errno.ENOMEM: K.MEMORY,
    errno.ENOBUFS: K.MEMORY,
}

NO_THREAD = "can't start new thread"
"""What Python says where the system gives this process no more threads; names are looked up in threads."""

TEMPORARY_LOOKUP = frozenset({-3, -10, -11, 2, 11002})
"""Lookup errors that pass: EAI_AGAIN, EAI_MEMORY and EAI_SYSTEM of Linux, EAI_AGAIN of macOS and of Windows; others are final."""

NO_ANSWER = ("server disconnected", "the server disconnected without an answer")
CUT_ANSWER = ("peer closed connection", "the server disconnected")
"""How the messages of h11, httpcore2 and our own transport begin where the peer closed rather than spoke something else than HTTP."""
