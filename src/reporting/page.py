"""What a notebook calls to put a figure, a table or a sentence on its page.

In JupyterLab each call shows what it is given. On the rendered page the same outputs are set as figures with
captions, a lead, and boxes: each output says in its metadata, under `loyalty`, which of these it is.
"""

import base64
import io
import re
import textwrap
from dataclasses import dataclass
from typing import Any, Literal

from IPython.display import display
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image

from . import style
from .words import one_line

END = "application/vnd.loyalty.end+json"
"""Media type of the output that only the last cell of a notebook makes."""

NARROW = "application/vnd.loyalty.narrow+png"
"""Media type of the picture for a phone, beside the one that JupyterLab shows."""

FOLDED = 18
"""Letters of a name that stay in one line at the side of a figure on a phone."""
LINE = 48
"""Letters for which a phone has room beside each other."""

Role = Literal["text", "answer", "meeting", "limit", "warning"]


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A figure as a page holds it.

    Attributes
    ----------
    png : base64.
    narrow : the same figure drawn for a phone, with letters of the same size; base64.
    width, height : of `png`, CSS pixels; the picture has twice as many.
    alt : alternative text, plain.
    caption : the sentence that reads it, Markdown.
    """

    png: str
    narrow: str
    width: int
    height: int
    alt: str
    caption: str


def picture(ax: Axes | Figure, reading: str) -> Picture:
    """Draw a figure as a picture, and close it.

    Parameters
    ----------
    ax : the axes, or the figure, that was drawn.
    reading : one or two sentences of Markdown, with the numbers; with the title they are the alternative text.
    """
    fig = ax if isinstance(ax, Figure) else ax.get_figure(root=True)
    if fig is None:
        raise ValueError("these axes belong to no figure: it was cleared")
    width, height = (round(inches * style.DPI) for inches in fig.get_size_inches())
    png = _png(fig, min(width, style.WIDTH))
    _fold(fig)
    narrow = _png(fig, min(width, style.NARROW))
    alt = ": ".join(part for part in (_title_of(ax, fig), plain(reading)) if part)
    plt.close(fig)
    return Picture(
        png=png, narrow=narrow, width=min(width, style.WIDTH), height=height, alt=alt, caption=_dollars(reading)
    )


def show(ax: Axes | Figure, reading: str) -> None:
    """Show a figure, and under it the sentence that reads it. The figure is closed.

    The caption is sent twice: inside the picture's metadata, where the page takes it from, and as Markdown of
    its own, which JupyterLab shows and the page skips.

    Parameters
    ----------
    ax, reading : see `picture`.
    """
    drawn = picture(ax, reading)
    _send(
        {"image/png": drawn.png, NARROW: drawn.narrow, "text/plain": drawn.alt},
        {
            "image/png": {"width": drawn.width, "height": drawn.height, "alt": drawn.alt},
            "loyalty": {"role": "figure", "caption": drawn.caption},
        },
    )
    _caption(reading)


def table(content: Any, reading: str = "") -> None:
    """Show a table, and under it the sentence that reads it.

    Parameters
    ----------
    content : what `tables.table` returned, or a frame, which is set with its column names as headings.
    reading : one or two sentences of Markdown, with the numbers.
    """
    if not hasattr(content, "as_raw_html"):
        from .tables import table as build

        content = build(content)
    _send(
        {"text/html": content.as_raw_html(), "text/plain": plain(reading) or "table"},
        {"loyalty": {"role": "table", "caption": _dollars(reading)}},
    )
    if reading:
        _caption(reading)


def say(text: str, *, role: Role = "text") -> None:
    """Show sentences made from the results.

    Parameters
    ----------
    text : Markdown. HTML in it is shown as text, a dollar sign as a dollar sign.
    role : `answer` stands at the top of the page, wherever the cell is; `meeting` is the one sentence to say
        in the meeting; `limit` is where the result fails, `warning` what to take care of; `text` is the rest.
    """
    _send({"text/markdown": _dollars(text), "text/plain": plain(text)}, {"loyalty": {"role": role}})


def end() -> None:
    """Say that the notebook ran to its end. Its last cell must call this, and no other may."""
    _send({END: {"version": 1}, "text/plain": ""}, {"loyalty": {"role": "end"}})


def plain(markdown: str) -> str:
    """Return Markdown as one line of plain text, for alternative texts."""
    text = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", markdown)
    text = re.sub(r"(\*\*|\*|`|(?<!\w)_+|_+(?!\w)|^[#>]+ *)", "", text, flags=re.MULTILINE)
    return one_line(re.sub(r"\\([^\w\s])", r"\1", text))


def _png(fig: Figure, width: int) -> str:
    """Draw at a width in CSS pixels, the height as it is, with twice the page's resolution; base64."""
    fig.set_size_inches(width / style.DPI, fig.get_size_inches()[1])
    style.note(fig)
    drawn, small = io.BytesIO(), io.BytesIO()
    with style.context():
        fig.savefig(drawn, format="png", dpi=2 * style.DPI, pil_kwargs={"compress_level": 0})
    # A third of the size: a chart has few colours beside the shades at the edges of its letters.
    pixels = Image.open(drawn).convert("RGB")
    pixels.quantize(256, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE).save(small, format="png")
    return base64.b64encode(small.getvalue()).decode("ascii")


def _fold(fig: Figure) -> None:
    """Write long names at the side of a figure in two lines, and long lines under it, as a phone has room for them."""
    for ax in fig.axes:
        names = [label.get_text() for label in ax.get_yticklabels()]
        if any(len(name) > FOLDED for name in names):
            widths = [max(FOLDED, len(name) // 2 + 4) for name in names]
            folded = [textwrap.fill(name, width) for name, width in zip(names, widths, strict=True)]
            ax.set_yticks(ax.get_yticks(), folded)
            names = "\n".join(folded).splitlines()
        ax.set_xlabel(textwrap.fill(ax.get_xlabel(), LINE - max(map(len, names), default=0)))


def _title_of(ax: Axes | Figure, fig: Figure) -> str:
    """Return the title above the axes, or the figure's own, or an empty string."""
    places: tuple[Literal["left", "center", "right"], ...] = ("left", "center", "right")
    candidates = [fig.get_suptitle()] if isinstance(ax, Figure) else []
    for axes in fig.axes if isinstance(ax, Figure) else [ax]:
        candidates += [axes.get_title(loc=place) for place in places]
    candidates.append(fig.get_suptitle())
    return next((one_line(text) for text in candidates if text.strip()), "")


def _dollars(markdown: str) -> str:
    r"""Write `$` as `\$`: two of them in a line would be read as a formula by JupyterLab."""
    return re.sub(r"(?<!\\)\$", r"\\$", markdown)


def _caption(reading: str) -> None:
    _send({"text/markdown": _dollars(reading), "text/plain": plain(reading)}, {"loyalty": {"role": "caption"}})


def _send(data: dict[str, Any], metadata: dict[str, Any]) -> None:
    """Hand one output to the front end."""
    display(data, raw=True, metadata=metadata)  # type: ignore[no-untyped-call]
