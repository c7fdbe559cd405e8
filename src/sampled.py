"""What a study brings to this process of its customers: everyone while they are few, else a fixed sample of them.

However many customers there are, no more comes here than their different histories, samples of bounded size, counts and
sums. Each date has its own samples, see `features.sample`: the same customers in every run and by every engine.
"""

from datetime import date
from typing import TYPE_CHECKING

import ibis.expr.types as ir
import pandas as pd

from .features.columns import Tables
from .features.histories import histories
from .features.labels import active, labels, spending
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


def known(tables: Tables, day: date) -> pd.DataFrame:
    """Purchase histories of `known_tables`; index customer, in order of customer."""
    return _rows(histories(tables, day))


def outcomes(study: "Study", tables: Tables, day: date) -> pd.DataFrame:
    """What `active_tables` say that customers did next, see `features.labels.labels`; index customer, in its order."""
    return _rows(labels(tables, day, study.horizon_days, study.active_within_days, known_until=study.known_until))


def outcomes_seen(study: "Study", day: date) -> pd.Series:
    """The different outcomes of everyone active at a past date: True, False or both."""
    outcome = labels(
        study.data.tables, day, study.horizon_days, study.active_within_days, known_until=study.known_until
    )
    return outcome.select("churned").distinct().order_by("churned").to_pandas()["churned"]


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
