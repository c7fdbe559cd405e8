"""How far a report is: bars on a terminal, one plain line a step in a log."""

import sys
from collections.abc import Callable, Mapping
from datetime import datetime
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn


class Reporter:
    """Tells on standard error how far the work is: bars on a terminal, lines with the time in a log.

    Safe to call from several threads.

    Parameters
    ----------
    console : where to tell it; standard error if not given.
    """

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console(file=sys.stderr, highlight=False, soft_wrap=True)
        self._bars = Progress(
            TextColumn("{task.description:<22}"),
            BarColumn(bar_width=30),
            TextColumn("{task.fields[state]:<14}"),
            TimeElapsedColumn(),
            TextColumn("{task.fields[usual]}"),
            console=self.console,
        )
        self._tasks: dict[str, TaskID] = {}
        self._usual: dict[str, float] = {}

    def __enter__(self) -> Self:
        """Start drawing, if this is a terminal."""
        if self.console.is_terminal:
            self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave the terminal as it was."""
        if self.console.is_terminal:
            self._bars.stop()

    def __call__(self, message: str) -> None:
        """Tell one step."""
        stamp = "" if self.console.is_terminal else f"{datetime.now():%Y-%m-%d %H:%M:%S} "
        self.console.print(stamp + message, markup=False)

    def expect(self, seconds: Mapping[str, float]) -> None:
        """Learn how long notebooks took when they were run last, by name."""
        self._usual = dict(seconds)

    def notebook(self, name: str) -> Callable[[int, int], None]:
        """Start telling about a notebook; the result is called with each cell's number and their count."""
        usual = f"of about {self._usual[name]:.0f} s" if name in self._usual else ""
        if not self.console.is_terminal:
            self(f"{name}: running" + (f" ({usual.removeprefix('of ')})" if usual else ""))
            return lambda number, total: None
        if name in self._tasks:  # of the report before this one
            self._bars.remove_task(self._tasks[name])
        task = self._tasks[name] = self._bars.add_task(name, total=None, state="starting", usual=usual)

        def on_cell(number: int, total: int) -> None:
            self._bars.update(task, completed=number - 1, total=total, state=f"cell {number} of {total}")

        return on_cell

    def done(self, name: str, seconds: float) -> None:
        """Tell that a notebook is finished, after `seconds`."""
        if name not in self._tasks:
            self(f"{name}: done in {seconds:.1f} s")
            return
        task = next(task for task in self._bars.tasks if task.id == self._tasks[name])
        total = task.total or 1
        self._bars.update(task.id, completed=total, total=total, state="done")
        self._bars.stop_task(task.id)


class Counter:
    """A bar on a terminal for one piece of work that is counted; nothing in a log.

    Parameters
    ----------
    what : is counted.
    console : where to tell it; standard error if not given.
    """

    def __init__(self, what: str, console: Console | None = None) -> None:
        self.console = console or Console(file=sys.stderr, highlight=False, soft_wrap=True)
        self._bars = Progress(
            TextColumn(f"{what:<22}"),
            BarColumn(bar_width=30),
            TimeElapsedColumn(),
            console=self.console,
            transient=True,
        )
        self._task: TaskID | None = None

    def __enter__(self) -> Self:
        """Wait for the first count."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave the terminal as it was."""
        self._bars.stop()

    def __call__(self, done: int, of: int) -> None:
        """So many are done, of so many."""
        if not self.console.is_terminal:
            return
        if self._task is None:
            self._bars.start()
            self._task = self._bars.add_task("", total=of)
        self._bars.update(self._task, completed=done, total=of)
