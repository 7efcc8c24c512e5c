"""Following the seams: a stream is cut twice, and a reader who obeys the seams has every word once."""

import trio

from actors import AttemptAbandoned, AttemptStarted, Backoff, Ladder, Retry, Settings, Streams, TextDelta, open_streams
from actors.chaos import Plan, Scripted, Simulator, open_network

SETTINGS = Settings.read({"ANTHROPIC_API_KEY": "any"})
LADDER = Ladder("anthropic:claude-one", Retry(3, Backoff(initial=0.1)))
ANSWER = "Short waves scatter most, so blue comes to the eye from everywhere."


async def read(streams: Streams) -> None:
    """Print what arrives, keep what holds."""
    page = ""
    async with streams.open("Why is the sky blue?", LADDER) as stream:
        async for event in stream:
            match event:
                case AttemptStarted(number, route):
                    print(f"attempt {number} on {route}:", end="")
                case TextDelta(text):
                    page += text
                    print(f" [{text}]", end="")
                case AttemptAbandoned(failure, delivered):
                    page = ""
                    print(f"\n  {failure.title}: forget these {delivered.characters} characters")
                case _:
                    pass
    print(f"\nread: {page}\nthe same as the outcome's: {page == stream.outcome.text == ANSWER}")


async def main() -> None:
    """Cut the first attempt, overload the second."""
    simulator = Simulator(Scripted(ANSWER), Plan.parse("claude-one#1=cut:9 claude-one#2=error:overloaded:6"))
    async with open_network(simulator) as network, open_streams(settings=SETTINGS, network=network) as streams:
        await read(streams)


trio.run(main)
