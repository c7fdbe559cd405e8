"""The house style of figures: colours, type and number formats, shared with the pages.

Nothing happens on import. `figure` makes a figure in the style; code that draws on other axes works inside
`with style.context():`.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

import matplotlib
from matplotlib import dates as mdates
from matplotlib import font_manager
from matplotlib import pyplot as plt
from matplotlib.colors import Colormap, LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.rcsetup import cycler
from matplotlib.ticker import Formatter, FuncFormatter, PercentFormatter, ScalarFormatter

from .. import notation

DPI = 100
WIDTH = 720
"""Width of a figure on a page, CSS pixels."""

NARROW = 390
"""Width of the same figure on a phone, CSS pixels."""

INK = "#1a1d21"
GREY = "#5f6670"
LIGHT_GREY = "#8d959f"
GRID = "#e3e6ea"
PAPER = "#ffffff"

BLUE = "#0072b2"
VERMILLION = "#b84f00"
GREEN = "#009e73"
PURPLE = "#c870d2"
ORANGE = "#c98600"
SKY = "#3a9ad9"
PALETTE = (BLUE, VERMILLION, GREEN, PURPLE, ORANGE, INK, SKY)
"""Okabe and Ito's colours, which the colour-blind can tell apart, in the order in which series take them.

Vermillion, orange and sky blue are a shade darker than theirs, purple is bluer, and black stands for yellow: a line
needs a contrast of 3 to its paper, words of 4.5, also in the dark, where `templates/page/page.css` turns pictures over.
"""

LOW, HIGH = "#00497a", ORANGE
"""Ends of a scale from low to high: apart in the dark, on grey paper and for the colour-blind."""

ACCENT = BLUE
"""The one colour that says "look here"; the pages' links have it too (`templates/page/page.css`)."""

FONTS = ("Segoe UI", "Roboto", "Helvetica Neue", "Arial", "Liberation Sans", "Noto Sans")


@lru_cache(maxsize=1)
def fonts() -> tuple[str, ...]:
    """Families to set type in, best first: those of `FONTS` that this machine has, then DejaVu Sans.

    Matplotlib warns for each family of a list that is absent, and takes a missing character from the next.
    """
    installed = set(font_manager.get_font_names())
    return (*(name for name in FONTS if name in installed), "DejaVu Sans")


def settings() -> dict[str, Any]:
    """Matplotlib settings of the house style, for `matplotlib.rc_context`."""
    return {
        "figure.dpi": DPI,
        "figure.facecolor": PAPER,
        "figure.constrained_layout.use": True,
        "savefig.facecolor": PAPER,
        "font.family": list(fonts()),
        "font.sans-serif": list(fonts()),  # for text that was made outside and is drawn inside
        "font.size": 11,
        "text.color": INK,
        "text.parse_math": False,  # two amounts in dollars are no formula
        "axes.facecolor": PAPER,
        "axes.edgecolor": LIGHT_GREY,
        "axes.linewidth": 0.8,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.titlelocation": "left",
        "axes.titlesize": 13,
        "axes.titleweight": "bold",  # few families have a semibold, and matplotlib warns
        "axes.titlepad": 12,
        "axes.labelcolor": GREY,
        "axes.labelsize": 11,
        "axes.axisbelow": True,
        "axes.grid": True,
        "axes.grid.axis": "y",
        "axes.prop_cycle": cycler(color=PALETTE),
        "axes.unicode_minus": True,
        "grid.color": GRID,
        "grid.linewidth": 0.8,
        "lines.linewidth": 2,
        "lines.solid_capstyle": "round",
        "xtick.color": LIGHT_GREY,
        "ytick.color": LIGHT_GREY,
        "xtick.labelcolor": GREY,
        "ytick.labelcolor": GREY,
        "xtick.labelsize": 10.5,
        "ytick.labelsize": 10.5,
        "ytick.major.size": 0,
        "legend.frameon": False,
        "legend.fontsize": 10.5,
        "date.converter": "concise",
        "svg.hashsalt": "loyalty",
    }


@contextmanager
def context() -> Iterator[None]:
    """House style inside the `with` block, or inside the function decorated with it, and only there.

    A figure must be saved inside one as well: matplotlib looks fonts up when it draws. `page.show` does.
    """
    with matplotlib.rc_context(settings()):  # type: ignore[arg-type]
        yield


def figure(
    width: int = WIDTH, height: int = 400, *, rows: int = 1, columns: int = 1, **options: Any
) -> tuple[Figure, Any]:
    """Make a figure in the house style.

    Parameters
    ----------
    width, height : CSS pixels on the page; a page is `WIDTH` pixels wide.
    rows, columns : of axes.
    options : handed to `matplotlib.pyplot.subplots`, such as `sharey=True`.

    Returns
    -------
    tuple
        The figure, and its `Axes` or, with several, an array of them.
    """
    with context():
        fig, axes = plt.subplots(rows, columns, figsize=(width / DPI, height / DPI), **options)
    return fig, axes


def low_to_high() -> Colormap:
    """The scale of dots that stand on the paper, from `LOW` to `HIGH`."""
    return LinearSegmentedColormap.from_list("low to high", [LOW, HIGH])


def thousands(axis: Any, *, unit: str = "") -> None:
    """Write the ticks of `axis` (`ax.xaxis` or `ax.yaxis`) as 12,000, each followed by `unit`."""
    suffix = f" {unit}" if unit else ""
    axis.set_major_formatter(
        FuncFormatter(lambda value, _: notation.write(f"{value:,.10g}".replace("-", "−")) + suffix)
    )


def percent(axis: Any, *, decimals: int | None = None) -> None:
    """Write the ticks of `axis`, whose values are shares of 1, as percentages."""
    axis.set_major_formatter(PercentFormatter(xmax=1, decimals=decimals, symbol=" %"))


class _Noted(Formatter):
    """Writes ticks as another formatter of matplotlib's own does, in the dataset's number format."""

    def __init__(self, plain: Formatter) -> None:
        self.plain = plain

    def set_axis(self, axis: Any) -> None:
        super().set_axis(axis)
        self.plain.set_axis(axis)

    def __call__(self, x: float, pos: int | None = None) -> str:
        return notation.write(self.plain(x, pos))

    def format_ticks(self, values: Any) -> list[str]:
        return [notation.write(tick) for tick in self.plain.format_ticks(values)]

    def get_offset(self) -> str:
        return self.plain.get_offset()


def note(fig: Figure) -> None:
    """Write ticks that matplotlib writes by itself in the dataset's number format."""
    for axis in (axis for ax in fig.axes for axis in (ax.xaxis, ax.yaxis)):
        plain = axis.get_major_formatter()
        if isinstance(plain, ScalarFormatter | PercentFormatter):
            axis.set_major_formatter(_Noted(plain))


def dates(axis: Any) -> None:
    """Write the ticks of a date `axis` as briefly as a person would: years once, months by name."""
    locator = mdates.AutoDateLocator(minticks=3, maxticks=8)  # type: ignore[no-untyped-call]
    axis.set_major_locator(locator)
    axis.set_major_formatter(mdates.ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]
