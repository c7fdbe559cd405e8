"""What may be published: nothing about fewer customers than the dataset's `minimum_cell`."""

from typing import Any

import pandas as pd


def hidden(customers: pd.Series, minimum: int) -> pd.Series:
    """Which groups must not be told of.

    Parameters
    ----------
    customers : number of different customers in each group of a whole whose size is known.
    minimum : the least number that may be shown.

    Returns
    -------
    True for groups of 1 to `minimum` - 1 customers. Where that is one group alone, the next smallest is hidden too, for
    the whole less the others would tell it. Empty groups are nobody's.

    Examples
    --------
    >>> hidden(pd.Series([25, 3, 40]), 10).tolist()
    [True, True, False]
    """
    small = customers.between(1, minimum - 1)
    others = customers[~small & (customers > 0)]
    if small.sum() == 1 and len(others):
        small = small | (customers.index == others.idxmin())
    return small


def suppress(frame: pd.DataFrame, customers: str, minimum: int, seen: pd.Series | None = None) -> pd.DataFrame:
    """Replace small cells.

    Parameters
    ----------
    frame : one row a group.
    customers : column with the number of different customers in the group.
    minimum : the least number that may be shown.
    seen : how many customers each row was computed from, where that is a sample of them; all of them if None.

    Returns
    -------
    A copy in which the count of a small group reads `<minimum`, that of a group hidden with it `hidden`, and what is
    known about them is missing. An empty group stays: it tells nothing of anyone.

    Examples
    --------
    >>> suppress(pd.DataFrame({"n": [25, 3, 40], "spend": [100.0, 9.0, 50.0]}), "n", 10).to_dict("list")
    {'n': ['hidden', '<10', 40], 'spend': [nan, nan, 50.0]}
    """
    small = hidden(frame[customers] if seen is None else seen, minimum)
    shown = frame.copy()
    others = [name for name in frame.select_dtypes("number").columns if name != customers]
    for name in others:
        shown[name] = shown[name].where(~small)
    counts: list[Any] = [
        value if not untold else f"<{minimum}" if value < minimum else "hidden"
        for value, untold in zip(frame[customers], small, strict=True)
    ]
    return shown.assign(**{customers: pd.Series(counts, index=frame.index, dtype=object)})
