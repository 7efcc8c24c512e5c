"""Answers of status 400 or more, in every shape that edges, proxies and providers give them."""

import pytest

from actors.wire.refusals import read_error, retry_after

SHAPES = {
    "anthropic": (
        b'{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}',
        "Overloaded",
        "overloaded_error",
        "",
    ),
    "openai": (
        b'{"error":{"message":"No","type":"insufficient_quota","param":null,"code":"insufficient_quota"}}',
        "No",
        "insufficient_quota",
        "insufficient_quota",
    ),
    "google": (
        b'{"error":{"code":429,"message":"Slow down","status":"RESOURCE_EXHAUSTED"}}',
        "Slow down",
        "RESOURCE_EXHAUSTED",
        "429",
    ),
    "google in an array": (
        b'[{"error":{"code":400,"message":"Bad","status":"INVALID_ARGUMENT"}}]',
        "Bad",
        "INVALID_ARGUMENT",
        "400",
    ),
    "mistral": (
        b'{"object":"error","message":"Bad","type":"invalid_request","code":3051}',
        "Bad",
        "invalid_request",
        "3051",
    ),
    "a code that repeats the status": (b'{"error":{"message":"Down","code":503}}', "Down", "", ""),
    "a gateway": (
        b'{"error":{"message":"Provider returned error","metadata":{"raw":"too hot"}}}',
        "Provider returned error: too hot",
        "",
        "",
    ),
    "a text": (b'{"error":"model not found"}', "model not found", "", ""),
    "a detail": (b'{"detail":"Not Found"}', "Not Found", "", ""),
    "details": (b'{"detail":[{"loc":["body"],"msg":"missing"}]}', '[{"loc":["body"],"msg":"missing"}]', "", ""),
    "envoy": (
        b"upstream connect error or disconnect/reset before headers\n",
        "upstream connect error or disconnect/reset before headers",
        "",
        "",
    ),
    "a page with a title": (
        b"<!DOCTYPE html><html><head><title>502 Bad\n Gateway</title></head><body>x</body></html>",
        "502 Bad Gateway",
        "",
        "",
    ),
    "a page without": (
        b"<html><style>a {}</style><body><h1>Request</h1> too large</body></html>",
        "Request too large",
        "",
        "",
    ),
    "nothing": (b"", "the provider answered with status 503 and no message", "", ""),
    "an empty object": (b"{}", "the provider answered with status 503 and no message", "", ""),
    "null": (b"null", "the provider answered with status 503 and no message", "", ""),
    "no UTF-8": (b"\xff\xfe", "\ufffd\ufffd", "", ""),
    "a text in JSON": (b'"down"', "down", "", ""),
    "nesting without end": (b"[" * 99999, "[" * 2000, "", ""),
}


@pytest.mark.parametrize("name", SHAPES)
def test_every_shape_of_an_error_has_a_message(name):
    body, message, kind, code = SHAPES[name]
    refused = read_error(503, {"x-request-id": "r"}, body)
    assert (refused.message, refused.kind, refused.code) == (message, kind, code)
    assert (refused.status, refused.headers, refused.in_stream, str(refused)) == (
        503,
        {"x-request-id": "r"},
        False,
        message,
    )


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": "0"}, 0.0),
        ({"retry-after": "1.5"}, 1.5),
        ({"retry-after-ms": "250", "retry-after": "1"}, 0.25),
        ({"retry-after-ms": "soon", "retry-after": "1"}, 1.0),
        ({"retry-after": "Wed, 21 Oct 2026 07:28:00 GMT"}, None),
        ({"retry-after": "-1"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "inf"}, None),
    ],
)
def test_the_wait_is_read_in_seconds_where_it_is_a_number(headers, seconds):
    assert retry_after(headers) == seconds
    assert read_error(429, headers, b"{}").retry_after == seconds
