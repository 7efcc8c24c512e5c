"""Claude Code as a route: whatever the program does, the stream says what it was, and nothing of the program is left."""

import pytest
from fake_claude import ROUTE, answer, claude, lines, opened, quick
from wire_claude_code_lines import INIT, block, result, retry, said, start, streamed, synthetic, text, whole_message

from actors import (
    Clocks,
    FailureKind,
    Finished,
    Ladder,
    Request,
    ResponseStarted,
    Restarted,
    Route,
    SettingError,
    Settings,
    Status,
    Switch,
    TextDelta,
    open_streams,
)
from actors.deltas import AttemptStarted

__all__ = ["claude", "quick"]

K = FailureKind


async def outcome_of(claude, prompt="hi", route=ROUTE):
    async with opened() as streams:
        outcome = await streams.ask(prompt, Ladder(route))
    await claude.gone()
    return outcome


async def test_an_answer_comes_as_events_and_outcome(claude):
    claude.does(answer("Hello", " there"))
    async with opened() as streams, streams.open("hi", Ladder(ROUTE)) as stream:
        events = [event async for event in stream]
    assert [type(event) for event in events[:2]] == [AttemptStarted, ResponseStarted]
    assert [event.text for event in events if isinstance(event, TextDelta)] == ["Hello", " there"]
    assert isinstance(events[-1], Finished)
    assert stream.outcome.unwrap().text == "Hello there"
    assert (stream.outcome.usage.input_tokens, stream.outcome.usage.output_tokens) == (30, 40)
    await claude.gone()


async def test_the_prompt_goes_to_standard_input_and_the_model_to_the_command_line(claude):
    claude.does(f"listen(); {lines(INIT)}\nimport json\nsaid = heard.decode()\n{SAYS_WHAT_IT_HEARD}")
    outcome = await outcome_of(claude, Request("a secret" * 50_000, system="brief"))
    assert outcome.text == "a secret" * 50_000
    [(argv, environment)] = claude.runs
    assert argv[argv.index("--model") + 1] == "claude-a"
    assert "--system-prompt=brief" in argv
    assert not any("secret" in word for word in [*argv, *environment.values()])
    assert environment["CLAUDE_CODE_MAX_RETRIES"] == "0"
    assert "CLAUDECODE" not in environment


SAYS_WHAT_IT_HEARD = """
message = {"id": "m1", "type": "message", "model": "claude-a", "content": [{"type": "text", "text": said}]}
say((json.dumps({"type": "assistant", "message": message}) + "\\n").encode())
say(b'{"type": "result", "subtype": "success", "is_error": false, "stop_reason": "end_turn"}\\n')
"""


@pytest.mark.row("C13")
async def test_the_model_of_the_environment_reaches_the_command_line(claude):
    claude.does(answer("Hello"))
    settings = Settings.read({"CLAUDE_CODE_MODEL": "claude-of-mine"})
    async with open_streams(settings=settings) as streams:
        assert (await streams.ask("hi", Ladder.over(settings.routes))).completed
    [(argv, _)] = claude.runs
    assert argv[argv.index("--model") + 1] == "claude-of-mine"


OURS = {
    "OPENAI_API_KEY": "of another provider",
    "GEMINI_API_KEY": "of another provider",
    "AZURE_OPENAI_API_KEY": "of another provider",
    "AWS_SECRET_ACCESS_KEY": "of a cloud",
    "GOOGLE_APPLICATION_CREDENTIALS": "of a cloud",
    "GITHUB_TOKEN": "of somebody else",
    "DATABASE_URL": "of somebody else",
    "CLAUDECODE": "1",
    "CLAUDE_CODE_SESSION_ID": "ours",
}
ITS = {
    "ANTHROPIC_API_KEY": "its own",
    "ANTHROPIC_BASE_URL": "http://its.test",
    "CLAUDE_CONFIG_DIR": "its own",
    "HTTPS_PROXY": "http://proxy.test",
    "no_proxy": "x",
    "LC_ALL": "C.UTF-8",
    "HOME": "/nonexistent",
}


