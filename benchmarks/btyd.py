"""Speed and memory of buy-till-you-die models, beside peers that fit the same: `make bench-btyd`.

Every fit runs in a process of its own, on the same simulated histories. Nothing is told unless the likelihood that the
project reaches is at least that of every peer.
"""

import argparse
import json
import os
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

from asked import names, number_of, parser_of, say, size, tell
from fitters import CONTENDERS, Spent
from measure import aside, machine, markdown, measure
from populations import POPULATIONS, describe, log_likelihoods, make

HERE = Path(__file__).parent
MODELS = {"bgnbd": "BG/NBD", "mbgnbd": "MBG/NBD", "pareto_nbd": "Pareto/NBD", "gamma_gamma": "Gamma-Gamma"}
SLOW = {"pareto_nbd"}
"""Models that peers fit to a part of the customers only; the project fits both the part and all."""
ONCE = {"pymc-marketing"}
"""Contenders that run once, however often the others do."""
LEAST_COMPILED = 0.5
"""Seconds by which a first start may be slower than a second without anything having been compiled."""
SHORT_BY = 0.01
"""What a likelihood may lack that is called equal; a hundredth of what a doubtful parameter is worth."""
HEADER = [
    "",
    "by",
    "customers fitted",
    "fit, s",
    "CPU, s",
    "loyalty = 1, elapsed / CPU",
    "peak memory, GB",
    "log-likelihood",
    "predictions for all, s",
    "CPU, s",
    "loyalty = 1, elapsed / CPU",
    "not finite",
]


class Outcome(NamedTuple):
    """What one contender took for one model, at its best, and what it found."""

    name: str
    customers: int
    fit: Spent
    peak: int
    predict: Spent | None
    not_finite: int
    parameters: dict[str, float]
    compiled: float
    versions: dict[str, str]


def main() -> None:
    """Make the populations if they are not there, run the contenders, tell a table for each population."""
    asked = _arguments()
    asked.folder.mkdir(parents=True, exist_ok=True)
    for name in asked.populations:
        file = asked.folder / f"customers-{asked.size}-{name}.parquet"
        if not file.exists():
            say(f"Simulating {asked.size} customers, {name}")
            aside(make, name, number_of(asked.size), file)
        outcomes = {model: race(model, file, asked) for model in asked.models}
        text = f"{_circumstances(asked, file, outcomes)}\n\n{markdown(HEADER, _rows(file, outcomes))}"
        title = f"{asked.size} customers, {name}"
        tell(f"### {title}\n\n{text}", title, asked.write)


def _arguments() -> argparse.Namespace:
    parser = parser_of(__doc__, "for populations")
    parser.add_argument("size", nargs="?", type=size, default="1M", help="customers, such as 20k or 1M (default)")
    parser.add_argument("--part", type=size, default="100k", help="customers where peers are slow (default 100k)")
    parser.add_argument("--models", type=names(MODELS), default=list(MODELS), help=f"of {','.join(MODELS)}")
    parser.add_argument("--populations", type=names(POPULATIONS), default=list(POPULATIONS), help="low,high")
    parser.add_argument("--peers", type=Path, help="a Python that has pymc-marketing")
    parser.add_argument("--runs", type=int, default=3, help="of each contender (default 3)")
    return parser.parse_args()


def race(model: str, file: Path, asked: argparse.Namespace) -> list[Outcome]:
    """Run the contenders of a model one after another."""
    every = number_of(asked.size)
    part = min(number_of(asked.part), every) if model in SLOW else every
    runs = [("loyalty", size) for size in sorted({every, part}, reverse=True)]
    runs += [(name, part) for name in CONTENDERS if name != "loyalty" and (name != "pymc-marketing" or asked.peers)]
    with tempfile.TemporaryDirectory(dir=asked.folder) as cache:
        return [run(name, model, file, size, cache, asked) for name, size in runs]


