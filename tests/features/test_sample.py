"""A sample is bounded, the same in any order of rows, and the same customers in every table."""

import ibis
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st
from loyalty.features.columns import Tables
from loyalty.features.sample import last_mark, tables_up_to, up_to

names = st.lists(st.text("abcäß中0", min_size=1, max_size=4), min_size=1, max_size=30, unique=True)


def table(customers: list[str]) -> ibis.Table:
    return ibis.memtable(pd.DataFrame({"customer": customers}, dtype="str"), schema={"customer": "string"})


def kept(customers: list[str], mark: str | None) -> set[str]:
    return set(up_to(table(customers), mark).to_pandas()["customer"])


@given(names, st.integers(1, 40), st.randoms(use_true_random=False))
def test_as_many_as_allowed_whatever_the_order(customers: list[str], most: int, random: object) -> None:
    shuffled = random.sample(customers, len(customers))
    mark = last_mark(table(customers), most)
    assert len(kept(customers, mark)) == min(most, len(customers))
    assert mark == last_mark(table(shuffled), most)
    assert (mark is None) == (len(customers) <= most)


@given(names, st.integers(1, 20))
def test_a_larger_sample_holds_the_smaller(customers: list[str], most: int) -> None:
    assert kept(customers, last_mark(table(customers), most)) <= kept(customers, last_mark(table(customers), most + 1))


def test_every_table_is_cut_at_the_same_customers() -> None:
    customers = [f"c{number}" for number in range(50)]
    mark = last_mark(table(customers), 10)
    tables = tables_up_to(Tables(table(customers), contacts=table(customers * 3), tiers=(5.0,)), mark)
    assert tables.days.count().execute() == 10
    assert tables.contacts is not None
    assert tables.contacts.count().execute() == 30
    assert set(tables.contacts.to_pandas()["customer"]) == set(tables.days.to_pandas()["customer"])
    assert tables.returns is None
    assert tables.tiers == (5.0,)