@pytest.mark.promise("P13")
@pytest.mark.parametrize("switch", ["", "CLAUDE_CODE_USE_BEDROCK", "CLAUDE_CODE_USE_VERTEX"])
async def test_the_program_is_given_what_it_needs_and_no_key_of_anybody_else(claude, monkeypatch, switch):
    for name, value in {**OURS, **ITS, **({switch: "1"} if switch else {})}.items():
        monkeypatch.setenv(name, value)
    claude.does(answer("Hello"))
    assert (await outcome_of(claude)).completed
    [(_, environment)] = claude.runs
    assert ITS.items() <= environment.items()
    cloud = {
        "CLAUDE_CODE_USE_BEDROCK": "AWS_SECRET_ACCESS_KEY",
        "CLAUDE_CODE_USE_VERTEX": "GOOGLE_APPLICATION_CREDENTIALS",
    }
    assert OURS.keys() & environment.keys() == ({cloud[switch]} if switch else set())


async def test_a_buffered_route_gets_the_same_text_without_partial_messages(claude):
    claude.does(f"listen(); {lines(INIT, said('Hello there'), result())}")
    outcome = await outcome_of(claude, route=Route.parse(ROUTE).buffered)
    assert outcome.unwrap().text == "Hello there"
    assert "--include-partial-messages" not in claude.runs[0][0]


# -- there is no such program


@pytest.mark.row("C11")
@pytest.mark.row("C11")
async def test_a_program_that_is_not_installed_is_found_before_anything_starts(claude):
    async with opened() as streams:
        with pytest.raises(SettingError, match="npm install -g @anthropic-ai/claude-code"):
            await streams.ask("hi", Ladder("anthropic:claude-one", Switch(ROUTE)))
    assert claude.runs == []


async def test_a_program_that_vanished_is_a_failure_of_the_attempt(claude):
    claude.does(answer())
    async with opened() as streams:
        assert (await streams.ask("hi", Ladder(ROUTE))).completed
        (claude.home / "claude").unlink()
        outcome = await streams.ask("hi", Ladder(ROUTE))
    assert (outcome.failure.kind, outcome.failure.message) == (K.PROGRAM, "claude is not in PATH any more")


async def test_a_file_that_is_no_program_is_a_failure_of_the_attempt(claude):
    claude.does(answer())
    (claude.home / "claude").write_bytes(b"\0\0\0 no program")
    outcome = await outcome_of(claude)
    assert outcome.failure.kind is K.PROGRAM
    assert "cannot be started" in outcome.failure.message


# -- what it does

ENDINGS = {
    "an old one that lacks a flag": ("os.write(2, b\"error: unknown option '--tools='\"); sys.exit(1)", K.PROGRAM),
    "non-zero exit": ("os.write(2, b'cannot start'); sys.exit(3)", K.PROGRAM),
    "non-zero exit in the middle": (lines(INIT, *streamed(["Hel"])) + "; sys.exit(3)", K.TRUNCATED),
    "empty": ("listen()", K.TRUNCATED),
    "bad JSON": (lines(INIT) + "; say(b'Warning: {oops\\n'); wait()", K.MALFORMED),
    "half a line": (lines(INIT) + '; say(b\'{"type": "resu\')', K.TRUNCATED),
    "killed": (lines(INIT, *streamed(["Hel"])) + "; os.kill(os.getpid(), 9)", K.TRUNCATED),
    "no result": (lines(INIT, *whole_message(["Hel", "lo"])), K.TRUNCATED),
    "is_error": (lines(INIT, result("API Error: 529", is_error=True, api_error_status=529)), K.OVERLOADED),
    "is_error without a status": (
        lines(synthetic("no", "rate_limit"), result("slow down", is_error=True)) + "; sys.exit(1)",
        K.RATE_LIMIT,
    ),
    "its turns are over": (lines(result(is_error=True, subtype="error_max_turns")), K.INVALID_REQUEST),
    "cut by its provider": (
        lines(INIT, result("API Error: Connection closed mid-response. So it is.", is_error=True)),
        K.TRUNCATED,
    ),
    "the model refuses": (lines(INIT, result("no", is_error=True, stop_reason="refusal")), K.POLICY),
    "it would ask again with a wrong key": (lines(INIT, retry("unknown", 401)) + "; wait()", K.INVALID_KEY),
    "a line without end": (lines(INIT) + "; deaf(2)\nwhile True: say(b'x' * 1048576)", K.MALFORMED),
    "it closes its output and stays": (lines(INIT) + "; os.close(1); wait()", K.TRUNCATED),
}


