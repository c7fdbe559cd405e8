"""The step of a study that explains why customers are worth more or less than an earlier run said.

Of the earlier run nothing is needed but what it said and the parameters of its models, a few dozen numbers that its
manifest and its record hold. What customers had done by then the log still tells, and where it tells something else
now, that is the step `corrections`. No row of a customer is kept for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING, Any

import ibis.expr.types as ir
import pandas as pd

from .errors import DataError, SettingsError
from .features.histories import histories
from .models.bridge import Valuer, walk
from .models.contenders import known
from .models.gamma_gamma import GammaGamma
from .store import code_version, digest

if TYPE_CHECKING:
    from .study import Study

KEYS = ["frequency", "recency", "T", "frequency_before", "recency_before", "T_before"]


def told(study: Study) -> dict[str, Any]:
    """What a later run needs of this one to explain the difference: plain values, no row of a customer.

    Returns
    -------
    known_until (ISO date), clv (of all customers known, money), top (of the `minimum_cell` most valuable together;
    among a sample, where no more is brought here), customers, code (its version), and what `Valuer.packed` tells.
    """
    value, about = study.value(), study.purchase_models()["about"]
    model = known(about["used"], value["parameters"]["estimate"].to_dict(), about["regularity"])
    spend = GammaGamma().with_parameters(value["spend_parameters"]["estimate"])
    return {
        "known_until": study.known_until.isoformat(),
        "clv": float(value["totals"]["clv"]),
        "top": float(value["customers"]["clv"].nlargest(study.dataset.privacy.minimum_cell).sum()),
        "customers": int(value["totals"]["customers"]),
        "code": code_version(),
    } | Valuer(model, spend, study.earning()).packed(about["used"])


def key(earlier: Mapping[str, Any]) -> str:
    """The same as long as the earlier run is the same."""
    return digest(*(f"{name}={earlier[name]}" for name in sorted(earlier)))


def between(study: Study, earlier: Mapping[str, Any]) -> dict[str, Any]:
    """Why customers are worth more or less than an earlier run said.

    Parameters
    ----------
    earlier : what `told` returned of it.

    Returns
    -------
    about : since (ISO date), before and now (value told then and now, whole cents), code (whether it is another since),
        refused (why there are no steps; empty if there are).
    steps : see `models.bridge.walk`; empty where refused.
    """
    now = float(study.value()["totals"]["clv"])
    since = date.fromisoformat(earlier["known_until"])
    about = {
        "since": since.isoformat(),
        "before": round(100 * earlier["clv"]),
        "now": round(100 * now),
        "code": earlier["code"] != code_version(),
        "refused": _refused(study, since, earlier),
    }
    steps = pd.DataFrame()
    if not about["refused"]:
        try:
            steps = walk(Valuer.unpacked(earlier), earlier["clv"], now, pairs(study, since), study.earning())
        except (DataError, SettingsError, KeyError) as error:
            about["refused"] = f"the models of that run cannot be used any more ({error})"
    return {"about": about, "steps": steps}


def pairs(study: Study, since: date) -> pd.DataFrame:
    """Different histories of all customers at an earlier date and at `known_until`, see `models.bridge.walk`."""
    tables, days = study.data.tables, study.active_within_days
    today, earlier = histories(tables, study.known_until), histories(tables, since)
    before = earlier.rename({f"{name}_before": name for name in earlier.columns if name != "customer"})
    both = today.left_join(before, "customer")
    grouped: ir.Table = both.group_by(KEYS).agg(
        weight=both.count(),
        monetary_value=both.monetary_value.mean(),
        monetary_value_before=both.monetary_value_before.mean(),
    )
    frame = grouped.order_by(KEYS).to_pandas()
    return frame.assign(
        active=frame["T"] - frame["recency"] <= days,
        active_before=(frame["T_before"] - frame["recency_before"] <= days) & frame["T_before"].notna(),
    )


def _refused(study: Study, since: date, earlier: Mapping[str, Any]) -> str:
    if since > study.known_until:
        return "that run knew more of the log than this one"
    if earlier["earning"]["horizon_days"] != study.horizon_days:
        return f"that run looked {earlier['earning']['horizon_days']} days ahead"
    if since <= study.first_day:
        return "the log told nothing before that run any more"
    return ""
