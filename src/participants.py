"""Who took part in an experiment: the rows of its table that can be used, and what is odd about the others."""

from typing import Any, Literal, NamedTuple

import pandas as pd

from .errors import DataError, RefusedError
from .schema import ExperimentTable

MINIMUM = 30
"""Customers that an arm must have."""
MOST_ARMS = 20
BROKEN = 0.01
"""Share of customers with rows that contradict each other above which the table is refused."""

Findings = list[dict[str, Any]]
"""Each with name, severity (`warning` or `note`), count, and detail: what is counted, in words."""


class Participants(NamedTuple):
    """Those who took part; index customer, or a number where the table has none.

    Attributes
    ----------
    arm : what each was given, text; everyone of the control group is in one arm.
    outcomes, history : float64, a column each as the dataset file names it; null where the table has no number.
    attributes : text, null where the table has none.
    """

    arm: pd.Series
    outcomes: pd.DataFrame
    history: pd.DataFrame
    attributes: pd.DataFrame


def examined(rows: pd.DataFrame, table: ExperimentTable, where: str) -> tuple[Participants, Findings]:
    """The participants, and what is odd about their table.

    Parameters
    ----------
    rows : see `sources.experiment.Opened`.
    table : the part of the dataset file that describes them.
    where : how to name the table in an error.

    Raises
    ------
    DataError
        If there are no rows, no control group or nobody else, an arm that the dataset file does not know, or a column
        without a value.
    RefusedError
        If arms are too small, customers are in several of them, or no outcome differs between customers.
    """
    if rows.empty:
        raise DataError(f"{where}: there are no rows below the heading; expected one a customer")
    found: Findings = []
    # Databases give rows in any order; from here on it is always the same.
    rows = rows.sort_values(list(rows.columns), ignore_index=True)
    rows = _set_aside(rows, rows["arm"].isna(), "no_arm", f"they have no {table.arm}", found)
    if table.customer is not None:
        rows = _one_row_each(rows, table, where, found)
    rows = rows.assign(arm=_spelt_alike(rows["arm"], table))
    _check_arms(rows["arm"], table, where, found)
    outcomes, history, attributes = (_columns(rows, table, kind) for kind in ("outcome", "history", "attribute"))
    _check_numbers(outcomes, f"{where}.outcomes", "left out of it", found)
    _check_numbers(history, f"{where}.history", "taken to be average in it", found)
    _check_outcomes(outcomes, table, where, found)
    return Participants(rows["arm"], outcomes, history, attributes), found


def control_in(arms: pd.Index, table: ExperimentTable) -> list[bool]:
    """Which arms are of the control group."""
    names = {name.casefold() for name in table.control}
    return [str(arm).casefold() in names for arm in arms]


def _columns(
    rows: pd.DataFrame, table: ExperimentTable, kind: Literal["outcome", "history", "attribute"]
) -> pd.DataFrame:
    """The columns of one kind under the names of the dataset file."""
    names = {"outcome": table.outcomes, "history": table.history, "attribute": table.attributes}[kind]
    return pd.DataFrame({name: rows[f"{kind}_{at}"] for at, name in enumerate(names)}, index=rows.index)


def _note(
    found: Findings, name: str, count: float, detail: str, severity: Literal["warning", "note"] = "warning"
) -> None:
    if count:
        found.append({"name": name, "severity": severity, "count": int(count), "detail": detail})


def _set_aside(rows: pd.DataFrame, wrong: pd.Series, name: str, why: str, found: Findings) -> pd.DataFrame:
    """The other rows; those set aside are counted."""
    _note(found, name, wrong.sum(), f"Rows set aside because {why}")
    return rows[~wrong]


def _one_row_each(rows: pd.DataFrame, table: ExperimentTable, where: str, found: Findings) -> pd.DataFrame:
    """One row for each customer whose row is clear, index customer."""
    rows = _set_aside(rows, rows["customer"].isna(), "no_customer", f"they have no {table.customer}", found)
    most = BROKEN * rows["customer"].nunique()
    given = rows.assign(arm=rows["arm"].str.casefold()).groupby("customer")["arm"].transform("nunique")
    if (several := rows.loc[given > 1, "customer"].nunique()) > most:
        raise RefusedError(
            f"{where}: {several:,} customers are in several arms, more than {BROKEN:.0%} of all: it was not chance "
            f"alone that decided who was given what; check {table.customer!r} and {table.arm!r}"
        )
    rows = _set_aside(rows, given > 1, "several_arms", "their customers are in several arms", found)
    rows = _set_aside(rows, rows.duplicated(), "repeated", "they repeat another row", found)
    unclear = rows["customer"].duplicated(keep=False)
    if rows.loc[unclear, "customer"].nunique() > most:
        raise RefusedError(
            f"{where}: more than {BROKEN:.0%} of the customers in {table.customer!r} come in several rows that say "
            "different things; expected one row a customer, with all that came after added up"
        )
    rows = _set_aside(rows, unclear, "unclear", "rows of one customer say different things", found)
    return rows.set_index("customer")


