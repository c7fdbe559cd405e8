"""What may be published: nothing about fewer customers than the dataset's `minimum_cell`."""

from typing import Any

import pandas as pd


def suppress(frame: pd.DataFrame, customers: str, minimum: int, hide: list[str] | None = None) -> pd.DataFrame:
    """Replace small cells.

    Parameters
    ----------
    frame : one row a group.
    customers : column with the number of different customers in the group.
    minimum : the least number that may be shown.
    hide : the other columns to blank in such a row; all but those of text if not given.

    Returns
    -------
    A copy in which the count of a small group reads `<minimum` and what is known about it is missing. An empty
    group stays: it tells nothing of anyone.

    Examples
    --------
    >>> suppress(pd.DataFrame({"n": [25, 3], "spend": [100.0, 9.0]}), "n", 10).to_dict("list")
    {'n': [25, '<10'], 'spend': [100.0, nan]}
    """
    small = frame[customers].between(1, minimum - 1)
    shown = frame.copy()
    others = hide if hide is not None else [name for name in frame.select_dtypes("number").columns if name != customers]
    for name in others:
        shown[name] = shown[name].where(~small)
    counts: list[Any] = [
        f"<{minimum}" if hidden else value for value, hidden in zip(frame[customers], small, strict=True)
    ]
    return shown.assign(**{customers: pd.Series(counts, index=frame.index, dtype=object)})
