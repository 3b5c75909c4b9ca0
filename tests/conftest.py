"""How tests share the machine when several processes run them (`make test`), and which skips are allowed (`--strict-skips`).

Each process takes its part of the cores: two processes that both compute on all cores slow each other more than twofold
(benchmarks/README.md, "Waiting"). Child processes inherit the share. It has to be set before PyTorch is imported.
"""

from __future__ import annotations

import os

import pytest

from tests.expected_skips import is_expected

processes = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
if processes > 1:
    os.environ.setdefault("OMP_NUM_THREADS", str(max(1, (os.cpu_count() or 1) // processes)))


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--strict-skips", action="store_true", help="fail on a skip that tests/expected_skips.py does not list"
    )


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("strict_skips") and not hasattr(config, "workerinput"):
        config.pluginmanager.register(StrictSkips(), "strict-skips")


class StrictSkips:
    """Collects skips in the controlling process and fails the session for one that is not expected."""

    def __init__(self) -> None:
        self.unexpected: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if not report.skipped or hasattr(report, "wasxfail"):
            return
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        if not is_expected(reason):
            self.unexpected.append(f"{report.nodeid}: {reason}")

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if self.unexpected and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self.unexpected:
            terminalreporter.section("skips that are not expected (tests/expected_skips.py)", red=True)
            for line in self.unexpected:
                terminalreporter.write_line(line)