def _spelt_alike(arm: pd.Series, table: ExperimentTable) -> pd.Series:
    """Arms without differences of capitals, and everyone of the control group in one, by the most common spelling."""
    counts = arm.value_counts().sort_index().sort_values(ascending=False, kind="stable")
    key = dict(zip(counts.index, counts.index.str.casefold(), strict=True))
    key |= {value: "" for value, control in zip(counts.index, control_in(counts.index, table), strict=True) if control}
    first = {plain: value for value, plain in reversed(key.items())}
    return arm.map({value: first[plain] for value, plain in key.items()}).astype("str")


def _check_arms(arm: pd.Series, table: ExperimentTable, where: str, found: Findings) -> None:
    """Refuse arms that cannot be compared."""
    counts = arm.value_counts().sort_index()
    told = ", ".join(f"{value!r} ({count:,})" for value, count in counts.head(8).items())
    if len(counts) > MOST_ARMS:
        raise DataError(f"{where}.arm: {table.arm!r} holds {len(counts):,} different values, expected 2 to {MOST_ARMS}")
    is_control = pd.Series(control_in(counts.index, table), counts.index)
    if not is_control.any():
        shown = ", ".join(map(repr, table.control[:3]))
        raise DataError(
            f"{where}.control: expected what {table.arm!r} says of customers who were given nothing, found none of "
            f"{shown} in it but {told or 'no value'}; where everyone was given something no effect can be told"
        )
    if is_control.all():
        raise DataError(f"{where}.control: everyone in {table.arm!r} is of the control group, found {told}")
    _check_names(counts.index, is_control, table, where, told)
    few = counts < MINIMUM
    if few[is_control].any() or few[~is_control].all():
        raise RefusedError(f"{where}: an arm needs {MINIMUM} customers to be compared, found {told}")
    for value, count in counts[few].items():
        detail = f"Customers of the arm {value}, of which nothing is told because {MINIMUM} are needed"
        _note(found, "small_arm", count, detail)


def _check_names(arms: pd.Index, is_control: pd.Series, table: ExperimentTable, where: str, told: str) -> None:
    """Refuse shares and costs of arms that are not there, and an arm without a share where others have one."""
    control = {name.casefold() for name in table.control}
    known = control | set(arms.str.casefold())
    for key, said in (("planned", table.planned), ("cost", table.cost)):
        if unknown := [name for name in said if name.casefold() not in known]:
            raise DataError(f"{where}.{key}: {unknown[0]!r} is no arm; {table.arm!r} holds {told}")
    planned = {name.casefold() for name in table.planned}
    lacking = [arm for arm in arms[~is_control] if arm.casefold() not in planned]
    lacking += [arm for arm in arms[is_control] if not planned & control]
    if planned and lacking:
        raise DataError(f"{where}.planned: {lacking[0]!r} is an arm without a share; {table.arm!r} holds {told}")


def _check_numbers(columns: pd.DataFrame, where: str, done: str, found: Findings) -> None:
    """Refuse columns without a number; count the gaps of the others."""
    for name, values in columns.items():
        if values.isna().all():
            raise DataError(f"{where}: {name!r} holds neither numbers nor yes and no")
        _note(found, "gaps", values.isna().sum(), f"Customers without a value in {name}, {done}")


def _check_outcomes(outcomes: pd.DataFrame, table: ExperimentTable, where: str, found: Findings) -> None:
    """Refuse outcomes that are the same for everyone; count returns."""
    constant = [str(name) for name, values in outcomes.items() if values.nunique() < 2]
    if len(constant) == outcomes.shape[1]:
        names = ", ".join(constant)
        raise RefusedError(f"{where}.outcomes: {names} is the same for everyone, so that no effect can show")
    for name in constant:
        _note(found, "constant", len(outcomes), f"Customers who all have the same {name}, so that no effect can show")
    for name in table.money:
        returned = (outcomes[name] < 0).sum()
        _note(found, "negative", returned, f"Customers whose {name} is below zero, taken as returns", "note")
