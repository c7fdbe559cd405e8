"""What a study brings to this process of its customers: everyone while they are few, else a fixed sample of them.

However many customers there are, no more comes here than their different histories, samples of bounded size, counts and
sums. Each date has its own samples, see `features.sample`: the same customers in every run and by every engine.
"""

from datetime import date
from typing import TYPE_CHECKING

import ibis.expr.types as ir
import pandas as pd

from .features import build
from .features.columns import Tables
from .features.histories import histories
from .features.labels import active, at_risk, labels, spending
from .features.sample import last_mark, tables_up_to
from .features.windows import before

if TYPE_CHECKING:
    from .study import Study


def known_tables(study: "Study", day: date) -> Tables:
    """All tables for those who had bought before a date, or for a sample of them."""
    return _cut(study, _known(study.data.tables, day))


def active_tables(study: "Study", day: date) -> Tables:
    """All tables for those active at a date, or for a sample of them."""
    return _cut(study, active(study.data.tables.days, day, study.active_within_days))


def asked_tables(study: "Study", day: date) -> Tables:
    """All tables for those who can leave at a date, or for a sample of them; see `features.labels.at_risk`."""
    return _cut(study, asked(study, study.data.tables, day))


def asked(study: "Study", tables: Tables, day: date) -> ir.Table:
    """Who can leave at a date: of whom it is asked."""
    return at_risk(tables, day, study.horizon_days, study.active_within_days, study.dataset.study.churn)


def features(study: "Study", day: date) -> pd.DataFrame:
    """Features of `asked_tables`, see `features.build.frame`."""
    return build.frame(asked_tables(study, day), study.window(day), study.active_within_days, study.dataset.study.churn)


def known(tables: Tables, day: date) -> pd.DataFrame:
    """Purchase histories of `known_tables`; index customer, in order of customer."""
    return _rows(histories(tables, day))


def outcomes(study: "Study", tables: Tables, day: date) -> pd.DataFrame:
    """What customers of `asked_tables` did next, see `features.labels.labels`; index customer, in its order."""
    return _rows(_labels(study, tables, day))


def outcomes_seen(study: "Study", day: date) -> pd.Series:
    """The different outcomes of everyone who could leave at a past date: True, False or both."""
    outcome = _labels(study, study.data.tables, day)
    return outcome.select("churned").distinct().order_by("churned").to_pandas()["churned"]


def outcomes_counted(study: "Study", day: date) -> dict[str, int]:
    """Of everyone who could leave at a past date: at_risk (how many they were), churned (how many of them left)."""
    outcome = _labels(study, study.data.tables, day)
    (row,) = outcome.agg(at_risk=outcome.count(), churned=outcome.churned.sum().coalesce(0)).to_pyarrow().to_pylist()
    return {name: int(value) for name, value in row.items()}


def _labels(study: "Study", tables: Tables, day: date) -> ir.Table:
    return labels(
        tables, day, study.horizon_days, study.active_within_days, study.known_until, study.dataset.study.churn
    )


def spent(study: "Study", tables: Tables, start: date, day: date) -> pd.DataFrame:
    """Purchases and spend, in the horizon from `start` on, of those who had bought before `day`; index customer."""
    return _rows(_spent(study, tables, start, day).select("customer", "purchases", "spend"))


def spent_by_all(study: "Study", start: date, day: date) -> dict[str, float]:
    """The sums of `spent` over everyone."""
    table = _spent(study, study.data.tables, start, day)
    sums = table.agg(purchases=table.purchases.sum().coalesce(0), spend=table.spend.sum().coalesce(0.0))
    (row,) = sums.to_pyarrow().to_pylist()
    # Sums in another order differ in the last digits.
    return {name: round(float(value), 6) for name, value in row.items()}


def _spent(study: "Study", tables: Tables, start: date, day: date) -> ir.Table:
    return spending(tables, start, study.horizon_days).semi_join(_known(tables, day), "customer")


def _known(tables: Tables, day: date) -> ir.Table:
    return before(tables.days, day).select("customer").distinct()


def _cut(study: "Study", customers: ir.Table) -> Tables:
    mark = last_mark(customers, study.dataset.engine_settings.training_customers)
    return tables_up_to(study.data.tables, mark)


def _rows(table: ir.Table) -> pd.DataFrame:
    return table.to_pandas().set_index("customer").sort_index()
