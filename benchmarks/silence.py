"""Who will be silent for 30, 60 and 90 days on Complete Journey: `python benchmarks/silence.py`.

The other benchmark of accuracy asks of customers who bought of late. This one asks of every household that was ever
seen, from the first of a month, in days of UTC, which is how figures to beat were told that others had measured.
One day is asked about, not four: what is learned from has `KNOWN` days of the log before it, for windows as long.
"""

from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from asked import parser_of, say, tell
from measure import machine, markdown

HERE = Path(__file__).parent
NAME = "complete-journey-utc"
EVER = 366
"""Days in which everyone was seen: the log is of one year."""

KNOWN = 90


class Ask(NamedTuple):
    """Silence from a day on, and the AUC to beat: of days since the last purchase, orders of 90 days, and XGBoost."""

    day: date
    horizon_days: int
    silence: float
    orders: float
    xgboost: float


ASKED = (
    Ask(date(2017, 12, 1), 30, 0.840, 0.866, 0.890),
    Ask(date(2017, 11, 1), 60, 0.846, 0.880, 0.898),
    Ask(date(2017, 10, 1), 90, 0.854, 0.868, 0.883),
)
WORDS = {"silence": "Days since last purchase", "orders": "Orders of late", "xgboost": "XGBoost"}
DRAWS, SEED, ENDS = 400, 1, (0.05, 0.95)


def main() -> None:
    """Forecast each silence from what was known on its first day, and tell the table."""
    asked = parser_of(__doc__, "for what is computed").parse_args()
    found = [(ask, forecasts(ask, asked.folder / "silence")) for ask in ASKED]
    tell(told(found), "silence on complete-journey", asked.write)


def forecasts(ask: Ask, root: Path) -> pd.DataFrame:
    """What each contender said of the households known on the day, and `churned`, who was silent."""
    from loyalty.models.line_up import Blend
    from loyalty.models.players import Curve, Trees, nearest_window, silence
    from loyalty.models.tournament import play
    from loyalty.tournaments import rounds_of

    def of_late(features: pd.DataFrame) -> pd.DataFrame:
        return np.log1p(features[[f"orders_{nearest_window(features, 90)}"]])

    rounds = rounds_of(_open(ask, root), lambda what: say(f"{ask.horizon_days} days: {what}"))
    # All that are tested but the earliest are: the day that is asked about.
    ends = (rounds[0].day, rounds[-1].day)
    playing = [
        Curve(WORDS["silence"], silence),
        Curve(WORDS["orders"], of_late),
        Trees(WORDS["xgboost"], lambda features: features.select_dtypes("number")),
        Blend(ask.horizon_days),
    ]
    tested = [each._replace(tested=each.day in ends) for each in rounds]
    played = play(playing, tested, lambda name: say(f"{ask.horizon_days} days: {name}"))
    said = {name: each[0]["churn_probability"] for name, each in played.forecasts.items()}
    return played.outcomes[0][["churned"]].astype("float64").assign(**said)


def _open(ask: Ask, root: Path) -> Any:
    """The study of the day, in a project of its own, in which days are those of UTC."""
    from loyalty.study import Study

    class Longer(Study):
        """A study whose past dates all have `KNOWN` days of the log before them."""

        def origins(self) -> list[date]:
            return [day for day in super().origins() if (day - self.first_day).days >= KNOWN]

    for folder in ("data", "notebooks"):
        (root / folder).mkdir(parents=True, exist_ok=True)
    text = (HERE.parent / "data" / "complete_journey.toml").read_text()
    text = text.replace('timezone = "America/New_York"', 'timezone = "UTC"')
    (root / "data" / f"{NAME.replace('-', '_')}.toml").write_text(text)
    over = ask.day + timedelta(days=ask.horizon_days)
    return Longer.open(NAME, root=root, as_of=over, horizon_days=ask.horizon_days, active_within_days=EVER)


def told(asked: Sequence[tuple[Ask, pd.DataFrame]]) -> str:
    """What came out, in Markdown: the AUC of each contender with its 90 % interval, beside the figure to beat."""
    heading = ["by", "to beat and found", *(f"{ask.horizon_days} days" for ask, _ in asked)]
    rows = [[WORDS[name], "to beat", *(f"{getattr(ask, name):.3f}" for ask, _ in asked)] for name in WORDS]
    for name in asked[0][1].drop(columns="churned"):
        rows.append([name, "found", *(_cell(said, name) for _, said in asked)])
    first = "; ".join(
        f"{len(said):,} households on {ask.day}, {said['churned'].sum():.0f} silent" for ask, said in asked
    )
    return f"### Silence on complete-journey\n\n{first}. {machine()}.\n\n{markdown(heading, rows)}"


def _cell(said: pd.DataFrame, name: str) -> str:
    """The AUC of a contender, with the interval of a bootstrap over households."""
    from loyalty.models.metrics import auc

    churned, told = said["churned"].to_numpy(), said[name].to_numpy()
    weights = np.random.default_rng(SEED).multinomial(len(said), np.full(len(said), 1 / len(said)), size=DRAWS)
    low, high = np.quantile(auc(churned, told, weights.astype("float64")), ENDS)
    (found,) = auc(churned, told, np.ones((1, len(said))))
    return f"{found:.3f} ({low:.3f} to {high:.3f})"


if __name__ == "__main__":
    main()
