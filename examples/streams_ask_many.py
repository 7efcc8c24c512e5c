"""Many at once, one provider down: every question is answered elsewhere, and the dead provider is soon left alone."""

from collections import Counter

import trio

from actors import Backoff, Ladder, Outcome, Retry, Settings, Streams, Switch, open_streams
from actors.chaos import Plan, Simulator, open_network

SETTINGS = Settings.read({"ANTHROPIC_API_KEY": "any", "OPENAI_API_KEY": "any"})
SOON = Retry(3, Backoff(initial=0.1))
LADDER = Ladder("anthropic:claude-sonnet-4-5", SOON, Switch("openai:gpt-5-mini"), SOON)


async def ask(streams: Streams, number: int, outcomes: list[Outcome], seats: trio.CapacityLimiter) -> None:
    """One question of many."""
    async with seats:
        outcomes.append(await streams.ask(f"Question {number}", LADDER))


async def main() -> None:
    """Ask a hundred questions, ten at a time, on a day when Anthropic is overloaded."""
    simulator = Simulator(plan=Plan.parse("down:anthropic=0s..3600s@status529"))
    outcomes: list[Outcome] = []
    async with (
        open_network(simulator) as network,
        open_streams(settings=SETTINGS, network=network) as streams,
        trio.open_nursery() as nursery,
    ):
        seats = trio.CapacityLimiter(10)
        for number in range(100):
            nursery.start_soon(ask, streams, number, outcomes, seats)
    print(f"{sum(outcome.completed for outcome in outcomes)} of {len(outcomes)} answered")
    print("requests that each provider saw:", dict(Counter(entry.provider for entry in simulator.journal.entries)))


trio.run(main)
