"""The stream layer against llama.cpp's server: real sockets, real processes, the real clock, real tokens.

What the model says is its own matter; what is checked is that nothing of it is lost, told twice or taken for more than it is.
"""

import pytest
import trio

from actors import (
    AttemptAbandoned,
    Backoff,
    Clocks,
    FailureKind,
    FinishReason,
    Ladder,
    Limits,
    Mode,
    Request,
    Retry,
    Route,
    Status,
    Switch,
    TextDelta,
    open_streams,
)

K = FailureKind
PROVIDERS = ("anthropic", "openai", "openai-chat")
ROUTES = [Route(provider, "smol", mode) for provider in PROVIDERS for mode in Mode]
ENDLESS = {provider: {"ignore_eos": True} for provider in PROVIDERS}
PATIENT = Clocks(first_event=120, first_content=120, gap=120)
"""A busy machine may be slow; only the tests of silence are about clocks."""


def request(prompt="Say hi", tokens=8, **rest):
    return Request(prompt, limits=Limits(max_tokens=tokens, temperature=0), **rest)


def story(tokens=600):
    """A question whose answer goes on until its limit."""
    return request("Tell me a long story about a dragon", tokens, extras=ENDLESS)


def patient(name):
    provider, _, model = name.partition(":")
    return Route(provider, model, clocks=PATIENT)


REFUSED, CANCELLED = "Invalid API Key", "cancel task"
"""What the server's log says of a wrong key, and of an answer that nobody waits for."""


async def follow(stream, after=0, act=None):
    """What a consumer has who discards as told, and what it was told to discard; `act` is called once, after so many pieces."""
    text, abandoned, seen = "", [], 0
    async for event in stream:
        match event:
            case TextDelta(piece):
                text, seen = text + piece, seen + 1
                if seen == after:
                    act()
            case AttemptAbandoned():
                abandoned.append((text, event))
                text = ""
            case _:
                pass
    return text, abandoned


# -- what is read


@pytest.mark.parametrize("route", ROUTES, ids=str)
async def test_an_answer_comes_with_its_text_its_finish_and_its_usage(two, settings_for, route):
    async with open_streams(settings=settings_for(two, two)) as streams:
        for _ in range(3):  # one behind the other, as an agent asks: on connections that were used before
            async with streams.open(request("Answer with one word: hi", 32), Ladder(route)) as stream:
                text, abandoned = await follow(stream)
            outcome = stream.outcome.unwrap()
            assert outcome.text == text != ""
            assert abandoned == []
            assert outcome.finish.reason is FinishReason.STOP
            usage = outcome.usage
            assert usage.input_tokens + usage.cache_read_tokens > 30 > usage.output_tokens > 0
            assert not usage.estimated
            assert outcome.attempts[0].request_id


@pytest.mark.parametrize("route", ROUTES, ids=str)
async def test_a_limit_cuts_the_answer_and_says_so_where_the_server_does(two, settings_for, route):
    async with open_streams(settings=settings_for(two, two)) as streams:
        outcome = (await streams.ask(story(tokens=5), Ladder(route))).unwrap()
    assert outcome.usage.output_tokens == 5
    said = outcome.finish.spelling
    if route.provider == "openai":  # its Responses end as completed, whatever ended them
        assert (outcome.finish.reason, said) == (FinishReason.STOP, "completed")
    else:
        assert (outcome.finish.reason, said) == (
            FinishReason.LENGTH,
            {"anthropic": "max_tokens"}.get(route.provider, "length"),
        )


# -- what is refused


@pytest.mark.promise("P5")
@pytest.mark.promise("P13")
@pytest.mark.parametrize("provider", PROVIDERS)
async def test_a_wrong_key_is_told_after_one_request_and_shown_nowhere(one, settings_for, provider):
    before, wrong = one.told(REFUSED), "sk-of-somebody-else"
    async with open_streams(settings=settings_for(one, one, key=wrong)) as streams:
        outcome = await streams.ask(request(), Ladder(f"{provider}:smol", Retry(5), Switch(f"{provider}:other")))
    assert (outcome.status, outcome.failure.kind, outcome.failure.status) == (Status.FAILED, K.INVALID_KEY, 401)
    await one.until(lambda: one.told(REFUSED) > before)  # the server writes its log when it finds the time
    assert len(outcome.attempts) == one.told(REFUSED) - before == 1
    assert wrong not in repr(outcome)


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_too_long_a_question_goes_at_once_to_a_route_with_more_room(one, two, settings_for, provider):
    elsewhere, *places = ("openai-chat", one, two) if provider == "anthropic" else ("anthropic", two, one)
    async with open_streams(settings=settings_for(*places)) as streams:
        ladder = Ladder(f"{provider}:smol", Retry(5), Switch(patient(f"{elsewhere}:smol")))
        outcome = (await streams.ask(request("word " * (one.context + 20)), ladder)).unwrap()
    first, second = outcome.attempts
    assert (first.failure.kind, first.failure.status) == (K.CONTEXT_WINDOW, 400)
    assert second.route.provider == elsewhere
    assert one.context < second.usage.input_tokens + second.usage.cache_read_tokens < two.context


