"""The campaign's counts, printed at its end as the table of docs/reliability.md."""

import pytest


@pytest.fixture
def row(record_property):
    """Adds a row to the table: what was done, how often, and with which result."""
    return lambda *cells: record_property("row", [str(cell) for cell in cells])


def pytest_terminal_summary(terminalreporter):
    """Prints the rows of the tests that passed."""
    rows = [
        " | ".join(cells)
        for report in terminalreporter.stats.get("passed", ())
        for name, cells in report.user_properties
        if name == "row"
    ]
    if rows:
        terminalreporter.write_line("| what was done | how often | result |")
        terminalreporter.write_line("|---|---|---|")
        for line in rows:
            terminalreporter.write_line(f"| {line} |")
