import json

from hypothesis import given
from hypothesis import strategies as st

from actors.chaos import Ask, Cut, Ending, Refuse, Text, Turn, Visit
from actors.chaos.answers import Answer
from actors.chaos.conversation import MOST_BODY, Begin, Close, Conversation, Finish, Reply, Send
from actors.chaos.faults import How
from actors.chaos.journal import Note
from actors.chaos.performance import Pacing, Performance, perform
from actors.chaos.speech.anthropic import ANTHROPIC
from actors.chaos.speech.dialect import Stamp

ANSWER = Answer((Text("light scatters"),))


def replying(fault=None, seen=None):
    def reply(request):
        if seen is not None:
            seen.append(request)
        ask = Ask("anthropic", "claude", (Turn("user", "why"),), streaming=True)
        script = ANTHROPIC.stream(ask, ANSWER, Stamp("x", 0.0))
        note = Note(Visit(ask), request.path, request.headers, 0.0)
        return Reply(note, perform(Performance((("content-type", "text/event-stream"),), script, Pacing()), fault))

    return reply


def request(body=b'{"prompt":"why"}', *, target="/v1/messages", headers=()):
    lines = [f"POST {target} HTTP/1.1", "host: x", f"content-length: {len(body)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def told(conversation, *slices):
    """The actions after all slices, in writes joined where only the slicing of requests could differ."""
    actions = []
    for piece in slices:
        conversation.receive(piece)
        actions += conversation.actions()
    return [action for action in actions if not isinstance(action, Begin)]


def wire(actions):
    return b"".join(action.data for action in actions if isinstance(action, Send))


@st.composite
def sliced(draw, content):
    cuts = sorted(draw(st.sets(st.integers(1, len(content) - 1), max_size=12)))
    return [content[a:b] for a, b in zip([0, *cuts], [*cuts, len(content)], strict=True)]


@given(sliced(request(json.dumps({"prompt": "é水" * 40}).encode())))
def test_any_slicing_of_a_request_gives_the_same_actions(slices):
    whole = request(json.dumps({"prompt": "é水" * 40}).encode())
    assert told(Conversation(replying()), *slices) == told(Conversation(replying()), whole)


def test_a_client_that_leaves_as_the_answer_ends_is_not_waited_for():
    conversation = Conversation(replying())
    conversation.receive(request())
    for action in conversation.actions():
        if isinstance(action, Finish):
            conversation.receive(b"")
    assert conversation.closed


@given(sliced(request() + request(target="/v1/messages?again")), st.sampled_from([None, Cut(2), Refuse()]))
def test_any_slicing_of_the_bytes_asks_the_same_first_request(slices, fault):
    seen = []
    told(Conversation(replying(fault, seen)), *slices)
    assert seen[0].target == "/v1/messages"
    assert seen[0].body == b'{"prompt":"why"}'


@given(st.binary(max_size=200))
def test_bytes_that_are_not_http_never_raise(noise):
    conversation = Conversation(replying())
    told(conversation, noise, b"")
    assert conversation.closed


def test_one_event_is_one_write():
    actions = told(Conversation(replying()), request())
    sent = [action for action in actions if isinstance(action, Send) and action.events]
    assert len(sent) == len(ANTHROPIC.stream(Ask("a", "m", ()), ANSWER, Stamp("x", 0.0)).events)
    assert all(action.data.count(b"data: ") == 1 for action in sent)


def test_the_verdict_comes_before_the_last_chunk():
    actions = told(Conversation(replying()), request())
    assert actions[-2:] == [Finish(Ending.COMPLETE), Send(b"0\r\n\r\n")]


def test_a_connection_is_used_again_for_the_next_request():
    seen = []
    conversation = Conversation(replying(seen=seen))
    first, second = told(conversation, request()), told(conversation, request())
    assert first == second
    assert len(seen) == 2
    assert not conversation.closed


def test_a_pipelined_request_is_not_read_and_the_connection_closes_in_order():
    seen = []
    conversation = Conversation(replying(seen=seen))
    actions = told(conversation, request() + request())
    assert len(seen) == 1
    assert Finish(Ending.COMPLETE) in actions
    assert actions[-1] == Close(How.FIN)
    assert conversation.closed


def test_bytes_during_an_answer_count_as_pipelined():
    conversation = Conversation(replying())
    conversation.receive(request())
    actions = conversation.actions()
    next(actions)
    conversation.receive(request())
    assert list(actions)[-1] == Close(How.FIN)


def test_connection_close_is_honoured():
    actions = told(Conversation(replying()), request(headers=["connection: close"]))
    assert b"connection: close" in wire(actions).lower()
    assert actions[-1] == Close(How.FIN)


def test_a_client_that_waits_for_100_continue_gets_it():
    conversation = Conversation(replying())
    head, _, body = request(headers=["expect: 100-continue"]).partition(b"\r\n\r\n")
    assert wire(told(conversation, head + b"\r\n\r\n")).startswith(b"HTTP/1.1 100 ")
    assert b"HTTP/1.1 200 " in wire(told(conversation, body))


def test_garbage_instead_of_http_is_answered_with_400_and_closed():
    actions = told(Conversation(replying()), b"\x16\x03\x01\x02\x00\x01 not http\r\n\r\n")
    assert wire(actions).startswith(b"HTTP/1.1 400 ")
    assert actions[-1] == Close(How.FIN)


def test_a_body_past_the_limit_is_answered_without_being_read_to_its_end():
    seen = []
    conversation = Conversation(replying(seen=seen))
    told(conversation, f"POST /v1/messages HTTP/1.1\r\nhost: x\r\ncontent-length: {MOST_BODY * 4}\r\n\r\n".encode())
    actions = told(conversation, *[b" " * 2**20] * 33)
    assert len(seen) == 1
    assert actions[-1] == Close(How.FIN)


def test_a_refused_request_gets_no_byte():
    actions = told(Conversation(replying(Refuse())), request())
    assert actions == [Finish(Ending.REFUSED), Close(How.FIN)]
