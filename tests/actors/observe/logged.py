"""Sample logs, made by the very code that writes them: a transient day, a permanent one, one short of memory."""

import io

from observed import A, B, completed, ended, failed

from actors import FailureKind
from actors.observe.logs import StreamLogs
from actors.observe.rendering import make_log
from actors.outcome import Status

K = FailureKind
SECRET = "sk-ant-api03-canarycanarycanary"

TRANSIENT = [
    failed(K.RATE_LIMIT, 1, 1, 5, then=A, after=1.0, status=429, message="slow down"),
    failed(K.RATE_LIMIT, 2, 2, 5, then=A, after=2.0, status=429, message="slow down"),
    completed(),
    ended(Status.COMPLETED, None, completed()),
]
PERMANENT = [
    failed(K.INVALID_KEY, status=401, code="authentication_error", message=f"invalid x-api-key {SECRET}"),
    ended(Status.FAILED, failed(K.INVALID_KEY).failure, failed(K.INVALID_KEY)),
]
BUFFERED = [
    failed(K.MEMORY, 1, 1, 1, then=A.buffered, message="MemoryError"),
    ended(Status.COMPLETED, None, completed(A.buffered)),
]
EXHAUSTED = [
    failed(K.OVERLOADED, number, number, 3, then=A if number < 3 else None, status=529) for number in (1, 2, 3)
]
SWITCHED = [failed(K.QUOTA, 1, 1, 1, then=B, status=429), completed(B)]


def written(*records, json=False, level="debug"):
    """What a log at this level says of these records."""
    file = io.StringIO()
    logs = StreamLogs(make_log(level, file, json=json), gauges=lambda: {"memory_mb": 80, "connections": 3})
    for record in records:
        logs(record)
    return file.getvalue()
