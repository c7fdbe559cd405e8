"""A dataset that has everything, and what a loop over its lines makes of it."""

from collections import defaultdict
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest
from loyalty.features.columns import Tables, Window

AS_OF = date(2020, 9, 16)
Day = dict[str, Any]


@pytest.fixture(scope="session")
def window() -> Window:
    """A date with less than half a year before it."""
    return Window(AS_OF, (7, 14, 30, 60, 90, 180), horizon_days=28, known_days=240)


@pytest.fixture(scope="session")
def others() -> dict[str, pd.DataFrame]:
    """All tables beside the log; some rows lie after the date, some are of people who never bought."""
    random = np.random.default_rng(5)
    days = pd.date_range("2020-02-01", "2020-12-01")

    def rows(customers: str, count: int) -> pd.DataFrame:
        when = random.choice(days, count)
        return pd.DataFrame({"customer": random.choice(list(customers), count), "day": pd.to_datetime(when).date})

    contacts, redemptions, points = rows("abcdefz", 40), rows("abcy", 20), rows("abcdefgz", 60)
    ages = ["young", "old", None]
    customers = [*"abcdefghijz", "once"]
    return {
        "contacts": contacts.assign(campaign="spring"),
        "redemptions": redemptions,
        "points": points.assign(points=random.integers(-40, 80, len(points))),
        "customers": pd.DataFrame(
            {
                "customer": customers,
                "joined": [
                    None if who in "ad" else AS_OF + timedelta(days=7 * n - 50) for n, who in enumerate(customers)
                ],
                "birthday": [None if who in "be" else date(1950 + 9 * n, 2, 28) for n, who in enumerate(customers)],
                "profile_age_band": random.choice(ages, len(customers)),
            }
        ),
    }


@pytest.fixture(scope="session")
def tables(lines: pd.DataFrame, others: dict[str, pd.DataFrame], tables_of: Callable[..., Tables]) -> Tables:
    """A dataset that has everything."""
    return tables_of(lines, **others)._replace(tiers=(20.0, 50.0, 200.0), qualifying_days=200)


@pytest.fixture(scope="session")
def moved(lines: pd.DataFrame) -> dict[str, list[Day]]:
    """Every day of each customer before the date, in order: its lines, their sum, and whether it is a purchase day."""
    found: dict[str, dict[date, list[Day]]] = defaultdict(lambda: defaultdict(list))
    for line in lines.to_dict("records"):
        if line["day"] < AS_OF:
            found[line["customer"]][line["day"]].append(line)
    return {
        customer: [
            {"day": day, "lines": of_day, "spend": sum(line["amount"] for line in of_day)}
            for day, of_day in sorted(days.items())
        ]
        for customer, days in found.items()
        if any(sum(line["amount"] for line in of_day) > 0 for of_day in days.values())
    }
