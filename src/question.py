"""What is asked: one dataset, one as-of date, one horizon."""

import functools
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Self

import pandas as pd

from . import notation
from .errors import SettingsError
from .features import build
from .features.columns import Window
from .features.contract import check_span, refuse
from .features.labels import NO_PURCHASE
from .models import tuning
from .prepared import Prepared
from .schema import Dataset, Goals
from .settings import load_dataset, parse_date, project_root, variant, whole_days, with_engine
from .store import Result, Store, digest

TESTED = 4
"""Past dates that forecasts are tested on, where the log allows it."""


class Question:
    """One dataset, one as-of date, one horizon, and what follows from them alone; see `study.Study`."""

    def __init__(
        self,
        name: str,
        dataset: Dataset,
        root: Path,
        data: Prepared,
        *,
        as_of: date,
        horizon_days: int,
        active_within_days: int,
    ) -> None:
        self.name, self.dataset, self.root, self.data = name, dataset, root, data
        self.as_of, self.horizon_days, self.active_within_days = as_of, horizon_days, active_within_days
        # Engines agree, so that a result is the same whichever computed it.
        said = dataset.model_dump_json(exclude={"engine", "engine_settings"})
        engine = dataset.engine_settings
        # Settings of the trees, where a search found better ones than the defaults.
        self.tuned = tuning.read(root / "data" / "processed" / name)
        learning = (engine.training_customers, engine.device, self.tuned)
        self.key = digest(data.key, said, learning, as_of, horizon_days, active_within_days)
        self._store = Store(data.folder / f"{as_of}-{self.key}")
        self._results: dict[str, Result] = {}

    @classmethod
    def open(
        cls,
        name: str,
        *,
        as_of: str | date | None = None,
        horizon_days: int | None = None,
        active_within_days: int | None = None,
        engine: str | None = None,
        root: Path | None = None,
        refusing: bool = True,
    ) -> Self:
        """Open a dataset at a date; from now on this process writes numbers in its format.

        Parameters
        ----------
        name : of a file in `data/`, `complete-journey` for `data/complete_journey.toml`.
        as_of : first day that is not known: a date, `YYYY-MM-DD`, `today` or `yesterday` (in the dataset's time
            zone). The day after the last line of the log, if not given.
        horizon_days, active_within_days : instead of what the dataset file says.
        engine : `duckdb` or `spark`, instead of what the dataset file says.
        root : the project's folder, if it is not the one around the working directory.
        refusing : false to look at a log on which no score may rest; see `check`.

        Raises
        ------
        SettingsError
            If the dataset, its file or one of the arguments is wrong.
        DataError
            If a file or column is missing, or the log says nothing at any date, or nothing before this one.
        RefusedError
            If the log is too small, too short or too old for a score, or a rule of its contract refuses it.
        """
        root = root or project_root()
        dataset = with_engine(load_dataset(name, root), engine)
        horizon = whole_days("horizon_days", horizon_days, dataset.study.horizon_days)
        active = whole_days("active_within_days", active_within_days, dataset.study.active_within_days)
        asked = parse_date(as_of, dataset.timezone)
        if not dataset.transactions:
            raise SettingsError(
                f"{name}: the dataset file has no [transactions]; of an experiment alone there are `loyalty check` and "
                "`loyalty report`"
            )
        name = name.replace("_", "-")
        notation.use(dataset.number_format)
        data = Prepared(name, dataset, root)
        day = check_span(data.facts, asked, data.shown)
        if refusing:
            refuse(data.health(day, horizon)["findings"], data.shown)
        return cls(name, dataset, root, data, as_of=day, horizon_days=horizon, active_within_days=active)

    @property
    def variant(self) -> str:
        """What is not as the dataset file says, see `settings.variant`."""
        return variant(self, self.dataset.study)

    @property
    def processed(self) -> Path:
        """Folder of the files that are written for other systems, one for each date and variant."""
        return self.root / "data" / "processed" / self.name / f"{self.as_of}{self.variant}"

    @property
    def goals(self) -> Goals:
        """The dataset's goals; none where horizon or activity differ from the dataset file's, to which goals belong."""
        return Goals() if self.variant else self.dataset.goals

    @property
    def by_silence(self) -> bool:
        """Whether to leave is to buy nothing, which is what models of purchases forecast."""
        return self.dataset.study.churn == NO_PURCHASE

    # Dates

    @property
    def first_day(self) -> date:
        """First day of the log."""
        return date.fromisoformat(self.data.facts["first_day"])

    @functools.cached_property
    def known_until(self) -> date:
        """First day of which nothing is known: the as-of date, or where the log is late the day after its last line.

        Silence that is longer than the log has ever been is missing lines, not customers who stayed away.
        """
        if not any(finding["name"] in ("late", "stale") for finding in self.findings()):
            return self.as_of
        last_day: str = self.data.health(self.as_of, self.horizon_days)["facts"]["last_day"]
        return date.fromisoformat(last_day) + timedelta(days=1)

    def origin(self, back: int) -> date:
        """The date `back` horizons before `known_until`."""
        return self.known_until - timedelta(days=back * self.horizon_days)

    def origins(self) -> list[date]:
        """Past dates whose horizon is over, the latest first: the test date, then those that models learn from.

        A date is used only if one horizon of the log lies before it. A log of two to three horizons has one such date.
        However few the dataset file asks for, there are enough for `TESTED` tests.
        """
        wanted = [self.origin(back) for back in range(1, max(self.dataset.study.origins, TESTED) + 2)]
        return [day for day in wanted if (day - self.first_day).days >= self.horizon_days]

    def events(self) -> pd.DataFrame:
        """Happenings to mark in charts over time: day, until (its last day), name."""
        return self.data.events

    def findings(self) -> list[dict[str, Any]]:
        """What is odd or wrong about the log at the as-of date, the worst first, see `features.findings.Found`.

        Their samples hold personal data: they are not for a page.
        """
        found: list[dict[str, Any]] = self.data.health(self.as_of, self.horizon_days)["findings"]
        return found

    def earning(self) -> dict[str, Any]:
        """What a value is computed with: horizon_days, margin, annual_discount_rate."""
        settings = self.dataset.study
        return {
            "horizon_days": self.horizon_days,
            "margin": settings.margin,
            "annual_discount_rate": settings.annual_discount_rate,
        }

    def window(self, day: date | None = None) -> Window:
        """What features see at a date: windows that are as long at every date that is looked at."""
        earliest = self.origins()[-1]
        lengths = build.windows_that_fit(self.first_day, earliest)
        return Window(day or self.known_until, lengths, self.horizon_days, (earliest - self.first_day).days)

    def lacking(self) -> list[str]:
        """Parts of a dataset file that would give more features: `points`, `transactions.channel` and so on."""
        return sorted({needs for _, needs, _ in build.left_out(self.data.tables, self.window())})