# -- what is left


@pytest.mark.promise("P4")
@pytest.mark.promise("P9")
@pytest.mark.parametrize("provider", PROVIDERS)
async def test_leaving_a_stream_frees_the_slot_at_once_and_keeps_the_partial(one, settings_for, provider):
    before = one.told(CANCELLED)
    async with open_streams(settings=settings_for(one, one)) as streams:
        with trio.CancelScope() as scope:
            async with streams.open(story(), patient(f"{provider}:smol")) as stream:
                await follow(stream, after=5, act=scope.cancel)
        await one.until(one.idle)
        assert one.told(CANCELLED) == before + 1
    outcome = stream.outcome
    assert (outcome.status, outcome.failure.kind) == (Status.INTERRUPTED, K.CANCELLED)
    assert outcome.text
    assert outcome.attempts[0].delivered.characters == len(outcome.text)


# -- what breaks


@pytest.mark.promise("P6")
@pytest.mark.parametrize(
    ("dying", "saving"), [("anthropic", "openai-chat"), ("openai-chat", "anthropic"), ("openai", "anthropic")]
)
async def test_a_server_killed_amid_its_answer_is_left_for_another(victim, two, settings_for, dying, saving):
    places = (victim, two) if dying == "anthropic" else (two, victim)
    ladder = Ladder(patient(f"{dying}:smol"), Retry(2, Backoff(initial=0.05)), Switch(patient(f"{saving}:smol")))
    async with (
        open_streams(settings=settings_for(*places)) as streams,
        streams.open(story(tokens=40), ladder) as stream,
    ):
        text, abandoned = await follow(stream, after=5, act=victim.kill)
    outcome = stream.outcome.unwrap()
    assert [attempt.route.provider for attempt in outcome.attempts] == [dying, dying, saving]
    kinds = [event.failure.kind for _, event in abandoned]
    assert kinds[0] in {K.TRUNCATED, K.RESET}
    assert kinds[1] is K.REFUSED
    assert [len(lost) for lost, _ in abandoned] == [abandoned[0][1].delivered.characters, 0]
    assert abandoned[0][0] != "" != text == outcome.text
    assert outcome.attempts[-1].usage.output_tokens == 40


@pytest.mark.promise("P6")
async def test_a_server_that_falls_silent_amid_its_answer_is_left_for_another(one, two, settings_for):
    hasty = Route("anthropic", "smol", clocks=Clocks(first_event=60, first_content=60, gap=1.0))
    ladder = Ladder(hasty, Retry(5), Switch(patient("openai-chat:smol")))
    before = one.told(CANCELLED)
    async with (
        open_streams(settings=settings_for(one, two)) as streams,
        streams.open(story(tokens=40), ladder) as stream,
    ):
        text, abandoned = await follow(stream, after=5, act=one.freeze)
    outcome = stream.outcome.unwrap()
    ((lost, seam),) = abandoned
    assert (seam.failure.kind, seam.next_route.provider) == (K.STALLED, "openai-chat")
    assert lost != "" != text == outcome.text
    one.thaw()
    await one.until(one.idle)
    assert one.told(CANCELLED) == before + 1


async def test_a_server_that_says_nothing_at_all_is_left_for_another(one, two, settings_for):
    hasty = Route("anthropic", "smol", clocks=Clocks(first_event=0.5))
    ladder = Ladder(hasty, Retry(5), Switch(patient("openai-chat:smol")))
    one.freeze()
    async with open_streams(settings=settings_for(one, two)) as streams:
        outcome = (await streams.ask(request(), ladder)).unwrap()
    first, _ = outcome.attempts
    assert first.failure.kind is K.FIRST_EVENT_TIMEOUT


# -- many at once


@pytest.mark.parametrize(
    ("count", "mode"), [(6, Mode.STREAMING), (6, Mode.BUFFERED), (50, Mode.STREAMING), (50, Mode.BUFFERED)]
)
async def test_more_streams_than_slots_wait_their_turn_and_complete(one, two, settings_for, count, mode):
    outcomes = []

    async def ask(number):
        provider = PROVIDERS[number % 3]
        prompt = request(f"Say the number {number}", tokens=4)
        outcomes.append(await streams.ask(prompt, Ladder(Route(provider, "smol", mode, PATIENT))))

    server = one if count == 6 else two
    async with open_streams(settings=settings_for(server, server)) as streams, trio.open_nursery() as nursery:
        for number in range(count):
            nursery.start_soon(ask, number)
    assert [str(outcome.failure) for outcome in outcomes if not outcome.completed] == []
    assert {len(outcome.attempts) for outcome in outcomes} == {1}
    assert all(outcome.text for outcome in outcomes)
