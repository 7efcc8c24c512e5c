"""The conformance cases of OTP and its relatives: what is asked, where it is answered, and what is left out and why.

`A1` to `I9` are the numbers of a table compiled from the test suites of OTP, Elixir, suture, ractor, Pekko and Parent.
"""

ALL = """
A1 A2 A4 A5 A6 A7 A9 A10 A12 A13 A15 A16 A17 A18 A19 A21 A22 A24 A25 A27
B1 B2 B4 B5 B7 B8 B10 B11 B13 B14 B16 B17
C1 C2 C3 C4 C6 C7 C8 C9 C11 C12 C14 C15
D1 D2 D4 D5 D7 D8 D10 D11 D13 D14 D16
E1 E3 E4 E6 E7 E9 E10
F1 F2 F4 F5 F7 F9 F11 F13 F14 F16 F17 F18
G1 G2 G4 G6 G7 G10
H1 H2 H3
I1 I2 I4 I6 I7 I8 I9
""".split()

_NO_TEMPLATE = "there is no simple_one_for_one: dynamic children have specs of their own"

LEFT_OUT = {
    "A24": "names are the registry's, and a child does not register itself by being started: see NameTaken",
    "A25": "a spec is a value; there are no modules to ask for one",
    "B14": "a task cannot be killed outright; a subtree that gives up is rebuilt, see D8",
    "C14": "the spec of a temporary child is forgotten as a whole, see C7",
    "D16": "no bindings between siblings: strategies express them",
    "F14": "cost, not behaviour: measured by the benchmarks",
    "F13": "cost, not behaviour: measured by the benchmarks",
    "F16": "no hot code upgrade; a spec is replaced for the next start, see test_supervisor_calls",
    "F18": "no hibernation: an idle child costs what a parked task costs",
    "G7": _NO_TEMPLATE,
    "G10": "no hot code upgrade",
    "H1": "records are values; how they are written is for the hook",
    "H2": "records are values; levels and filters are for the hook",
    "H3": "records are values; levels are for the hook",
}


def case(*numbers):
    """Mark a test as the answer to these cases: `pytest tests/supervisor -k D10.` finds it."""
    unknown = set(numbers) - set(ALL)
    assert not unknown, unknown

    def mark(test):
        test.cases = (*getattr(test, "cases", ()), *numbers)
        return test

    return mark
