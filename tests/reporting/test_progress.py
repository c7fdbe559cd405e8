"""Progress: lines with the time in a log, bars on a terminal."""

import io
import re

from loyalty.reporting.progress import Reporter
from rich.console import Console


def written(terminal: bool) -> str:
    """What is told of one notebook that took 4 seconds before."""
    console = Console(file=io.StringIO(), force_terminal=terminal, width=160, soft_wrap=True, color_system=None)
    with Reporter(console) as tell:
        tell("computing facts")
        tell.expect({"04_churn": 4.2})
        for name in ("04_churn", "01_new", "04_churn"):  # twice, as in a back-fill
            tell.notebook(name)(2, 3)
            tell.done(name, 3.0)
    return console.file.getvalue()  # type: ignore[attr-defined,no-any-return]


def test_a_log_has_a_line_a_step_with_the_time() -> None:
    lines = written(terminal=False).splitlines()
    assert all(re.match(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d ", line) for line in lines)
    assert [line[20:] for line in lines] == [
        "computing facts", "04_churn: running (about 4 s)", "04_churn: done in 3.0 s", "01_new: running",
        "01_new: done in 3.0 s", "04_churn: running (about 4 s)", "04_churn: done in 3.0 s",
    ]  # fmt: skip


def test_a_terminal_has_bars_with_the_usual_time() -> None:
    told = written(terminal=True)
    assert "computing facts" in told
    assert re.search(r"04_churn .*done.* of about 4 s", told)
    assert re.search(r"01_new .*done", told)
