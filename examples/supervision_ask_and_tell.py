"""Ask and tell: an actor crashes on a bad message; its mailbox and its reference outlive the crash."""

import trio

from supervisor import Bounds, Call, CalleeDied, Child, Mailbox, current_child, keep, open_supervisor


async def account(*, mailbox: Mailbox) -> None:
    """Add what it is told; give the balance when it is asked."""
    ledger: list[int] = keep(list[int])
    async for message in mailbox:
        match message:
            case Call("balance") as call:
                call.reply(f"{sum(ledger)} (life {current_child().generation})")
            case int():
                ledger.append(message)
            case _:
                raise TypeError(f"this is no amount: {message!r}")


async def main() -> None:
    """Tell amounts, crash the actor in between, and ask."""
    async with open_supervisor(Child("account", account, mailbox=Bounds(100))) as tree:
        ref = tree["account"]
        for amount in (5, 10, "a lot", 20):
            ref.tell(amount)
        print("balance:", await ref.ask("balance"))
        try:
            await ref.ask("credit")
        except CalleeDied as error:
            print("asked in vain:", error)
        with trio.move_on_after(1):
            print("balance:", await ref.ask("balance"))


trio.run(main)
