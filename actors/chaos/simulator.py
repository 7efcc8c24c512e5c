"""The embedded provider simulator: answers every wire format of the table, with the weather a plan asks for.

One simulator is one provider's data centre: its counts, its journal and its plan hold over all connections, sockets and
in-memory ones alike.  What is said is decided by pure parts; here are only the counts, the clock and the network.
"""

from collections import Counter
from collections.abc import Iterator

import trio
from attrs import evolve, frozen
from trio import TaskStatus

from actors.chaos.answers import Answer, Ask, Visit
from actors.chaos.connection import Connection
from actors.chaos.conversation import MOST_BODY, Reply
from actors.chaos.faults import ErrorEvent, ErrorKind, Fault, Status
from actors.chaos.journal import Journal, Note
from actors.chaos.performance import Cue, Pacing, Performance, halves, in_a_buffered_answer, page, perform
from actors.chaos.plan import CALM, Plan
from actors.chaos.recordings import Recording
from actors.chaos.sources import Generated, Source
from actors.chaos.speech.dialect import Complaint, Dialect, Headers, Page, Refused, Request, Script, Stamp
from actors.chaos.speech.listing import Listing
from actors.chaos.speech.table import dialect_of

EPOCH = 1_767_225_600.0
"""2026-01-01T00:00:00Z: where the simulator's calendar begins, so that dates in headers are the same in every run."""

LISTING = Listing(("claude-sonnet-4-5", "gpt-5-mini", "gemini-2.5-flash"))
"""What is listed where nobody says which models there are."""

_AT_ONCE = Pacing()
_NOT_FOUND = Page(404, (("content-type", "application/json"),), b'{"error":{"type":"not_found","message":"Not Found"}}')


@frozen
class Kept:
    """A response that goes on without its client, for whoever asks for the rest of it."""

    ask: Ask
    answer: Answer
    stamp: Stamp