@pytest.mark.row("C11", "H9")
@pytest.mark.parametrize(("body", "kind"), ENDINGS.values(), ids=ENDINGS)
@pytest.mark.promise("P1")
@pytest.mark.row("C11")
async def test_each_ending_is_named_and_leaves_nothing(claude, body, kind):
    claude.does(body)
    outcome = await outcome_of(claude)
    assert outcome.status is Status.FAILED
    assert outcome.failure.kind is kind
    assert len(claude.runs) == 1


async def test_the_words_of_an_old_program_reach_the_person(claude):
    claude.does(ENDINGS["an old one that lacks a flag"][0])
    outcome = await outcome_of(claude)
    assert (
        outcome.failure.message == "claude ended with exit status 1 without a result: error: unknown option '--tools='"
    )


COMPLETE = {
    "it floods standard error": "os.write(2, b'noise ' * 500_000); " + answer(),
    "its line is huge": f"listen(); {lines(INIT, said('Hello there' + ' ' * 3_000_000), result())}",
    "it stays after the result": answer() + "; wait()",
    "it stays and heeds nothing": "deaf(2, 15); " + answer() + "; wait()",
    "its exit status is wrong": answer() + "; sys.exit(1)",
    "it leaves a child behind": "if os.fork() == 0: deaf(2, 15); wait()\n" + answer(),
    "its child keeps its output open": "if os.fork() == 0: deaf(2, 15); wait()\n" + answer() + "; os._exit(0)",
    "it never reads its input": lines(INIT, *whole_message(["Hello", " there"]), result()),
}


@pytest.mark.parametrize("body", COMPLETE.values(), ids=COMPLETE)
@pytest.mark.promise("P1")
async def test_an_answer_is_complete_with_its_result_whatever_else_the_program_does(claude, body):
    claude.does(body)
    outcome = await outcome_of(claude)
    assert outcome.unwrap().text.rstrip() == "Hello there"


SILENT = {
    "at once": ("wait()", Clocks(first_event=0.3), K.FIRST_EVENT_TIMEOUT),
    "before content": (lines(INIT) + "; wait()", Clocks(first_content=0.5), K.FIRST_CONTENT_TIMEOUT),
    "in the middle": (lines(INIT, *streamed(["Hel"])) + "; wait()", Clocks(gap=0.3), K.STALLED),
    "deaf to interrupts": ("deaf(2); wait()", Clocks(first_event=0.3), K.FIRST_EVENT_TIMEOUT),
    "deaf to all but the kill": ("deaf(2, 15); wait()", Clocks(first_event=0.3), K.FIRST_EVENT_TIMEOUT),
}


@pytest.mark.row("H9")
@pytest.mark.parametrize(("body", "clocks", "kind"), SILENT.values(), ids=SILENT)
@pytest.mark.promise("P12")
async def test_a_silent_program_is_given_up_and_ended(claude, body, clocks, kind):
    claude.does(body)
    outcome = await outcome_of(claude, route=Route("claude-code", "claude-a", clocks=clocks))
    assert outcome.failure.kind is kind
    assert outcome.text == ("Hel" if kind is K.STALLED else "")


@pytest.mark.promise("P6")
async def test_what_the_program_takes_back_is_told_and_is_in_the_outcome_once(claude):
    broken = [start(), block(text=""), text("wa"), text("ter")]
    claude.does(f"listen(); {lines(INIT, *broken, said('water', message='m2'), result())}")
    async with opened() as streams, streams.open("hi", Ladder(ROUTE)) as stream:
        told = []
        async for event in stream:
            match event:
                case TextDelta(words):
                    told.append(words)
                case Restarted():
                    told.clear()
                    restarted = event
                case _:
                    pass
    assert "".join(told) == stream.outcome.unwrap().text == "water"
    assert restarted.reason == "streaming failed"
    assert len(stream.outcome.attempts) == 1
