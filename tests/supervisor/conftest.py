"""Conformance cases are found by number, `pytest tests/supervisor -k D10.`; the seed of every run of the state machine is told."""


def pytest_collection_modifyitems(items):
    for item in items:
        item.extra_keyword_matches.update(f"{number}." for number in getattr(item.function, "cases", ()))


def pytest_terminal_summary(terminalreporter):
    for reports in terminalreporter.stats.values():
        for report in reports:
            told = dict(getattr(report, "user_properties", ()))
            if getattr(report, "when", None) == "call" and "SUPERVISOR_SEED" in told:
                terminalreporter.write_line(
                    f"state machine: {told['steps']} steps; SUPERVISOR_SEED={told['SUPERVISOR_SEED']} repeats them"
                )
