"""What a naive reading of a recording calls for once the whole path has read the same bytes: the outcome, in plain values."""

import json
from collections.abc import Callable
from typing import NamedTuple

import naive_anthropic
import naive_gemini
import naive_openai_chat
import naive_openai_responses


class Due(NamedTuple):
    """What must come out.

    `ending` is finished, refusal (of the model), refused (by the provider, who says `message`), truncated or malformed.  `asked` are the
    names of all calls, `calls` the released ones with their arguments in some `shape`; `usage` has those fields that the recording tells.
    """

    ending: str
    text: str
    thinking: str
    asked: list
    calls: list
    usage: dict
    spelling: str | None
    message: str = ""
    shape: Callable = lambda arguments: arguments


def anthropic(naive):
    ending = "refusal" if naive.stop == "refusal" else naive.ending.partition(" ")[0]
    released = ending == "finished" and naive.stop == "tool_use"
    return Due(
        ending,
        "".join(block["text"] for block in naive.of("text")),
        "".join(block["thinking"] for block in naive.of("thinking")),
        [block["name"] for block in naive.of("tool_use")],
        naive.calls("tool_use") if released else [],
        naive.usage,
        naive.stop,
        (naive.error or {}).get("message", ""),
    )


def openai_chat(naive):
    refusal = naive.reason == "content_filter" or (naive.reason == "stop" and naive.refused)
    ending = "refusal" if refusal and naive.ending == "finished" else naive.ending
    released = ending == "finished" and naive.reason in {"stop", "tool_calls"}
    calls = [call for _, call in sorted(naive.calls.items()) if call[0]]
    return Due(
        ending,
        naive.text,
        naive.thinking,
        [name for name, _, _ in calls],
        [(name, call_id, json.loads(given or "{}")) for name, call_id, given in calls] if released else [],
        _chat_usage(naive.usage) if naive.usage else {},
        naive.reason or "",
        _said(naive.error),
    )


def _chat_usage(given):
    prompt, answer = given.get("prompt_tokens_details") or {}, given.get("completion_tokens_details") or {}
    return {
        "prompt_tokens": given["prompt_tokens"],
        "output_tokens": given["completion_tokens"],
        "cache_read_tokens": prompt.get("cached_tokens") or given.get("prompt_cache_hit_tokens") or 0,
        "reasoning_tokens": answer.get("reasoning_tokens") or 0,
    }


def _said(error):
    return error["message"] if isinstance(error, dict) else error or ""


def openai_responses(naive):
    response = naive.response or {}
    reason = (response.get("incomplete_details") or {}).get("reason", response.get("status"))
    pieces = [piece for item in naive.of("message") for piece in item["content"]]
    refusal = reason == "content_filter" or any(piece.get("refusal") for piece in pieces)
    ending = "refusal" if refusal and naive.ending == "finished" else naive.ending
    calls = naive.of("function_call")
    words = naive.words.get("output", []) + naive.words.get("refusal.delta", [])
    return Due(
        ending,
        naive_openai_responses.item_text(naive) if naive.response else "".join(words),
        "".join(naive.words.get("reasoning", [])),
        [call["name"] for call in calls],
        [(call["name"], call["call_id"], json.loads(call["arguments"])) for call in calls]
        if ending == "finished" and reason == "completed"
        else [],
        _responses_usage(response["usage"]) if response.get("usage") else {},
        reason,
        _said(naive.error),
    )


def _responses_usage(given):
    return {
        "prompt_tokens": given["input_tokens"],
        "output_tokens": given["output_tokens"],
        "reasoning_tokens": given["output_tokens_details"]["reasoning_tokens"],
    }


def gemini(naive):
    blocked = naive.reason in {"SAFETY", "RECITATION", ""} or naive.blocked
    ending = "refusal" if blocked and naive.ending == "finished" else naive.ending
    thought, given = naive.usage.get("thoughtsTokenCount", 0), naive.usage
    return Due(
        ending,
        naive.text,
        naive.thinking,
        [name for name, _ in naive.calls],
        [(name, "", arguments) for name, arguments in naive.calls] if ending == "finished" == naive.ending and naive.reason == "STOP" else [],
        {
            "prompt_tokens": given.get("promptTokenCount", 0) + given.get("toolUsePromptTokenCount", 0),
            "output_tokens": given.get("candidatesTokenCount", 0) + thought,
            "cache_read_tokens": given.get("cachedContentTokenCount", 0),
            "reasoning_tokens": thought,
        },
        naive.reason,
        _said(naive.error),
        naive_gemini.flat,
    )


READERS = {
    "anthropic": lambda text: anthropic(naive_anthropic.naive_stream(text)),
    "openai-chat": lambda text: openai_chat(naive_openai_chat.naive_stream(text)),
    "openai": lambda text: openai_responses(naive_openai_responses.naive_stream(text)),
    "google": lambda text: gemini(naive_gemini.naive_stream(text)),
}
"""The provider in a route, and what a body that it sent calls for."""