class Simulator:
    """A provider of language models that is not one: real wire formats, real errors, and faults on demand.

    `answers` says what models say, `plan` what goes wrong, `pacing` how fast it goes; `epoch` is the wall clock (seconds
    since 1970) at the simulator's first request.  A key header is asked for, as the real services do, and never kept;
    `listing` says which keys are known (any, where it names none) and which models are listed.
    """

    def __init__(
        self,
        answers: Source | None = None,
        plan: Plan = CALM,
        pacing: Pacing = _AT_ONCE,
        *,
        epoch: float = EPOCH,
        listing: Listing = LISTING,
    ) -> None:
        self.journal = Journal()
        self.plan = plan
        self._answers: Source = Generated() if answers is None else answers
        self._pacing = pacing
        self._epoch = epoch
        self._listing = listing
        self._began: float | None = None
        self._counts: Counter[tuple[str, ...]] = Counter()
        self._kept: dict[str, Kept] = {}
        self._at_once: Counter[str] = Counter()
        self._waiting = trio.lowlevel.ParkingLot()

    async def serve(self, stream: trio.abc.Stream) -> None:
        """Hold one connection, until either side ends it; the stream is closed then, whatever happened."""
        await Connection(stream, self._reply, self._ended).run()

    async def quiet(self) -> None:
        """Wait until no request is in flight: from then on the journal's totals stand."""
        await trio.lowlevel.checkpoint()
        while self._at_once["*"]:
            await self._waiting.park()

    def _ended(self, note: Note) -> None:
        self._at_once.subtract(_targets(note.ask))
        if not self._at_once["*"]:
            self._waiting.unpark_all()

    async def listen(
        self, port: int = 0, *, host: str = "127.0.0.1", task_status: TaskStatus[str] = trio.TASK_STATUS_IGNORED
    ) -> None:
        """Serve a TCP port (0: any free one) until cancelled; `started` gives the base URL, `http://127.0.0.1:PORT`."""
        listeners = await trio.open_tcp_listeners(port, host=host)
        bound: int = listeners[0].socket.getsockname()[1]
        task_status.started(f"http://{host}:{bound}")
        await trio.serve_listeners(self.serve, listeners)

    def _reply(self, request: Request) -> Reply:
        """What this request is answered with; counts it and opens its page in the journal."""
        dialect = dialect_of(request)
        if dialect is None:
            visit = self._visit(Ask("", "", ()))
            listed = self._listing.page(request, self._stamp(visit))
            return Reply(self._note(visit, request), page(listed or _NOT_FOUND))
        try:
            ask = self._read(dialect, request)
        except Refused as refused:
            visit = self._visit(Ask(dialect.provider, "", ()))
            return Reply(self._note(visit, request), page(dialect.error(refused.complaint, self._stamp(visit))))
        visit = self._visit(ask)
        fault = self.plan.fault(visit)
        note = self._note(visit, request)
        note.fault = fault
        return Reply(note, self._cues(dialect, visit, fault))

    def _read(self, dialect: Dialect, request: Request) -> Ask:
        if request.method not in dialect.methods:
            raise Refused(405, ErrorKind.INVALID, "Method Not Allowed")
        if not self._listing.admits(request):
            raise Refused(400 if dialect.provider == "google" else 401, ErrorKind.AUTHENTICATION)
        if len(request.body) > MOST_BODY:
            raise Refused(413, ErrorKind.TOO_LARGE)
        ask = dialect.read(request)
        if ask.response_id is None:
            return ask
        if ask.response_id not in self._kept:
            raise Refused(404, ErrorKind.NOT_FOUND, f"Response with id '{ask.response_id}' not found.")
        begun = self._kept[ask.response_id].ask
        return evolve(begun, streaming=ask.streaming, response_id=ask.response_id, resume_after=ask.resume_after)

    def _visit(self, ask: Ask) -> Visit:
        self._began = trio.current_time() if self._began is None else self._began
        # What no provider is asked is nobody's turn: Claude Code sends a `HEAD /` before its first question.
        everyone = () if ask.provider else ("/",)
        identities = (everyone, (ask.provider,), (ask.provider, ask.model), (ask.provider, ask.model, ask.key))
        self._counts.update(identities)
        self._at_once.update(_targets(ask))
        number, of_provider, of_model, attempt = (self._counts[identity] for identity in identities)
        at_once = {target: self._at_once[target] for target in _targets(ask)}
        return Visit(ask, number, attempt, of_model, of_provider, at_once, trio.current_time() - self._began)

    def _note(self, visit: Visit, request: Request) -> Note:
        return self.journal.open(Note(visit, request.path, request.headers, trio.current_time()))

    def _stamp(self, visit: Visit) -> Stamp:
        ask = visit.ask
        return Stamp(f"{ask.provider}/{ask.model}/{ask.key}/{visit.attempt}", self._epoch + visit.now)

    def _cues(self, dialect: Dialect, visit: Visit, fault: Fault | None) -> Iterator[Cue]:
        stamp, ask = self._stamp(visit), visit.ask
        if not ask.streaming:
            fault = in_a_buffered_answer(fault, dialect.buffered_code)
        if isinstance(fault, Status):
            complaint = Complaint(fault.code, fault.kind, retry_after=fault.retry_after, model=ask.model)
            return page(dialect.error(complaint, stamp))
        kept = self._kept.get(ask.response_id) if ask.response_id else None
        answer = kept.answer if kept else self._answers.answer(visit)
        if isinstance(answer, Recording):
            performance = _replay(answer, self._pacing, dialect.ping)
        else:
            began = kept or Kept(ask, answer, stamp)
            if ask.background and dialect.kept_as and not kept:
                self._kept[dialect.kept_as(stamp)] = began
            performance = self._performance(dialect, evolve(began, ask=ask), dialect.answer_headers(stamp, ask))
            stamp = began.stamp
        if isinstance(fault, ErrorEvent):
            said = dialect.failure(fault.kind, ask, stamp, min(fault.after_events, performance.script.terminal))
            performance = evolve(performance, failure=said)
        return perform(performance, fault)

    def _performance(self, dialect: Dialect, told: Kept, headers: Headers) -> Performance:
        ask, answer, stamp = told.ask, told.answer, told.stamp
        if ask.streaming:
            script = _after(dialect.stream(ask, answer, stamp), ask.resume_after)
            return Performance(headers, script, self._pacing, ping=dialect.ping)
        # A buffered answer takes as long as a streamed one, and comes at its end.
        wait = Pacing(self._pacing.first_token + self._pacing.interval * answer.tokens)
        return Performance(headers, halves(dialect.whole(ask, answer, stamp)), wait, streaming=False)


def _targets(ask: Ask) -> tuple[str, ...]:
    """What a plan may call the receiver of this request."""
    return ("*", ask.provider, ask.model)


def _after(script: Script, position: int | None) -> Script:
    """The part of a script that comes after the event with this number."""
    if position is None:
        return script
    gone = min(position + 1, script.terminal)
    return Script(script.events[gone:], max(0, script.preamble - gone), script.terminal - gone)


_FRAMING = frozenset({"connection", "content-encoding", "content-length", "keep-alive", "transfer-encoding"})


def _replay(recording: Recording, pacing: Pacing, ping: bytes) -> Performance:
    slices = recording.slicing(recording.body)
    script = Script(slices, preamble=0, terminal=max(0, len(slices) - 1))
    headers = tuple((name, value) for name, value in recording.headers if name.lower() not in _FRAMING)
    return Performance(headers, script, pacing, ping=ping, status=recording.status)
