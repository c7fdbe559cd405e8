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

from asked import number_of, parser_of, say, size, tell
from ledgers import describe, make
from measure import Cost, aside, least, machine, markdown, measure
from settlers import SETTLERS, THREADS

HERE = Path(__file__).parent
MEMORY_GB = 2.5
"""What DuckDB may use; its process takes somewhat more."""
GOAL = "The goal: 10 million lines within a minute and 4 GB on two cores."
GREEDY_EVERY = 50
GREEDY = "loyalty, where one of 50 customers redeems more than is there"
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
        return (self.cost.user - self.started) / number_of(self.size) * 1e6


def main() -> None:
    """Make the ledgers if they are not there, run the contenders, tell the table."""
    asked = _arguments()
    asked.folder.mkdir(parents=True, exist_ok=True)
    files = {lines: _ledger(asked.folder, lines, 0) for lines in (asked.size, asked.part)}
    greedy = _ledger(asked.folder, asked.size, GREEDY_EVERY)
    runs = [(asked.size, "loyalty"), (asked.part, "loyalty"), (asked.part, "pandas")]
    outcomes = [run(name, lines, files[lines], asked) for lines, name in dict.fromkeys(runs)]
    agree(outcomes[-2], outcomes[-1])
    outcomes.insert(1, run("loyalty", asked.size, greedy, asked)._replace(shown=GREEDY))
    text = f"{_circumstances(asked, files[asked.size], outcomes)}\n\n{markdown(HEADER, rows(outcomes))}"
    tell(f"### Ledger of {asked.size} lines\n\n{text}", f"ledger of {asked.size} lines", asked.write)


def _ledger(folder: Path, lines: str, greedy_every: int) -> Path:
    """The file of a ledger, simulated if it is not there."""
    file = folder / f"ledger-{lines}{'-greedy' if greedy_every else ''}.parquet"
    if not file.exists():
        say(f"Simulating {lines} lines")
        aside(make, number_of(lines), file, greedy_every)
    return file


def _arguments() -> argparse.Namespace:
    parser = parser_of(__doc__, "for ledgers and scratch")
    parser.add_argument("size", nargs="?", type=size, default="10M", help="lines, such as 50k or 10M (default)")
    parser.add_argument("--part", type=size, default="1M", help="lines for the loop (default 1M)")
    parser.add_argument("--runs", type=int, default=3, help="of each contender (default 3)")
    return parser.parse_args()


def run(name: str, size: str, ledger: Path, asked: argparse.Namespace) -> Outcome:
    """Run one contender as often as asked."""
    costs, facts = [], []
    for at in range(asked.runs):
        say(f"{name} on {size}: run {at + 1} of {asked.runs}")
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
