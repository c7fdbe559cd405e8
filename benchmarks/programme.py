"""Speed and memory of a points ledger, beside a loop over customers: `make bench-programme [SIZE=10M]`.

Every contender runs in a process of its own, on the same simulated ledger; the loop on a smaller one that is made in
the same way. Nothing is told unless both find the same points redeemed, expired and left.
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

from ledgers import describe, make
from logs import lines_of
from measure import Cost, aside, least, machine, markdown, measure, put
from settlers import SETTLERS, THREADS

HERE = Path(__file__).parent
MEMORY_GB = 2.5
"""What DuckDB may use; its process takes somewhat more."""
GOAL = "The goal: 10 million lines within a minute and 4 GB on two cores."
HEADER = [
    "lines",
    "by",
    "user-CPU, s",
    "of it to start",
    "system-CPU, s",
    "elapsed, s",
    "peak memory, GB",
    "user-CPU after the start for a million lines, s",
    "loyalty = 1",
]


class Outcome(NamedTuple):
    """What one contender cost on some lines, of it user-CPU to start, what became of the points, and versions."""

    size: str
    shown: str
    cost: Cost
    started: float
    points: dict[str, float]
    versions: dict[str, str]

    @property
    def each_million(self) -> float:
        """User-CPU seconds after the start for a million lines."""
        return (self.cost.user - self.started) / lines_of(self.size) * 1e6


def main() -> None:
    """Make the ledgers if they are not there, run the contenders, tell the table."""
    asked = _arguments()
    asked.folder.mkdir(parents=True, exist_ok=True)
    files = {size: asked.folder / f"ledger-{size}.parquet" for size in (asked.size, asked.part)}
    for size, file in files.items():
        if not file.exists():
            _say(f"Simulating {size} lines")
            aside(make, lines_of(size), file)
    runs = [(asked.size, "loyalty"), (asked.part, "loyalty"), (asked.part, "pandas")]
    outcomes = [run(name, size, files[size], asked) for size, name in dict.fromkeys(runs)]
    agree(outcomes[-2], outcomes[-1])
    text = f"{_circumstances(asked, files[asked.size], outcomes)}\n\n{markdown(HEADER, rows(outcomes))}"
    sys.stdout.write(f"{text}\n")
    if asked.write:
        name = f"ledger of {asked.size} lines"
        put(asked.write, name, f"### {name.capitalize()}\n\n{text}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("size", nargs="?", type=size, default="10M", help="lines, such as 50k or 10M (default)")
    parser.add_argument("--part", type=size, default="1M", help="lines for the loop (default 1M)")
    parser.add_argument("--runs", type=int, default=3, help="of each contender (default 3)")
    parser.add_argument("--folder", type=Path, default=HERE.parent / "build" / "bench", help="for ledgers and scratch")
    parser.add_argument("--write", type=Path, metavar="FILE", help="put the table into this Markdown file too")
    return parser.parse_args()


def size(text: str) -> str:
    """A size as given, if it is one; else argparse complains."""
    lines_of(text)
    return text


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")


def run(name: str, size: str, ledger: Path, asked: argparse.Namespace) -> Outcome:
    """Run one contender as often as asked."""
    costs, facts = [], []
    for at in range(asked.runs):
        _say(f"{name} on {size}: run {at + 1} of {asked.runs}")
        with tempfile.TemporaryDirectory(dir=asked.folder) as scratch:
            command = [sys.executable, "-W", "ignore", HERE / "settlers.py", name, ledger, scratch, MEMORY_GB]
            cost, told = measure([str(part) for part in command])
        costs.append(cost)
        facts.append(json.loads(told))
    started = min(fact["started"] for fact in facts)
    last = facts[-1]
    return Outcome(size, SETTLERS[name].shown, least(costs), started, last["points"], last["versions"])


def agree(ours: Outcome, theirs: Outcome) -> None:
    """Nothing if both found the same of the same lines.

    Raises
    ------
    SystemExit
        If they did not.
    """
    for what, points in ours.points.items():
        if abs(points - theirs.points[what]) > 0.005:
            raise SystemExit(
                f"{ours.size} lines: {ours.shown} finds {points:,.2f} points {what}, "
                f"{theirs.shown} {theirs.points[what]:,.2f}"
            )


def _circumstances(asked: argparse.Namespace, ledger: Path, outcomes: list[Outcome]) -> str:
    """Under what the table was measured, in a paragraph."""
    versions = {name: version for outcome in outcomes for name, version in outcome.versions.items()}
    of_runs = f"Times are of the run of {asked.runs} with the least user-CPU, peaks the highest."
    parts = [
        f"{aside(describe, ledger)}.",
        f"{machine()}; {', '.join(f'{name} {version}' for name, version in sorted(versions.items()))}.",
        f"DuckDB may use {THREADS} threads and {MEMORY_GB:g} GB.",
        of_runs if asked.runs > 1 else "One run.",
        f"Both find the same points in {asked.part} lines.",
        GOAL,
    ]
    return " ".join(parts)


def rows(outcomes: list[Outcome]) -> list[list[str]]:
    """One row for each contender and size; a loop is held against the project on the same lines."""
    ours = {outcome.size: outcome.each_million for outcome in outcomes if outcome.shown == "loyalty"}
    return [
        [
            outcome.size,
            outcome.shown,
            f"{outcome.cost.user:.1f}",
            f"{outcome.started:.1f}",
            f"{outcome.cost.system:.1f}",
            f"{outcome.cost.elapsed:.1f}",
            f"{outcome.cost.peak / 1e9:.2f}",
            f"{outcome.each_million:.1f}",
            f"{outcome.each_million / ours[outcome.size]:.2f}",
        ]
        for outcome in outcomes
    ]


if __name__ == "__main__":
    main()
