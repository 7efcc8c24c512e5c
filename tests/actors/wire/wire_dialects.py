"""Every dialect by name, and the small recordings of our own that each is tried on."""

import test_wire_anthropic_answer
import test_wire_gemini_answer
import test_wire_openai_chat_answer
import test_wire_openai_responses_answer
import wire_claude_code_lines as claude

from actors.wire import anthropic, claude_code, gemini, openai_chat, openai_responses

DIALECTS = {
    "anthropic": anthropic.DIALECT,
    "openai_chat": openai_chat.DIALECT,
    "openai_responses": openai_responses.DIALECT,
    "gemini": gemini.DIALECT,
    "claude_code": claude_code.DIALECT,
}

PROVIDERS = {
    "anthropic": "anthropic",
    "openai_chat": "openai-chat",
    "openai_responses": "openai",
    "gemini": "google",
    "claude_code": "claude-code",
}
"""The provider in a route that speaks the dialect."""

RECORDINGS = {
    "anthropic": test_wire_anthropic_answer.RECORDINGS,
    "openai_chat": test_wire_openai_chat_answer.RECORDINGS,
    "openai_responses": test_wire_openai_responses_answer.RECORDINGS,
    "gemini": test_wire_gemini_answer.RECORDINGS,
    "claude_code": {
        "streamed": claude.written(claude.INIT, *claude.whole_message(["Grüße", " 👋"]), claude.result("Grüße 👋")),
        "tools": claude.written(
            claude.INIT,
            claude.retry(),
            claude.start(),
            claude.block(0, "thinking", thinking="", signature=""),
            claude.thought("Hm"),
            claude.stop(0),
            claude.block(1, "tool_use", id="t1", name="Bash", input={}),
            claude.argument('{"at": 1}', 1),
            claude.stop(1),
            claude.ending("tool_use"),
            claude.MESSAGE_STOP,
            claude.answered("t1"),
            claude.said("done", message="m2"),
            claude.result("done"),
        ),
    },
}

REPLIES = {
    "anthropic": [
        {
            "type": "message",
            "id": "msg_1",
            "model": "claude-x",
            "role": "assistant",
            "content": [
                {"type": "thinking", "thinking": "Hm", "signature": "Ev=="},
                {"type": "text", "text": "Sky", "citations": [{"type": "char_location", "cited_text": "sky"}]},
                {"type": "server_tool_use", "id": "s1", "name": "web_search", "input": {"query": "sky"}},
                {"type": "web_search_tool_result", "tool_use_id": "s1", "content": []},
                {"type": "tool_use", "id": "t1", "name": "look", "input": {"at": 1}},
            ],
            "stop_reason": "tool_use",
            "usage": {"input_tokens": 3, "output_tokens": 5},
        },
        {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}, "request_id": "req_1"},
    ],
    "openai_chat": [
        {
            "id": "c1",
            "model": "gpt-x",
            "choices": [
                {
                    "index": 0,
                    "message": {
                        "role": "assistant",
                        "content": "Sky",
                        "reasoning_content": "Hm",
                        "tool_calls": [
                            {"id": "t1", "type": "function", "function": {"name": "look", "arguments": '{"at":1}'}}
                        ],
                    },
                    "finish_reason": "tool_calls",
                }
            ],
            "usage": {"prompt_tokens": 3, "completion_tokens": 5, "prompt_tokens_details": {"cached_tokens": 1}},
        },
        {"error": {"message": "no", "type": "server_error", "code": None}},
    ],
    "openai_responses": [
        {
            "id": "r1",
            "model": "gpt-x",
            "status": "completed",
            "output": [
                {"type": "reasoning", "id": "rs", "summary": [{"type": "summary_text", "text": "Hm"}]},
                {"type": "web_search_call", "id": "ws", "status": "completed"},
                {"type": "message", "id": "m", "content": [{"type": "output_text", "text": "Sky", "annotations": []}]},
                {"type": "function_call", "id": "f", "call_id": "t1", "name": "look", "arguments": '{"at":1}'},
            ],
            "usage": {"input_tokens": 3, "output_tokens": 5},
        },
        {"id": "r2", "status": "failed", "error": {"code": "server_error", "message": "no"}},
    ],
    "gemini": [
        {
            "responseId": "g1",
            "modelVersion": "gemini-x",
            "candidates": [
                {
                    "content": {
                        "role": "model",
                        "parts": [
                            {"text": "Hm", "thought": True},
                            {"text": "Sky", "thoughtSignature": "QUI="},
                            {"executableCode": {"language": "PYTHON", "code": "1"}},
                            {"inlineData": {"mimeType": "image/png", "data": "eHg="}},
                            {"functionCall": {"name": "look", "args": {"at": 1}}},
                        ],
                    },
                    "finishReason": "STOP",
                }
            ],
            "usageMetadata": {"promptTokenCount": 3, "candidatesTokenCount": 5},
        },
        {"promptFeedback": {"blockReason": "SAFETY"}},
        {"error": {"code": 503, "status": "UNAVAILABLE", "message": "no", "details": [{"@type": "x.RetryInfo"}]}},
    ],
}
"""Answers in one piece, as small; Claude Code's are its runs."""
