"""A provider on the loopback for `seven_checks.sh`: weather and known keys from the command line, its address on standard output."""

import sys

import trio

from actors.chaos import Generated, Listing, Plan, Simulator


async def main(weather, keys):
    listing = Listing(("claude-sonnet-4-5", "claude-opus-4-1"), frozenset(filter(None, keys.split(","))))
    simulator = Simulator(Generated(tokens=4), Plan.parse(weather), listing=listing)
    async with trio.open_nursery() as nursery:
        print(await nursery.start(simulator.listen), flush=True)  # noqa: T201 -- the script reads it


trio.run(main, *sys.argv[1:3])
