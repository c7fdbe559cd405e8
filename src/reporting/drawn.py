"""Pieces that several figures are drawn with; whole figures lie in `figures` and the modules beside it."""

from collections.abc import Callable

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from . import style


def shares_moved(ax: Axes, table: pd.DataFrame, text: Callable[[float], str], unknown: str) -> None:
    """Shares of rows by column as shaded cells with their text; `unknown` where one is missing."""
    ax.imshow(table.to_numpy(dtype=float), cmap="Blues", vmin=0, vmax=1.1, aspect="auto")
    for row, column in np.ndindex(table.shape):
        share = table.iat[row, column]
        colour = style.GREY if pd.isna(share) or share == 0 else style.PAPER if share > 0.6 else style.INK
        said = unknown if pd.isna(share) else text(share)
        ax.text(column, row, said, ha="center", va="center", fontsize=9.5, color=colour)
    ax.grid(visible=False)
    ax.spines[:].set_visible(False)


def happened(ax: Axes, places: np.ndarray, table: pd.DataFrame, name: str, width: float) -> None:
    """Bars of what happened, with their intervals, to hold forecasts against: column `name`, low and high."""
    ax.bar(
        places,
        table[name],
        width=width,
        color=style.GRID,
        edgecolor=style.LIGHT_GREY,
        label="what happened (line: 90 %)",
    )
    ax.vlines(places, table["low"], table["high"], color=style.GREY, linewidth=1.2)
