"""Speed and memory of histories and features, beside peers that do the same: `make bench-features [SIZE=10M]`.

Every contender runs in a process of its own, on the same simulated log. User-CPU and peak memory are what the operating
system counts for that process. Nothing is told unless the results are equal.
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

from agree import differences
from asked import number_of, parser_of, say, size, tell
from contenders import AS_OF, CONTENDERS, THREADS
from logs import describe, make
from measure import Cost, aside, least, machine, markdown, measure

HERE = Path(__file__).parent
TITLES = {"histories": "histories", "features": "all blocks"}
MEMORY_GB = {"histories": 3.5, "features": 12.0}
"""What DuckDB may use, whoever calls it; its process takes somewhat more."""
IN_MEMORY = {"lifetimes", "pymc-marketing"}
"""Those who hold all lines in memory, some 3 GB for 10 million."""
MOST_IN_MEMORY = 20_000_000
"""Lines up to which they run."""
HEADER = [
    "",
    "by",
    "user-CPU, s",
    "of it to start",
    "system-CPU, s",
    "elapsed, s",
    "peak memory, GB",
    "user-CPU after the start, loyalty = 1",
]


class Outcome(NamedTuple):
    """What one contender cost, of it user-CPU seconds to start and import, and the versions that ran."""

    shown: str
    cost: Cost
    started: float
    versions: dict[str, str]

    @property
    def work(self) -> float:
        """User-CPU seconds after the start."""
        return self.cost.user - self.started


def main() -> None:
    """Make the log if it is not there, run the contenders, tell the table."""
    asked = _arguments()
    asked.folder.mkdir(parents=True, exist_ok=True)
    log = asked.folder / f"lines-{asked.size}-by-{asked.order}.parquet"
    if not log.exists():
        say(f"Simulating {asked.size} lines")
        aside(make, number_of(asked.size), AS_OF, asked.order, log)
    left_out = _left_out(asked)
    outcomes = {
        task: race(task, [name for name in contenders if name not in left_out], log, asked)
        for task, contenders in CONTENDERS.items()
    }
    text = f"{_circumstances(asked, log, outcomes, left_out)}\n\n{_table(outcomes)}"
    name = f"{asked.size} lines in order of {asked.order}"
    tell(f"### {name}\n\n{text}", name, asked.write)


def _arguments() -> argparse.Namespace:
    parser = parser_of(__doc__, "for logs and scratch")
    parser.add_argument(
        "size", nargs="?", type=size, default="10M", help="lines of the log, such as 50k, 10M (default), 100M"
    )
    parser.add_argument("--order", choices=["customer", "time"], default="customer", help="of the lines")
    parser.add_argument("--peers", type=Path, help="a Python that has pymc-marketing")
    parser.add_argument("--runs", type=int, default=3, help="of each contender (default 3)")
    return parser.parse_args()


def _left_out(asked: argparse.Namespace) -> dict[str, str]:
    """Contenders that do not run, and why."""
    why = {} if asked.peers else {"pymc-marketing": "it is not installed"}
    if number_of(asked.size) > MOST_IN_MEMORY:
        why |= dict.fromkeys(sorted(IN_MEMORY), "it holds all lines in memory")
    return why


def race(task: str, names: list[str], log: Path, asked: argparse.Namespace) -> list[Outcome]:
    """Run the contenders of a task one after another.

    Raises
    ------
    SystemExit
        If the result of one is not that of the first.
    """
    outcomes = []
    with tempfile.TemporaryDirectory(dir=asked.folder) as folder:
        results = [Path(folder) / f"{name}.parquet" for name in names]
        for name, result in zip(names, results, strict=True):
            outcomes.append(run(task, name, log, result, asked))
            # Both packages write a mean spend of zero for who has not come again.
            differing = aside(differences, results[0], result, task == "histories")
            if differing:
                raise SystemExit(f"{TITLES[task]}: {names[0]} and {name} do not agree on {differing}")
            if result != results[0]:
                result.unlink()
    return outcomes


def run(task: str, name: str, log: Path, result: Path, asked: argparse.Namespace) -> Outcome:
    """Run one contender as often as asked."""
    python = asked.peers if name == "pymc-marketing" else sys.executable
    script = ["-W", "ignore", HERE / "contenders.py"]  # peers warn on import
    costs, facts = [], []
    for at in range(asked.runs):
        say(f"{TITLES[task]}, {name}: run {at + 1} of {asked.runs}")
        with tempfile.TemporaryDirectory(dir=asked.folder) as scratch:
            command = [python, *script, task, name, log, result, scratch, MEMORY_GB[task]]
            cost, told = measure([str(part) for part in command])
        costs.append(cost)
        facts.append(json.loads(told))
    started = min(fact["started"] for fact in facts)
    return Outcome(CONTENDERS[task][name].shown, least(costs), started, facts[0]["versions"])


def _circumstances(
    asked: argparse.Namespace, log: Path, outcomes: dict[str, list[Outcome]], left_out: dict[str, str]
) -> str:
    """Under what the table was measured, in a paragraph."""
    versions = {
        package: version
        for of_task in outcomes.values()
        for outcome in of_task
        for package, version in outcome.versions.items()
    }
    limits = " and ".join(f"{limit:g} GB for {TITLES[task]}" for task, limit in MEMORY_GB.items())
    least_of = f"Times are of the run of {asked.runs} with the least user-CPU, peaks the highest."
    parts = [
        f"{aside(describe, log)}, in order of {asked.order}.",
        f"{machine()}; {', '.join(f'{name} {version}' for name, version in sorted(versions.items()))}.",
        f"DuckDB may use {THREADS} threads and {limits}.",
        least_of if asked.runs > 1 else "One run.",
        "All results agree to 1e-9.",
        *(f"Without {name}: {why}." for name, why in left_out.items()),
    ]
    return " ".join(parts)


def _table(outcomes: dict[str, list[Outcome]]) -> str:
    """One row for each contender, the first of each task being what the others are held against."""
    rows = [
        [
            TITLES[task],
            outcome.shown,
            f"{outcome.cost.user:.1f}",
            f"{outcome.started:.1f}",
            f"{outcome.cost.system:.1f}",
            f"{outcome.cost.elapsed:.1f}",
            f"{outcome.cost.peak / 1e9:.2f}",
            f"{outcome.work / of_task[0].work:.2f}",
        ]
        for task, of_task in outcomes.items()
        for outcome in of_task
    ]
    return markdown(HEADER, rows)


if __name__ == "__main__":
    main()
