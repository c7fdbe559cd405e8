"""A randomised experiment that lies in a table of its own: one row a customer, what it was given, what came after."""

import functools
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any, Self, cast
from zoneinfo import ZoneInfo

import duckdb
import numpy as np
import pandas as pd

from . import notation
from .errors import SettingsError
from .participants import Findings, Participants, control_in, examined
from .programme import balance, randomised
from .programme.effect import Effect
from .programme.profit_and_loss import Costs, ProfitAndLoss, profit_and_loss
from .programme.responders import Response, who_responds
from .programme.trial import Trial, mismatch
from .schema import Dataset, ExperimentTable
from .settings import dataset_path, load_dataset, parse_date, project_root
from .sources.experiment import open_experiment
from .sources.log import unreadable
from .store import Store, code_version, digest, forget


class Experiment:
    """A randomised experiment, open to be evaluated. Each result is computed once and kept in `data/interim/`.

    Attributes
    ----------
    name : of the dataset, such as `hillstrom`.
    dataset : what its file in `data/` says.
    table : the part of it that describes the experiment.
    root : the project's folder.
    as_of : day of the report; the table has no dates.
    key : the same for the same data, settings and code.
    """

    horizon_days: None = None
    active_within_days: None = None

    def __init__(self, name: str, dataset: Dataset, table: ExperimentTable, root: Path, as_of: date) -> None:
        self.name, self.dataset, self.table, self.root, self.as_of = name, dataset, table, root, as_of
        self.shown = f"data/{dataset_path(name, root).name}: experiment"
        self.folder = root / "data" / "interim" / name
        self._opened = open_experiment(table, root, self.folder / "landed", self.shown)
        said = dataset.model_dump_json(exclude={"engine", "engine_settings"})
        self.key = digest(self._opened.fingerprint, said, code_version())
        self._store = Store(self.folder / f"experiment-{self.key}")
        self._results: dict[str, dict[str, Any]] = {}

    @classmethod
    def open(cls, name: str, *, as_of: str | date | None = None, root: Path | None = None) -> Self:
        """Open the experiment of a dataset.

        Parameters
        ----------
        name : of a file in `data/`.
        as_of : day of the report, as in `Study.open`; today if not given.
        root : the project's folder, if it is not the one around the working directory.

        Raises
        ------
        SettingsError
            If the dataset file is wrong, or says nothing of an experiment.
        DataError
            If the table cannot be read, or lacks a column.
        """
        found = cls.find(name, as_of=as_of, root=root)
        if found is None:
            raise SettingsError(f"{name}: the dataset file has no [experiment], which says where one is")
        return found

    @classmethod
    def find(cls, name: str, *, as_of: str | date | None = None, root: Path | None = None) -> Self | None:
        """The experiment of a dataset; None where its file has none. See `open`."""
        root = root or project_root()
        dataset = load_dataset(name, root)
        if dataset.experiment is None:
            return None
        day = parse_date(as_of, dataset.timezone) or datetime.now(ZoneInfo(dataset.timezone)).date()
        notation.use(dataset.number_format)
        return cls(name.replace("_", "-"), dataset, dataset.experiment, root, day)

    @property
    def alone(self) -> bool:
        """Whether the dataset has no purchase log beside it."""
        return not self.dataset.transactions

    # Who took part

    @functools.cached_property
    def _read(self) -> tuple[Participants, Findings]:
        try:
            rows = self._opened.rows.to_pandas()
        except duckdb.Error as error:
            raise unreadable(error, self.shown) from None
        return examined(rows, self.table, self.shown)

    @property
    def participants(self) -> Participants:
        """Those whose row can be used.

        Raises
        ------
        DataError
            If there are no rows, no control group or nobody else, or a column without a value.
        RefusedError
            If the arms are too small, or chance did not decide who was given what.
        """
        return self._read[0]

    @property
    def findings(self) -> Findings:
        """What is odd about the table, see `participants.Findings`."""
        return self._read[1]

    @functools.cached_property
    def control(self) -> str:
        """The arm of those who were given nothing."""
        arms = pd.Index(self.participants.arm.unique())
        return str(arms[control_in(arms, self.table)][0])

    @functools.cached_property
    def sizes(self) -> pd.Series:
        """Customers by arm: the control group, then the others by name."""
        counts = self.participants.arm.value_counts().sort_index()
        return pd.concat([counts[[self.control]], counts.drop(self.control)])

    @property
    def arms(self) -> list[str]:
        """The arms that were given something, by name."""
        return [str(arm) for arm in self.sizes.index[1:]]

    @property
    def planned(self) -> dict[str, float]:
        """Arm → share of the customers that was to be given it; empty where the dataset file does not say."""
        shares = dict.fromkeys(map(str, self.sizes.index), 0.0) if self.table.planned else {}
        for said, share in self.table.planned.items():
            shares[self._arm_called(said)] += share / sum(self.table.planned.values())
        return shares

    def cost(self, arm: str) -> float | None:
        """What one contact of an arm costs; None where the dataset file does not say."""
        return next((cost for said, cost in self.table.cost.items() if self._arm_called(said) == arm), None)

    def _arm_called(self, said: str) -> str:
        """The arm that the dataset file means."""
        control = {name.casefold() for name in self.table.control}
        known = {str(arm).casefold(): str(arm) for arm in self.sizes.index} | dict.fromkeys(control, self.control)
        return known[said.casefold()]

    # What is told of it

    def mismatch(self) -> float | None:
        """Chance of sizes as far from the planned shares, or from equal ones where none are planned."""
        planned = self.planned or dict.fromkeys(map(str, self.sizes.index), 1 / len(self.sizes))
        return mismatch(Trial(self.participants.arm.to_frame("arm"), self.control, planned))

    @functools.cached_property
    def levels(self) -> pd.DataFrame:
        """Mean of each outcome (rows) in each arm (columns), of the customers who have one."""
        return self.participants.outcomes.groupby(self.participants.arm).mean().T[list(self.sizes.index)]

    def balance(self) -> dict[str, Any]:
        """Whether the arms were alike before.

        Returns
        -------
        differences : see `balance.differences`.
        alike : arm → p-value, see `balance.alike`; None where nothing is known from before.
        """

        def compute() -> dict[str, Any]:
            people = self.participants
            known = balance.known_before(people.history, people.attributes)
            chances = balance.alike(known, people.arm, self.control)
            told = {str(arm): None if np.isnan(chance) else float(chance) for arm, chance in chances.items()}
            return {"differences": balance.differences(known, people.arm, self.control), "alike": told}

        return self._kept("balance", compute)

    def effects(self) -> dict[tuple[str, str], Effect]:
        """What each arm changed, by outcome and arm, see `programme.randomised`.

        Customers without an outcome are left out of it. An arm that is too small has an effect without a number.
        """

        def compute() -> dict[str, Any]:
            told = [(name, *found) for name in self.table.outcomes for found in self._effects_on(name).items()]
            return {"effects": [[name, arm, effect.to_dict()] for name, arm, effect in told]}

        kept = self._kept("effects", compute)["effects"]
        return {(name, arm): Effect.from_dict(said) for name, arm, said in kept}

    def _effects_on(self, outcome: str) -> dict[str, Effect]:
        """The effect of each arm on one outcome."""
        people = self.participants
        values = people.outcomes[outcome]
        history = self._best_first(values)
        before = tuple(map(_unlike, history.columns))
        rows = history.set_axis(before, axis=1).assign(arm=people.arm, _outcome=values, customer=range(len(values)))
        rows = rows[values.notna()].reset_index(drop=True)
        trial = Trial.of(rows, control=self.control, planned=self.planned or None)
        if self.kind(outcome) == "share":
            return randomised.shares(trial, "_outcome", what=outcome, before=before)
        unit = f"{self.dataset.currency} a customer" if outcome in self.table.money else "a customer"
        return randomised.means(trial, "_outcome", what=outcome, unit=unit, before=before)

    def _best_first(self, outcome: pd.Series) -> pd.DataFrame:
        """The history, first the column that goes most with an outcome."""
        history = self.participants.history
        history = history.loc[:, history.nunique() > 1]
        related = history.corrwith(outcome).abs().fillna(0.0)
        return history[list(related.sort_values(ascending=False, kind="stable").index)]

    def kind(self, outcome: str) -> str:
        """Whether an outcome is `money`, a `share` (yes or no), or a `mean` of something else."""
        if outcome in self.table.money:
            return "money"
        return "share" if self.participants.outcomes[outcome].dropna().isin((0, 1)).all() else "mean"

    def accounts(self) -> dict[str, ProfitAndLoss]:
        """What each arm earned, by arm, from the first outcome that is money; empty without one.

        What is known of a table like this are the sales and what a contact costs; discounts and points are none.
        """
        if not self.table.money:
            return {}
        found = {}
        for arm in self.arms:
            cost = self.cost(arm)
            contact = None if cost is None else cost * float(self.sizes[arm])
            effect, costs = self.effects()[self.table.money[0], arm], Costs(0.0, contact, 0.0)
            customers = int(self.sizes[arm])
            margin = self.dataset.study.margin
            found[arm] = profit_and_loss(effect, margin, costs, customers=customers, net=False)
        return found

    @property
    def main_outcome(self) -> str:
        """The outcome that the answer is about: the first that is money, else the first."""
        return (*self.table.money, *self.table.outcomes)[0]

    def responders(self) -> Response | None:
        """Who responds in the main outcome, see `programme.responders`.

        None where no effect of an arm is identified, or nothing is known from before. Budgets are in money where the
        outcome is; a contact whose cost is not known costs nothing there.
        """

        def compute() -> dict[str, Any]:
            people, outcome = self.participants, self.participants.outcomes[self.main_outcome]
            told = [arm for arm in self.arms if self.effects()[self.main_outcome, arm].identified]
            known = pd.concat([people.history, people.attributes.astype("category")], axis=1)
            known = known.loc[:, known.nunique() > 1]
            if not told or known.empty:
                return {"response": None}
            rows = outcome.notna() & people.arm.isin([self.control, *told])
            money = bool(self.table.money)
            margin = self.dataset.study.margin if money else 1.0
            cost = {arm: (self.cost(arm) or 0.0) if money else 0.0 for arm in told}
            found = who_responds(
                known[rows], people.arm[rows], outcome[rows], control=self.control, margin=margin, cost=cost
            )
            return {"response": found.response.to_dict()}

        said = self._kept("responders", compute)["response"]
        return None if said is None else Response.from_dict(said)

    def prepare(self, progress: Callable[[str], None] = lambda _: None) -> None:
        """Compute everything that is not kept yet, and forget what is long unused.

        Parameters
        ----------
        progress : told the name of each step before it starts.
        """
        for step in (self.balance, self.effects, self.responders):
            progress(f"computing {step.__name__}")
            step()
        forget(self.folder)
        forget(self.folder / "landed")

    def _kept(self, name: str, compute: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        if name not in self._results:
            self._results[name] = cast("dict[str, Any]", self._store.get(name, compute))
        return self._results[name]


def _unlike(name: str) -> str:
    """The name of a fact from before, told apart from the columns of a trial."""
    return f"{name} before" if name in ("arm", "customer", "_outcome") else name
