"""A shop of 300 customers whose scores are given, so that actions are chosen without a model."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from loyalty.study import Study

RULES = """
[actions]
hold_out = 0.25

[[actions.rules]]
name = "letter"
when = "days_since_last >= 0"
channel = "post"
offer = "=HYPERLINK(1)"
kind = "information"
cost = 0.5
cool_down_days = 30
assumed = { of = "purchase", low = 0.1, high = 0.5 }

[[actions.rules]]
name = "hello"
when = "purchase_days >= 2"
channel = "e-mail"
offer = "Hello"
kind = "service"
cost = 0.01
cool_down_days = 30
priority = 200
assumed = { of = "purchase", low = 0.1, high = 0.3 }
"""

CONSENT = """
[consent]
source = "data/raw/consent.csv"
customer = "customer"
time = "day"
granted = "granted"
purpose = "purpose"
"""

CONTACTS = """
[contacts]
source = "data/raw/contacts.csv"
customer = "customer"
campaign = "campaign"
time = "time"
group = "group"
sent_by = "sent_by"
"""

UNREADABLE = "the day after"


def log(simulated_log: pd.DataFrame) -> pd.DataFrame:
    """The first 300 customers; one of them has a number that is a formula, one that has a sign."""
    rows = simulated_log[simulated_log["customer"] < "c300"]
    return rows.assign(customer=rows["customer"].replace({"c000": "=1+1", "c001": "+49 30 1"}))


def opened(root: Path, **asked: Any) -> Study:
    return Study.open("shop", root=root, horizon_days=20, active_within_days=40, **asked)


@contextmanager
def scored(study: Study, randomised: list[dict[str, Any]] | None = None) -> Iterator[pd.DataFrame]:
    """Scores by the time since the last purchase, and what campaigns changed."""
    days = study.data.tables.days.to_pandas()
    last = pd.to_datetime(days.groupby("customer")["day"].max())
    age = (pd.Timestamp(study.known_until) - last).dt.days
    churn = (age[age <= 40] / 50).clip(0.05, 0.95)
    frame = pd.DataFrame({"churn_probability": churn, "expected_spend": 20 * (1 - churn), "clv": 6 * (1 - churn)})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Study, "churn", lambda _: {"scores": frame, "about": {"asked": len(frame)}})
        patch.setattr(Study, "effects", lambda _: {"randomised": randomised or [], "observed": [], "single": []})
        patch.setattr(Study, "campaigns", lambda _: {"about": {"desk": None}})
        yield frame


def agreed(study_log: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Words on consent at random: of both purposes, of none, of other days, unreadable ones."""
    random = np.random.default_rng(seed)
    customers = study_log["customer"].unique()
    n = 3 * len(customers)
    days = pd.to_datetime("2020-12-01") + pd.to_timedelta(random.integers(0, 75, n), unit="D")
    return pd.DataFrame(
        {
            "customer": random.choice(customers, n),
            "day": np.where(random.random(n) < 0.03, UNREADABLE, days.strftime("%Y-%m-%d")),
            "granted": random.choice(["true", "true", "false", ""], n),
            "purpose": random.choice(["contact", "contact", "contact e-mail", "analysis", ""], n),
        }
    )


def may_be_reached(words: pd.DataFrame, customer: str, channel: str, as_of: date) -> bool:
    """By hand: the last word on the purpose, and on the channel."""
    there = False
    for purpose in ("contact", f"contact {channel}"):
        own = words[(words["customer"] == customer)].copy()
        own["yes"] = own["granted"] == "true"
        named = own["purpose"] == purpose
        unnamed = (own["purpose"] == "") & ~own["yes"] & (purpose == "contact")
        undated = own["day"] == UNREADABLE
        own = own[(named | unnamed) & (~own["yes"] | ((own["day"] < as_of.isoformat()) & ~undated))]
        if own.empty:
            continue
        if (own["day"] == UNREADABLE).any():
            return False
        if not own.loc[own["day"] == own["day"].max(), "yes"].all():
            return False
        there = True
    return there
