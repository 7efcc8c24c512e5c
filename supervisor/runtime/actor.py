"""Actors: children that live on messages. An actor is an ordinary child function with a mailbox; this is the little that makes one pleasant.

Let it crash: what a behaviour raises ends the incarnation, the asker in hand is told, and the next incarnation goes on with the next message.
"""

from collections.abc import Awaitable, Callable
from typing import Any

from supervisor.errors import NoMailbox
from supervisor.exits import Down, Leave
from supervisor.runtime.incarnation import current_child
from supervisor.runtime.mailbox import Call, Mailbox
from supervisor.runtime.ref import ChildRef


async def behave(answer: Callable[[Any], Awaitable[Any]], *, mailbox: Mailbox) -> None:
    """Answer one message after another until politely asked to leave: `Child("echo", behave, echo, mailbox=Bounds())`.

    `answer(message)` is awaited for each; what it returns goes to the sender if that asked, and nowhere if it told.
    """
    async for message in mailbox:
        if isinstance(message, Leave):
            return
        if isinstance(message, Call):
            message.reply(await answer(message.message))
        else:
            await answer(message)


def watch(ref: ChildRef) -> Callable[[], None]:
    """Have the calling actor's mailbox receive exactly one `Down`, urgently, when `ref` has ended for good; at once if it has.

    The result takes that back. For a task without a mailbox there is `await ref.wait()`.

    Raises:
        NoMailbox: The calling child has no mailbox.
        NotAChild: The task does not run inside a child.
    """
    slot = current_child().slot
    mailbox = slot.mailbox
    if mailbox is None:
        raise NoMailbox(slot.spec.id)
    path = ref.path

    def deliver(end: Any) -> None:
        if slot.exit is None:
            mailbox.put_nowait(Down(path, end), urgent=True)

    return ref.on_end(deliver)
