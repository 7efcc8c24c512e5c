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
    names of all calls, `calls` what may be run, as name, id and arguments (in some `shape`).  `usage` has what the recording tells.
    """

    ending: str
    text: str
    thinking: str
    asked: list
    calls: list
    usage: dict
    spelling: str | None
    error: dict | str | None = None
    shape: Callable = lambda arguments: arguments

    @property
    def message(self):
        error = self.error.get("error", self.error) if isinstance(self.error, dict) else self.error
        return error["message"] if isinstance(error, dict) else error


def anthropic(naive):
    ending = naive.ending.partition(" ")[0]
    return Due(
        "refusal" if naive.stop == "refusal" else ending,
        "".join(block["text"] for block in naive.of("text")),
        "".join(block["thinking"] for block in naive.of("thinking")),
        [block["name"] for block in naive.of("tool_use")],
        naive.calls("tool_use") if (ending, naive.stop) == ("finished", "tool_use") else [],
        naive.usage,
        naive.stop,
        naive.error,
    )


def openai_chat(naive):
    refusal = naive.reason == "content_filter" or (naive.reason == "stop" and naive.refusal)
    calls = [call for _, call in sorted(naive.calls.items()) if call[0]]
    released = naive.ending == "finished" and naive.reason in {"stop", "tool_calls"} and not refusal
    return Due(
        "refusal" if refusal and naive.ending == "finished" else naive.ending,
        naive.text,
        naive.thinking,
        [name for name, _, _ in calls],
        [(name, call_id, json.loads(given or "{}")) for name, call_id, given in calls] if released else [],
        _chat_usage(naive.usage) if naive.usage else {},
        naive.reason or "",
        naive.error,
    )


def _chat_usage(given):
    prompt, answer = given.get("prompt_tokens_details") or {}, given.get("completion_tokens_details") or {}
    return {
        "prompt_tokens": given["prompt_tokens"],
        "output_tokens": given["completion_tokens"],
        "cache_read_tokens": prompt.get("cached_tokens") or given.get("prompt_cache_hit_tokens") or 0,
        "reasoning_tokens": answer.get("reasoning_tokens") or 0,
    }


def openai_responses(naive):
    response, calls = naive.response or {}, naive.of("function_call")
    reason = (response.get("incomplete_details") or {}).get("reason", response.get("status"))
    pieces = [piece for item in naive.of("message") for piece in item["content"]]
    refusal = reason == "content_filter" or any(piece.get("refusal") for piece in pieces)
    told = [piece["text"] for item in naive.of("reasoning") for piece in item["summary"] or item.get("content", [])]
    return Due(
        "refusal" if refusal and naive.ending == "finished" else naive.ending,
        naive_openai_responses.item_text(naive) if response else "".join(naive.words.get("output", [])),
        "".join(naive.words.get("reasoning", told)).replace("\n\n", ""),
        [call["name"] for call in calls],
        [(call["name"], call["call_id"], json.loads(call["arguments"])) for call in calls]
        if reason == "completed"
        else [],
        _responses_usage(response["usage"]) if response.get("usage") else {},
        reason,
        naive.error,
    )


def _responses_usage(given):
    return {
        "prompt_tokens": given["input_tokens"],
        "output_tokens": given["output_tokens"],
        "reasoning_tokens": given["output_tokens_details"]["reasoning_tokens"],
    }


def gemini(naive):
    refusal = naive.blocked or naive.reason in {"SAFETY", "RECITATION"}
    return Due(
        "refusal" if refusal and naive.ending == "finished" else naive.ending,
        naive.text,
        naive.thinking,
        [name for name, _ in naive.calls],
        [(name, "", arguments) for name, arguments in naive.calls] if naive.reason == "STOP" else [],
        _gemini_usage(naive.usage),
        naive.reason,
        naive.error,
        naive_gemini.flat,
    )


def _gemini_usage(given):
    thought = given.get("thoughtsTokenCount", 0)
    return {
        "prompt_tokens": given.get("promptTokenCount", 0) + given.get("toolUsePromptTokenCount", 0),
        "output_tokens": given.get("candidatesTokenCount", 0) + thought,
        "cache_read_tokens": given.get("cachedContentTokenCount", 0),
        "reasoning_tokens": thought,
    }


READERS = {
    "anthropic": lambda text: anthropic(naive_anthropic.naive_stream(text)),
    "openai-chat": lambda text: openai_chat(naive_openai_chat.naive_stream(text)),
    "openai": lambda text: openai_responses(naive_openai_responses.naive_stream(text)),
    "google": lambda text: gemini(naive_gemini.naive_stream(text)),
}
"""The provider in a route, and what a stream that it sent calls for."""


def _anthropic_reply(text):
    naive = naive_anthropic.Naive()
    naive.message(json.loads(text))
    naive.ending = "finished"
    return anthropic(naive)


def _openai_chat_reply(text):
    naive = naive_openai_chat.Naive()
    naive.chunk(json.loads(text))
    return openai_chat(naive)


def _gemini_reply(text):
    naive = naive_gemini.Naive()
    naive.response(json.loads(text))
    return gemini(naive)


REPLIES = {"anthropic": _anthropic_reply, "openai-chat": _openai_chat_reply, "google": _gemini_reply}
"""The same for an answer in one piece."""
