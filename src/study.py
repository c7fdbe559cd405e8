"""The one object that a notebook opens: one dataset, one as-of date, one horizon."""

import functools
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, TypeVar, cast

import pandas as pd

from . import (
    action_plan,
    actions,
    balances,
    bridge,
    campaigns,
    effects,
    forecasts,
    high_value_customers,
    leaving,
    memberships,
    progress,
    promises,
    purchases,
    sampled,
    tournaments,
)
from .features import cohorts, rfm
from .features.contract import refusals
from .features.histories import distinct, histories
from .features.labels import labels
from .features.windows import horizon
from .models.churn import check_two_classes
from .question import Question
from .store import Result, forget

R = TypeVar("R", bound=Result)
PERIODS_SHOWN = 12
STEPS: list[str] = []


def step(compute: "Callable[[Study], R]") -> "Callable[[Study], R]":
    """A method of `Study` that is computed once and kept on disk."""
    name = compute.__name__
    STEPS.append(name)

    @functools.wraps(compute)
    def kept(self: "Study") -> R:
        return self._kept(name, lambda: compute(self))

    return kept


class Study(Question):
    """Everything that is computed from one dataset at one date.

    Open it with `Study.open`. Each step is a method; it is computed at the first call and kept in
    `data/interim/` under a key made of the data's contents, the settings and the code, so that the next call,
    in this process or another, only reads it.

    Attributes
    ----------
    name : such as `complete-journey`.
    dataset : what its file in `data/` says.
    data : its tables.
    root : the project's folder.
    as_of : first day that is not known.
    horizon_days, active_within_days : in days.
    key : the same for the same data, settings and code.
    """

    # The customer base

    @step
    def facts(self) -> dict[str, Any]:
        """What the log holds of the days before the as-of date, see `features.contract.facts`."""
        return {"log": self.data.health(self.as_of, self.horizon_days)["facts"]}

    def quarantined_later(self) -> int:
        """Lines of the as-of date or later that are set aside: they lie beside those that `facts` counts."""
        lines: int = self.data.facts["quarantined"] - self.facts()["log"]["quarantined"]
        return lines

    @step
    def weekly(self) -> pd.DataFrame:
        """The base week by week, see `features.cohorts.weekly`."""
        return cohorts.weekly(self.data.tables, self.known_until)

    @step
    def periods(self) -> pd.DataFrame:
        """Horizon-long periods up to `known_until`, the oldest first.

        Returns
        -------
        end (first day after the period); the columns of `features.rfm.measures`; at_risk, customers active when
        the period began, and churned, those of them who bought nothing in it.
        """
        tables = self.data.tables
        # Before a whole activity window has passed, who is active is not known.
        fitting = ((self.known_until - self.first_day).days - self.active_within_days) // self.horizon_days
        rows = []
        for back in reversed(range(max(1, min(fitting, PERIODS_SHOWN)))):
            end, start = self.origin(back), self.origin(back + 1)
            row = rfm.measures(tables, end, self.horizon_days, self.active_within_days).to_pandas().iloc[0].to_dict()
            outcome = labels(tables, start, self.horizon_days, self.active_within_days)
            left = outcome.agg(at_risk=outcome.count(), churned=outcome.churned.sum().coalesce(0)).to_pandas().iloc[0]
            rows.append({"end": pd.Timestamp(end)} | row | left.to_dict())
        return pd.DataFrame(rows)

    @step
    def segments(self) -> pd.DataFrame:
        """Segments of the customers of the last year, see `features.rfm.segment_sizes`."""
        return rfm.segment_sizes(rfm.segments(self.data.tables, self.known_until)).to_pandas()

    @step
    def segments_holdout(self) -> pd.DataFrame:
        """Segments drawn one horizon ago: segment, customers, bought (how many of them bought since)."""
        drawn = rfm.segments(self.data.tables, self.origin(1))
        since = horizon(self.data.tables.days, self.origin(1), self.horizon_days).select("customer").distinct()
        joined = drawn.left_join(since.mutate(returned=True), "customer")
        counted = joined.group_by("segment").agg(
            customers=joined.count(), bought=joined.returned.fill_null(False).sum()
        )
        return counted.order_by("segment").to_pandas()

    @step
    def retention(self) -> pd.DataFrame:
        """Customers by month of first purchase and months since, see `features.cohorts.retention`."""
        return cohorts.retention(self.data.tables.days, self.known_until).to_pandas()

    @step
    def second_purchase(self) -> pd.DataFrame:
        """Days from first to second purchase, see `features.cohorts.second_purchase`."""
        return cohorts.second_purchase(self.data.tables.days, self.known_until).to_pandas()

    @step
    def concentration(self) -> pd.DataFrame:
        """Spend by tenth of the customers of the last year, see `features.cohorts.concentration`."""
        return cohorts.concentration(self.data.tables, self.known_until).to_pandas()

    # Customers: all of them, or at a date with more than `engine_settings.training_customers` a sample

    def histories(self, day: date | None = None) -> pd.DataFrame:
        """Purchase histories at a date (`known_until` if not given), index customer, in order of customer."""
        day = day or self.known_until
        return sampled.known(sampled.known_tables(self, day), day)

    def features(self, day: date | None = None) -> pd.DataFrame:
        """Features of who can leave at a date, see `features.labels.at_risk` and `features.build.frame`."""
        return sampled.features(self, day or self.known_until)

    def outcomes(self, day: date) -> pd.DataFrame:
        """What those who could leave at a past date did next, see `features.labels.labels`; index customer."""
        return sampled.outcomes(self, sampled.asked_tables(self, day), day)

    def distinct_histories(self, day: date | None = None) -> pd.DataFrame:
        """Different histories of everyone at a date.

        Returns
        -------
        frequency, recency, T, weight (how many customers share them) and monetary_value (their mean).
        """
        day = day or self.known_until

        def compute() -> pd.DataFrame:
            known = histories(self.data.tables, day)
            return distinct(known, monetary_value=known.monetary_value.mean()).to_pandas()

        return cast("pd.DataFrame", self._store.get(f"histories-{day}", compute))

    # Models

    @step
    def churn(self) -> dict[str, Any]:
        """Who will leave, see `leaving.churn`."""
        return leaving.churn(self)

    @step
    def in_use(self) -> dict[str, Any]:
        """The model that scores are made by, see `leaving.in_use`."""
        return leaving.in_use(self)

    @step
    def came_back(self) -> dict[str, int]:
        """Who bought nothing in the period before the last, and how many of them did in the last: churned, returned."""
        tables = self.data.tables
        before = labels(tables, self.origin(2), self.horizon_days, self.active_within_days)
        away = before.filter(before.churned)
        since = horizon(tables.days, self.origin(1), self.horizon_days)
        again = away.semi_join(since, "customer")
        return {"churned": int(away.count().execute()), "returned": int(again.count().execute())}

    @step
    def tournament(self) -> dict[str, Any]:
        """Which forecast of past dates came closest, see `tournaments.tournament`."""
        return tournaments.tournament(self)

    @step
    def purchase_models(self) -> dict[str, Any]:
        """Which model of purchases fits this base, see `purchases.contest`."""
        return purchases.contest(self)

    def promises(self) -> dict[str, Any]:
        """What earlier runs said, and what happened, see `promises.kept`."""
        name = f"promises-{promises.key(self)}"
        return cast("dict[str, Any]", self._store.get(name, lambda: promises.kept(self)))

    @step
    def value(self) -> dict[str, Any]:
        """What customers are worth now, see `forecasts.value`."""
        return forecasts.value(self)

    @step
    def value_holdout(self) -> dict[str, Any]:
        """The value models of one horizon ago against what happened since, see `forecasts.value_holdout`."""
        return forecasts.value_holdout(self)

    @step
    def value_backtest(self) -> pd.DataFrame:
        """Spend of all customers forecast at each past date, see `forecasts.value_backtest`."""
        return forecasts.value_backtest(self)

    def bridge(self, earlier: Mapping[str, Any]) -> dict[str, Any]:
        """Why customers are worth more or less than an earlier run said, see `bridge.between`."""
        name = f"bridge-{bridge.key(earlier)}"
        return cast("dict[str, Any]", self._store.get(name, lambda: bridge.between(self, earlier)))

    # Campaigns

    @step
    def campaigns(self) -> dict[str, Any]:
        """What campaigns did, as it was, and what the next one needs to show an effect, see `campaigns.measured`."""
        return campaigns.measured(self)

    def effects(self) -> dict[str, Any]:
        """What campaigns and the programme changed, and whether it paid, see `effects.effects`."""
        return self._kept(f"effects-{effects.key(self)}", lambda: effects.effects(self))

    # The programme

    @step
    def tiers(self) -> dict[str, Any]:
        """Who has which tier, and what other tiers would have been, see `memberships.tiers`."""
        return memberships.tiers(self)

    @step
    def points(self) -> dict[str, Any]:
        """What became of all points, and what those that are left will cost, see `balances.points`."""
        return balances.points(self)

    @step
    def high_value(self) -> dict[str, Any]:
        """The customers who matter most, see `high_value_customers.high_value`."""
        return high_value_customers.high_value(self)

    @step
    def goal_progress(self) -> dict[str, Any]:
        """Where goals with a date stand, see `progress.goals`."""
        return progress.goals(self)

    def budget(self) -> dict[str, Any]:
        """Plan against actual, and what it brought, see `progress.budget`."""
        return self._kept(f"budget-{effects.key(self)}", lambda: progress.budget(self))

    @step
    def satisfaction(self) -> dict[str, Any]:
        """What a survey says, and what became of who answered, see `progress.satisfaction`."""
        return progress.satisfaction(self)

    # Who gets what

    @functools.cached_property
    def plan(self) -> action_plan.Plan:
        """Who gets which action, customer by customer, see `action_plan.planned`; it is not kept on disk."""
        return action_plan.planned(self)

    def actions(self) -> dict[str, Any]:
        """Which action for how many customers, at what cost and worth, see `actions.actions`."""
        return self._kept(f"actions-{effects.key(self)}", lambda: actions.actions(self))

    def _kept(self, name: str, compute: Callable[[], R]) -> R:
        """What is computed once under a name, and then read."""
        if name not in self._results:
            self._results[name] = self._store.get(name, compute)
        return cast("R", self._results[name])

    def check_outcomes(self) -> None:
        """Refuse outcomes of one kind before anything is computed from them."""
        test, *earlier = [sampled.outcomes_seen(self, day) for day in self.origins()]
        churn = self.dataset.study.churn
        check_two_classes(test.to_numpy(), "the test date", churn=churn)
        if earlier:
            check_two_classes(pd.concat(earlier).to_numpy(), churn=churn)

    # All of it

    def check(self) -> dict[str, Any]:
        """What the log holds before the as-of date, what is wrong with it, and whether a score may rest on it.

        Returns
        -------
        The facts of `features.contract.facts`, and
        as_of, horizon_days, active_within_days, test_date (null without one), learning_dates.
        findings : see `findings`; their samples hold personal data.
        refusals : why no score is given; empty if one is.
        quarantine : path of the lines that are set aside, of the whole log.
        quarantined_later : how many of them are of the as-of date or later.
        more_features_with : parts of a dataset file that would give more of them.
        """
        origins = [day.isoformat() for day in self.origins()]
        log: dict[str, Any] = self.facts()["log"]
        return log | {
            "as_of": self.as_of.isoformat(),
            "horizon_days": self.horizon_days,
            "active_within_days": self.active_within_days,
            "test_date": origins[0] if origins else None,
            "learning_dates": origins[1:],
            "findings": self.findings(),
            "refusals": refusals(self.findings()),
            "quarantined_later": self.quarantined_later(),
            "quarantine": str(self.data.publish_quarantine().relative_to(self.root)),
            "more_features_with": self.lacking() if origins else [],
        }

    def prepare(self, tell: Callable[[str], None] = lambda _: None) -> None:
        """Compute every step that is not kept yet, and forget what is long unused.

        Parameters
        ----------
        tell : told the name of each step before it starts.
        """
        self.check_outcomes()
        self.data.publish_quarantine()
        for name in STEPS:
            tell(f"computing {name.replace('_', ' ')}")
            getattr(self, name)()
        self.effects()
        self.budget()
        if self.dataset.engine != "spark":  # it holds a row for every customer with an action at hand in memory
            self.actions()
        self.promises()
        forget(self.data.folder)
        forget(self.data.folder / "landed")
