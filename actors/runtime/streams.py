"""The stream service: a supervised child under which every stream is an actor of its own.

`Streams` is the reference that callers hold; it stays valid when the service behind it is restarted.  Streams of a service that falls
end as interrupted, with what had arrived.
"""

from collections.abc import Callable, Mapping
from functools import partial
from itertools import count
from random import Random

import attrs
import trio

from actors.errors import StreamClosed
from actors.ladder import Ladder, Seam, as_ladder
from actors.outcome import Outcome
from actors.policy.directive import Climb, first_leg
from actors.request import Prompt, Request, as_request
from actors.route import Route
from actors.runtime.attempt import World, attempt
from actors.runtime.chronicle import caller, trace_under
from actors.runtime.life import Life, Order
from actors.runtime.shared import Shared
from actors.runtime.stream import GRACE, Stream
from supervisor import Child, ChildRef, ChildRestarting, Exit, Record, Restart, Supervisor, TreeStopped


@attrs.frozen
class Home:
    """What one incarnation of the service runs on.

    `admit` gives a route as it can be asked this here, and raises `SettingError` for one that cannot; `gauges` counts connections.
    """

    tree: Supervisor
    world: World
    admit: Callable[[Route, Request], Route]
    gauges: Callable[[], Mapping[str, int]] = dict[str, int]


class Streams:
    """Opens supervised streams; got from `open_streams`, or from a child that runs `serve_streams`."""

    def __init__(self, seed: int | None = None) -> None:
        self._dice = Random(seed)  # noqa: S311 -- names of traces, no secrets
        self._numbers = count(1)
        self._home: Home | None = None
        self._settled = trio.Event()
        self._closed = False

    def open(
        self,
        prompt: Prompt,
        ladder: Ladder | Route | str,
        *,
        seam: Seam = Seam.RESTART,
        name: str | None = None,
        repeat_tools: bool = False,
    ) -> Stream:
        """A stream of the answer to `prompt` on `ladder`, to be used in `async with`.

        Where the provider has run a tool that may have changed something (Claude Code's Bash or Edit, an MCP server's tool), no further attempt
        is made after that one broke, unless `repeat_tools` says that they may run again.

        Entering raises `SettingError`, before anything is sent, where a route names an unknown provider, one without credentials, or one
        that lacks what the prompt asks for.
        """
        return Stream(Life(self._order(prompt, ladder, seam, name, repeat_tools=repeat_tools), consumed=True), self)

    async def ask(
        self,
        prompt: Prompt,
        ladder: Ladder | Route | str,
        *,
        seam: Seam = Seam.RESTART,
        name: str | None = None,
        repeat_tools: bool = False,
    ) -> Outcome:
        """The outcome alone; what had arrived is lost where the caller is cancelled: use `open` to keep a partial."""
        order = self._order(prompt, ladder, seam, name, repeat_tools=repeat_tools)
        async with Stream(Life(order, consumed=False), self) as stream:
            return await stream.wait()

    def _order(
        self, prompt: Prompt, ladder: Ladder | Route | str, seam: Seam, name: str | None, *, repeat_tools: bool
    ) -> Order:
        name = name or f"stream-{next(self._numbers)}"
        trace = trace_under(caller(), self._dice.getrandbits(128))
        return Order(as_request(prompt), as_ladder(ladder), seam, name, trace, repeat_tools)

    def gauges(self) -> Mapping[str, int]:
        """What is held at this moment: `connections` in use, `idle_connections`, `waiting_requests`, `buffered_bytes`.

        Nothing before a service stands.
        """
        home = self._home
        return {} if home is None else {**home.gauges(), "buffered_bytes": home.world.shared.held}

    async def launch(self, life: Life) -> ChildRef:
        """Start the actor of a stream; waits while the service is being restarted."""
        while True:
            home = await self._at_home()
            try:
                return home.tree.start_soon(self._child(life, home))
            except TreeStopped:
                # It falls, or is being stopped, and has not come to tell us: whether it comes back is its supervisor's to decide.
                self.settle(None)

    async def _at_home(self) -> Home:
        while self._home is None:
            if self._closed:
                message = "these streams were closed with the block or the child that served them; open new ones"
                raise StreamClosed(message)
            await self._settled.wait()
        return self._home

    def _child(self, life: Life, home: Home) -> Child:
        order, now = life.order, trio.current_time()
        ladder = order.ladder.with_routes(lambda route: home.admit(route, order.request))
        life.chronicle.listen(home.tree.hook, (*home.tree.path, order.name))
        return Child(
            order.name,
            attempt,
            life,
            home.world,
            restart=Restart.TRANSIENT,
            shutdown=GRACE,
            respond=life.judged(Climb(ladder, order.seam)),
            variant=first_leg(ladder, home.world.shared.conditions(now), now),
            notify=partial(self._notice, life, home.world.shared),
        )

    def _notice(self, life: Life, shared: Shared, record: Record) -> None:
        if isinstance(record, ChildRestarting) and life.repeats(record):
            shared.repeated(life.route.provider, record.at)
        life.notice(record)

    def settle(self, home: Home | None) -> None:
        """The service behind this reference stands, or has fallen."""
        self._home = home
        if home is not None:
            self._closed = False
            self._settled.set()
        elif self._settled.is_set():
            self._settled = trio.Event()

    def ended(self, _: Exit) -> None:
        """The child behind this reference does not come back by itself; started again by hand it opens streams again."""
        self.close()

    def close(self) -> None:
        """The service will not come back: whoever waits for it is told."""
        self._home, self._closed = None, True
        self._settled.set()
