"""Model cards: what a model is, how good it was, what it is for, and what not.

After Mitchell et al. (2019), "Model Cards for Model Reporting". A card is a plain dict, published as page and as JSON;
there is one of the model that says who leaves, and one of that which says what is spent.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from . import words
from .render import Heading, Page, render_template

if TYPE_CHECKING:
    from ..study import Study

CHURN, VALUE = "model-card", "model-card-value"
"""Names of the cards: the file is `<name>.html`, beside it `<name>.json`."""

SECTIONS = (
    "title", "model", "summary", "intended_use", "not_for", "definition", "data", "metrics", "limits", "features",
    "making",
)  # fmt: skip
"""What a card must have, in the order of the page."""


def describe(study: "Study") -> dict[str, dict[str, Any]]:
    """The cards of a study by name, each with every section of `SECTIONS`."""
    from . import card_churn, card_value

    return {CHURN: card_churn.describe(study), VALUE: card_value.describe(study)}


def files(cards: Mapping[str, Mapping[str, Any]], *, pages: Sequence[Page], heading: Heading) -> dict[str, str]:
    """The cards as files of a report: name → text.

    Parameters
    ----------
    cards : by name, see `describe`.
    pages : of the report.
    heading : what every page says about its study.

    Raises
    ------
    ValueError
        If a section is missing.
    """
    texts = {}
    for name, card in cards.items():
        if missing := [section for section in SECTIONS if not card.get(section)]:
            raise ValueError(f"a model card without {', '.join(missing)}")
        others = {f"{other}.html": each["title"] for other, each in cards.items() if other != name}
        shown = dict(card) | {"metrics": [_as_text(metric) for metric in card["metrics"]], "others": others}
        texts[f"{name}.html"] = render_template("card.html.j2", name, {"card": shown}, pages=pages, heading=heading)
        texts[f"{name}.json"] = json.dumps(dict(card), indent=2, ensure_ascii=False, default=_plain) + "\n"
    return texts


def _plain(value: object) -> object:
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"a model card holds a {type(value).__name__}, which JSON does not know")


def _as_text(metric: Mapping[str, Any]) -> dict[str, str]:
    """A metric as a row of the page."""
    write = _writer(metric)
    known = metric.get("low") is not None and metric.get("high") is not None
    return {
        "name": metric["name"],
        "value": write(metric["value"]),
        "interval": words.between(metric["low"], metric["high"], write) if known else "",
        "reading": metric["reading"],
    }


def _writer(metric: Mapping[str, Any]) -> Callable[[float], str]:
    if metric["kind"] == "money":
        return partial(words.money, currency=metric["currency"])
    return {"percent": words.percent, "count": words.whole, "number": words.number}[metric["kind"]]
