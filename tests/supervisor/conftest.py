"""The seed of every run of the state machine is told, so that it can be repeated."""


def pytest_terminal_summary(terminalreporter):
    for reports in terminalreporter.stats.values():
        for report in reports:
            told = dict(getattr(report, "user_properties", ()))
            if getattr(report, "when", None) == "call" and "SUPERVISOR_SEED" in told:
                terminalreporter.write_line(
                    f"state machine: {told['steps']} steps; SUPERVISOR_SEED={told['SUPERVISOR_SEED']} repeats them"
                )
