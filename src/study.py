"""The one object that a notebook opens: one dataset, one as-of date, one horizon."""

import functools
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Self, TypeVar, cast

import pandas as pd

from .features import build, cohorts, rfm
from .features.columns import Window
from .features.contract import check_span, refusals, refuse
from .features.histories import distinct, histories
from .features.labels import labels, spending
from .features.windows import horizon
from .models import backtest
from .models.churn import check_two_classes
from .prepared import Prepared
from .schema import Dataset, Goals
from .settings import load_dataset, parse_date, project_root, whole_days, with_engine
from .store import Result, Store, digest, forget

R = TypeVar("R", bound=Result)
PERIODS_SHOWN = 12
STEPS: list[str] = []


def step(compute: "Callable[[Study], R]") -> "Callable[[Study], R]":
    """A method of `Study` that is computed once and kept on disk."""
    name = compute.__name__
    STEPS.append(name)

    @functools.wraps(compute)
    def kept(self: "Study") -> R:
        if name not in self._results:
            self._results[name] = self._store.get(name, lambda: compute(self))
        return cast("R", self._results[name])

    return kept


class Study:
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

    def __init__(
        self,
        name: str,
        dataset: Dataset,
        root: Path,
        data: Prepared,
        *,
        as_of: date,
        horizon_days: int,
        active_within_days: int,
    ) -> None:
        self.name, self.dataset, self.root, self.data = name, dataset, root, data
        self.as_of, self.horizon_days, self.active_within_days = as_of, horizon_days, active_within_days
        # Engines agree, so that a result is the same whichever computed it.
        said = dataset.model_dump_json(exclude={"engine", "engine_settings"})
        self.key = digest(data.key, said, as_of, horizon_days, active_within_days)
        self._store = Store(data.folder / f"{as_of}-{self.key}")
        self._results: dict[str, Result] = {}

    @classmethod
    def open(
        cls,
        name: str,
        *,
        as_of: str | date | None = None,
        horizon_days: int | None = None,
        active_within_days: int | None = None,
        engine: str | None = None,
        root: Path | None = None,
        refusing: bool = True,
    ) -> Self:
        """Open a dataset at a date.

        Parameters
        ----------
        name : of a file in `data/`, `complete-journey` for `data/complete_journey.toml`.
        as_of : first day that is not known: a date, `YYYY-MM-DD`, `today` or `yesterday` (in the dataset's time
            zone). The day after the last line of the log, if not given.
        horizon_days, active_within_days : instead of what the dataset file says.
        engine : `duckdb` or `spark`, instead of what the dataset file says.
        root : the project's folder, if it is not the one around the working directory.
        refusing : false to look at a log on which no score may rest; see `check`.

        Raises
        ------
        SettingsError
            If the dataset, its file or one of the arguments is wrong.
        DataError
            If a file or column is missing, or the log says nothing at any date, or nothing before this one.
        RefusedError
            If the log is too small, too short or too old for a score, or a rule of its contract refuses it.
        """
        root = root or project_root()
        dataset = with_engine(load_dataset(name, root), engine)
        horizon = whole_days("horizon_days", horizon_days, dataset.study.horizon_days)
        active = whole_days("active_within_days", active_within_days, dataset.study.active_within_days)
        asked = parse_date(as_of, dataset.timezone)
        name = name.replace("_", "-")
        data = Prepared(name, dataset, root)
        day = check_span(data.facts, asked, data.shown)
        if refusing:
            refuse(data.health(day, horizon)["findings"], data.shown)
        return cls(name, dataset, root, data, as_of=day, horizon_days=horizon, active_within_days=active)

    @property
    def goals(self) -> Goals:
        """The dataset's goals; none where horizon or activity differ from the dataset file's, to which goals belong."""
        file = self.dataset.study
        own = (self.horizon_days, self.active_within_days) == (file.horizon_days, file.active_within_days)
        return self.dataset.goals if own else Goals()

    # Dates

    @property
    def first_day(self) -> date:
        """First day of the log."""
        return date.fromisoformat(self.data.facts["first_day"])

    @functools.cached_property
    def known_until(self) -> date:
        """First day of which nothing is known: the as-of date, or where the log is late the day after its last line.

        Silence that is longer than the log has ever been is missing lines, not customers who stayed away.
        """
        if not any(finding["name"] in ("late", "stale") for finding in self.findings()):
            return self.as_of
        last_day: str = self.facts()["log"]["last_day"]
        return date.fromisoformat(last_day) + timedelta(days=1)

    def origin(self, back: int) -> date:
        """The date `back` horizons before `known_until`."""
        return self.known_until - timedelta(days=back * self.horizon_days)

    def origins(self) -> list[date]:
        """Past dates whose horizon is over, the latest first: the test date, then those that models learn from.

        A date is used only if one horizon of the log lies before it. A log of two to three horizons has one such date.
        """
        wanted = [self.origin(back) for back in range(1, self.dataset.study.origins + 2)]
        return [day for day in wanted if (day - self.first_day).days >= self.horizon_days]

    def events(self) -> pd.DataFrame:
        """Happenings to mark in charts over time: day, until (its last day), name."""
        return self.data.events

    # The customer base

    @step
    def facts(self) -> dict[str, Any]:
        """What the log holds of the days before the as-of date, see `features.contract.facts`."""
        return {"log": self.data.health(self.as_of, self.horizon_days)["facts"]}

    def findings(self) -> list[dict[str, Any]]:
        """What is odd or wrong about the log at the as-of date, the worst first, see `features.findings.Found`.

        Their samples hold personal data: they are not for a page.
        """
        found: list[dict[str, Any]] = self.data.health(self.as_of, self.horizon_days)["findings"]
        return found

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
        """Segment of each customer of the last year, see `features.rfm.segments`."""
        return rfm.segments(self.data.tables, self.known_until).order_by("customer").to_pandas()

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

    # Models

    def histories(self, day: date | None = None) -> pd.DataFrame:
        """Purchase histories at a date (the as-of date if not given), index customer, in order of customer."""
        table = histories(self.data.tables, day or self.known_until)
        return table.to_pandas().set_index("customer").sort_index()

    def distinct_histories(self, day: date | None = None) -> pd.DataFrame:
        """Different (frequency, recency, T) at a date, with how many customers share each as `weight`."""
        return distinct(histories(self.data.tables, day or self.known_until)).to_pandas()

    def window(self, day: date | None = None) -> Window:
        """What features see at a date: windows that are as long at every date that is looked at."""
        earliest = self.origins()[-1]
        lengths = build.windows_that_fit(self.first_day, earliest)
        return Window(day or self.known_until, lengths, self.horizon_days, (earliest - self.first_day).days)

    def features(self, day: date | None = None) -> pd.DataFrame:
        """Features of the customers active at a date, see `features.build.frame`."""
        return build.frame(self.data.tables, self.window(day), self.active_within_days)

    def outcomes(self, day: date) -> pd.DataFrame:
        """What the customers active at a past date did next, see `features.labels.labels`; index customer."""
        table = labels(self.data.tables, day, self.horizon_days, self.active_within_days, known_until=self.known_until)
        return table.to_pandas().set_index("customer").sort_index()

    @step
    def churn(self) -> dict[str, Any]:
        """Who will leave: models compared on the latest past date, the present scored; see `models.backtest.churn`."""
        past = [
            backtest.Origin(self._numbers(day), self.distinct_histories(day), self.outcomes(day)["churned"])
            for day in self.origins()
        ]
        now = backtest.Origin(self._numbers(), self.distinct_histories())
        return backtest.churn(now, past, self.horizon_days)

    def lacking(self) -> list[str]:
        """Parts of a dataset file that would give more features: `points`, `transactions.channel` and so on."""
        return sorted({needs for _, needs, _ in build.left_out(self.data.tables, self.window())})

    def _numbers(self, day: date | None = None) -> pd.DataFrame:
        """Features without the categories of the profile, which no model here takes."""
        return self.features(day).select_dtypes("number")

    @step
    def came_back(self) -> dict[str, int]:
        """Customers who churned in the period before the last, and how many bought in the last: churned, returned."""
        tables = self.data.tables
        before = labels(tables, self.origin(2), self.horizon_days, self.active_within_days)
        away = before.filter(before.churned)
        since = horizon(tables.days, self.origin(1), self.horizon_days)
        again = away.semi_join(since, "customer")
        return {"churned": int(away.count().execute()), "returned": int(again.count().execute())}

    @step
    def value(self) -> dict[str, Any]:
        """What customers are worth now; see `models.backtest.value`.

        Returns
        -------
        customers, totals, parameters and spend_parameters (estimates with standard errors), sentence, notes.
        """
        known = self.histories()
        models = backtest.fit_value(known)
        customers, totals = backtest.value(models, known, **self.earning())
        return {
            "customers": known.join(customers),
            "totals": totals,
            "parameters": models.purchases.summary(),
            "spend_parameters": models.spend.summary(),
            "sentence": models.purchases.describe(),
            "correlation": float(models.spend.correlation_),
            "notes": models.notes,
        }

    @step
    def value_holdout(self) -> dict[str, Any]:
        """The value models of one horizon ago against what happened since, and against naive rules.

        Returns
        -------
        customers : as in `value`, with the columns of `models.backtest.naive_value`, and what happened: purchases,
            spend.
        totals : as in `value`.
        """
        day = self.origin(1)
        known = self.histories(day)
        customers, totals = backtest.value(backtest.fit_value(known), known, **self.earning())
        happened = self._happened(day).reindex(known.index, fill_value=0)
        naive = backtest.naive_value(known, self._happened(self.origin(2)), self.horizon_days)
        return {"customers": known.join([customers, naive, happened]), "totals": totals}

    @step
    def value_backtest(self) -> pd.DataFrame:
        """Spend of all customers forecast at each past date.

        Returns
        -------
        day, actual (money spent in the horizon after it), and the columns of `models.backtest.value_totals`.
        """
        rows = []
        for back in range(1, len(self.origins()) + 1):
            known, day = self.histories(self.origin(back)), self.origin(back)
            actual = self._happened(day)["spend"].reindex(known.index, fill_value=0).sum()
            forecast = backtest.value_totals(known, self._happened(self.origin(back + 1)), self.earning())
            rows.append({"day": pd.Timestamp(day), "actual": actual} | forecast)
        return pd.DataFrame(rows)

    def _happened(self, day: date) -> pd.DataFrame:
        """Purchases and spend of everyone who bought in the horizon after a past date; index customer."""
        return spending(self.data.tables, day, self.horizon_days).to_pandas().set_index("customer")

    def earning(self) -> dict[str, Any]:
        """What a value is computed with: horizon_days, margin, annual_discount_rate."""
        settings = self.dataset.study
        return {
            "horizon_days": self.horizon_days,
            "margin": settings.margin,
            "annual_discount_rate": settings.annual_discount_rate,
        }

    def _check_outcomes(self) -> None:
        """Refuse outcomes of one kind before anything is computed from them."""
        test, *earlier = [self.outcomes(day)["churned"] for day in self.origins()]
        check_two_classes(test.to_numpy(), "the test date")
        if earlier:
            check_two_classes(pd.concat(earlier).to_numpy())

    # All of it

    def check(self) -> dict[str, Any]:
        """What the log holds before the as-of date, what is wrong with it, and whether a score may rest on it.

        Returns
        -------
        The facts of `features.contract.facts`, and
        as_of, horizon_days, active_within_days, test_date (null without one), learning_dates.
        findings : see `findings`; their samples hold personal data.
        refusals : why no score is given; empty if one is.
        quarantine : path of the lines that are set aside.
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
            "quarantine": str(self.data.publish_quarantine().relative_to(self.root)),
            "more_features_with": self.lacking() if origins else [],
        }

    def prepare(self, progress: Callable[[str], None] = lambda _: None) -> None:
        """Compute every step that is not kept yet, and forget what is long unused.

        Parameters
        ----------
        progress : told the name of each step before it starts.
        """
        self._check_outcomes()
        self.data.publish_quarantine()
        for name in STEPS:
            progress(f"computing {name.replace('_', ' ')}")
            getattr(self, name)()
        forget(self.data.folder)
        forget(self.data.folder / "landed")