def run(name: str, model: str, file: Path, customers: int, cache: str, asked: argparse.Namespace) -> Outcome:
    """Run one contender as often as asked; the least of each time, the highest of the peaks."""
    python = asked.peers if name == "pymc-marketing" else sys.executable
    # What is compiled is kept where nothing is yet, so that compiling is seen, once.
    script = ["env", f"NUMBA_CACHE_DIR={cache}", python, "-W", "ignore", HERE / "fitters.py"]
    runs = 1 if name in ONCE else asked.runs
    told = []
    for at in range(runs + (name == "loyalty")):
        say(f"{MODELS[model]}, {name}, {customers:,} customers: run {at + 1}")
        _, text = measure([os.fspath(part) for part in (*script, name, model, file, str(customers))])
        told.append(json.loads(text.splitlines()[-1]))
    counted = told[-runs:]
    return Outcome(
        name,
        customers,
        _least([Spent(*each["fit"]) for each in counted]),
        max(each["peak"] for each in counted),
        _least([Spent(*each["predict"]) for each in counted]) if counted[0]["predict"] else None,
        max(each["not_finite"] for each in counted),
        counted[0]["parameters"],
        told[0]["warmed"] - min(each["warmed"] for each in told),
        counted[0]["versions"],
    )


def _least(spent: list[Spent]) -> Spent:
    return Spent(min(each.elapsed for each in spent), min(each.cpu for each in spent))


def _rows(file: Path, outcomes: dict[str, list[Outcome]]) -> list[list[str]]:
    return [row for model, of_model in outcomes.items() for row in _rows_of(model, file, of_model)]


def _rows_of(model: str, file: Path, outcomes: list[Outcome]) -> list[list[str]]:
    """One row for each contender; peers are held against the project's fit of as many customers.

    Raises
    ------
    SystemExit
        If the likelihood that a peer reaches is higher than the project's.
    """
    rows = []
    for of in outcomes:
        ours = next(each for each in outcomes if (each.name, each.customers) == ("loyalty", of.customers))
        found = [of.parameters, ours.parameters]
        reached, best = aside(log_likelihoods, file, of.customers, model, found)
        if reached > best + SHORT_BY:
            raise SystemExit(f"{MODELS[model]}: loyalty stops at {best:.3f}, {of.name} reaches {reached:.3f}")
        rows.append(
            [
                MODELS[model],
                CONTENDERS[of.name].shown,
                f"{of.customers:,}",
                *_spent(of.fit, ours.fit),
                f"{of.peak / 1e9:.2f}",
                f"{reached:,.2f}",
                *(_spent(of.predict, ours.predict) if of.predict else ["–"] * 3),
                str(of.not_finite) if of.predict else "–",
            ]
        )
    return rows


def _spent(theirs: Spent, ours: Spent) -> list[str]:
    """Elapsed and CPU time, and how many times ours they are."""
    times = f"{theirs.elapsed / ours.elapsed:.1f} / {theirs.cpu / ours.cpu:.1f}"
    return [f"{theirs.elapsed:.2f}", f"{theirs.cpu:.2f}", times]


def _circumstances(asked: argparse.Namespace, file: Path, outcomes: dict[str, list[Outcome]]) -> str:
    """Under what the table was measured, in a paragraph."""
    every = [outcome for of_model in outcomes.values() for outcome in of_model]
    versions = {package: found for outcome in every for package, found in outcome.versions.items()}
    compiled = {MODELS[model]: max(each.compiled for each in of_model) for model, of_model in outcomes.items()}
    parts = [
        f"{aside(describe, file)}.",
        f"{machine()}; {', '.join(f'{name} {found}' for name, found in sorted(versions.items()))}.",
        f"Times are the least of {asked.runs} runs, peaks the highest." if asked.runs > 1 else "One run.",
        *(f"{CONTENDERS[name].shown} runs once." for name in sorted(ONCE) if asked.peers and asked.runs > 1),
        *(
            f"Compiling for {model}, once and not counted, took {seconds:.1f} s."
            for model, seconds in compiled.items()
            if seconds > LEAST_COMPILED
        ),
        *(["Without pymc-marketing: it is not installed."] if not asked.peers else []),
    ]
    return " ".join(parts)


if __name__ == "__main__":
    main()
