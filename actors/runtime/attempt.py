"""One attempt of one stream: the child function that a stream's supervisor starts, again after every fault on the route it chose.

Sends one request at most (P5), reads until the terminal event, and ends as a value: complete, `Fault` for weather, a crash for a bug.
"""

import time
from typing import Protocol

import attrs
import trio

from actors.failure import Failure, FailureKind
from actors.lifecycle import SPAN
from actors.policy.causes import kept
from actors.policy.classify import classify
from actors.policy.directive import Leg
from actors.runtime.life import Life
from actors.runtime.shared import Pass, Shared
from actors.runtime.timers import Timers
from actors.runtime.watch import Watch, held_to
from actors.source import Provider, Source, TruncatedError
from supervisor import Fault


class Known(Protocol):
    """Providers by name."""

    def __getitem__(self, name: str, /) -> Provider:
        """The provider of that name."""
        ...


@attrs.frozen
class World:
    """What every attempt of a service runs on."""

    providers: Known
    timers: Timers
    shared: Shared


_GROUPS: tuple[type[Exception], ...] = (ExceptionGroup,)


async def attempt(life: Life, world: World, *, variant: Leg) -> None:
    """Run one attempt where `variant` says; raises `Fault` with a `Broken` where it fails."""
    watch = life.begin(variant)
    SPAN.set((life.order.trace.trace_id, life.order.trace.span_of(life.number)))
    answer = world.shared.admit(variant.route, trio.current_time())
    failure = await _admitted(life, world, watch, answer) if isinstance(answer, Pass) else answer
    if failure is not None:
        raise Fault(life.broken(failure))


async def _admitted(life: Life, world: World, watch: Watch, passed: Pass) -> Failure | None:
    """Run the attempt and tell what all streams share how it went."""
    verdict: Failure | None = Failure(FailureKind.CANCELLED)
    world.timers.watch(watch)
    try:
        with watch.scope:
            verdict = await _run(life, world, watch)
        if watch.scope.cancelled_caught:
            # What is complete stays so, even where the alarm found the attempt still tidying up.
            verdict = life.alarmed(*watch.expired) if life.assembly.finish is None else life.flaw
    finally:
        world.timers.forget(watch)
        world.shared.verdict(life.route, passed, verdict, trio.current_time())
    return verdict


async def _run(life: Life, world: World, watch: Watch) -> Failure | None:
    try:
        await _read(life, world, watch)
    except Exception as error:
        failure = _told(error, life)
        if failure is None:
            raise
        if life.assembly.finish is None:
            if watch.scope.cancel_called:  # what broke as it was given up says nothing
                return life.alarmed(*watch.expired)
            life.cause = kept(error)
            return failure
    return life.flaw


def _told(error: Exception, life: Life) -> Failure | None:
    """What an exception of the attempt means; a want of memory only where an answer is read, for anywhere else nobody knows what is lost."""
    if isinstance(error, MemoryError) and not life.listens:
        return None
    route = life.route
    return classify(error, life.phase, route.provider, route.model, left=life.left, wall=time.time())


async def _read(life: Life, world: World, watch: Watch) -> None:
    provider = world.providers[life.route.provider]
    broken = raised = None
    try:
        async with provider.open(life.order.request, held_to(life.route)) as source:
            try:
                await _listen(life, world, watch, source)
            except Exception as error:
                broken = error
                raise
    except Exception as error:  # noqa: BLE001 -- raised below, where it is no context of the other
        raised = error
    if raised is not None:
        raise raised if broken is None else _first(broken, raised, life)
    if life.assembly.finish is None:
        message = "the source ended without saying why the model stopped"
        raise TruncatedError(message)


async def _listen(life: Life, world: World, watch: Watch, source: Source) -> None:
    life.request_id, life.listens, assembly = source.request_id, True, life.assembly
    with world.shared.purse(streams=life.route.streams) as purse:
        while assembly.finish is None and (deltas := await source.receive()) is not None:
            if await life.take(deltas):
                world.timers.watch(watch)
            purse.hold(assembly.characters)


def _first(broken: Exception, raised: Exception, life: Life) -> Exception:
    """What says how the attempt broke: weather met while closing does not take the place of what came before, a bug does."""
    told = raised is broken or raised.__cause__ is broken or isinstance(raised, _GROUPS)
    if told or _told(raised, life) is None:
        return raised
    return broken
