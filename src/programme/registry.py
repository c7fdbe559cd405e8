"""What will be read of a campaign, written down before it begins, so that the evaluation cannot choose afterwards.

One small file a campaign, `data/registered/<dataset>/<campaign>.toml`. It is never written over.
"""

from __future__ import annotations

import json
import re
import tomllib
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from scipy import stats

from ..errors import SettingsError
from . import sequential
from .effect import LEVEL, Effect

Metric = Literal["spend", "repurchase", "orders"]
Between = Annotated[float, Field(gt=0, lt=1)]


_NAME = re.compile(r"[^\W_](?:[\w .-]{0,78}[\w-])?")
"""Campaigns that can be registered: their name is that of a file."""


class Registration(BaseModel):
    """What will be read, when, and of how many.

    Attributes
    ----------
    campaign : its name.
    metric : what is measured of each customer.
    starts : first day of the campaign.
    days : from then on over which the metric is measured.
    customers : in all arms together.
    hold_out : share of them who are sent nothing.
    minimum_effect : the least effect that matters, in the unit of the metric.
    power : chance that it shows, if it is there.
    one_sided : whether only a rise counts.
    covariate : what is known before and used to narrow the interval (CUPED); empty for none.
    registered_on : day on which this was written.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    campaign: str = Field(min_length=1, max_length=80)
    metric: Metric
    starts: date
    days: Annotated[int, Field(ge=1, le=3650, strict=True)]
    customers: Annotated[int, Field(ge=2, strict=True)]
    hold_out: Between
    minimum_effect: Annotated[float, Field(gt=0)]
    power: Between = 0.8
    one_sided: bool = False
    covariate: str = ""
    registered_on: date

    @property
    def read_on(self) -> date:
        """First day on which all that is to be read is known."""
        return self.starts + timedelta(days=self.days)

    @property
    def planned(self) -> dict[str, float]:
        """Shares of a trial with one arm, see `trial.Trial`."""
        return {"treated": 1 - self.hold_out, "control": self.hold_out}


def path_of(campaign: str, dataset: str, root: Path) -> Path:
    """Where a campaign's read-out is registered.

    Raises
    ------
    SettingsError
        If the name cannot be that of a file.
    """
    if not _NAME.fullmatch(campaign):
        raise SettingsError(
            f"campaign {campaign!r}: expected a name of at most 80 letters, digits, blanks, dots, hyphens and "
            "underscores that begins with a letter or digit, such as spring-2026"
        )
    return root / "data" / "registered" / dataset / f"{campaign}.toml"


def is_registered(campaign: str, dataset: str, root: Path) -> bool:
    """Whether a campaign of the log is registered; never, where its name cannot be that of a file."""
    return bool(_NAME.fullmatch(campaign)) and path_of(campaign, dataset, root).exists()


def register(registration: Registration, dataset: str, root: Path) -> Path:
    """Write a registration, and return its file. The same again changes nothing.

    Raises
    ------
    SettingsError
        If the campaign is registered with other contents; the file is left as it is.
    """
    path = path_of(registration.campaign, dataset, root)
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(_written(registration))
    except FileExistsError:
        there = registered(registration.campaign, dataset, root)
        if other := _otherwise(there, registration):
            raise SettingsError(
                f"{path.relative_to(root)}: registered on {there.registered_on} with other contents ({other}), and "
                "never written over; register a campaign of another name"
            ) from None
    return path


def registered(campaign: str, dataset: str, root: Path) -> Registration:
    """Read a registration.

    Raises
    ------
    SettingsError
        If there is none, or the file is not what `register` writes.
    """
    path = path_of(campaign, dataset, root)
    shown = path.relative_to(root)
    if not path.exists():
        raise SettingsError(
            f"{shown}: no such file; `loyalty design {dataset} --register {json.dumps(campaign)}` writes it"
        )
    try:
        return Registration.model_validate(tomllib.loads(path.read_text("utf-8")))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{shown} is not valid TOML: {error}") from None
    except ValidationError as error:
        wrong = "; ".join(
            f"{'.'.join(map(str, each['loc']))}: {each['msg'].removeprefix('Input should be ')}"
            + ("" if each["type"] == "missing" else f", found {each['input']!r}")
            for each in error.errors()
        )
        raise SettingsError(f"{shown}: {wrong}") from None


def departures(
    registration: Registration, *, metric: str, known_until: date, customers: int, covariate: str = "", days: int
) -> list[str]:
    """What an evaluation does otherwise than was registered, in words; empty if it obeys.

    Parameters
    ----------
    registration : of the campaign.
    metric, covariate, days : what is read, with what it is narrowed, and over how many days of the campaign.
    known_until : first day of which nothing is known.
    customers : in all arms together.
    """
    said = []
    if metric != registration.metric:
        said.append(f"What is read is {metric}; registered was {registration.metric}.")
    if days != registration.days:
        said.append(f"It is read over {days} days; registered were {registration.days}.")
    if known_until < registration.read_on:
        early = (registration.read_on - known_until).days
        said.append(f"It is read {early} days early, at {known_until}; registered was {registration.read_on}.")
    if customers < registration.customers:
        said.append(f"It has {customers:,} customers; registered were {registration.customers:,}.")
    if covariate != registration.covariate:
        said.append(
            f"It is narrowed by {covariate or 'nothing'}; registered was {registration.covariate or 'nothing'}."
        )
    if registration.registered_on > registration.starts:
        said.append(f"It was registered on {registration.registered_on}, after the start on {registration.starts}.")
    return said


def held_to(
    registration: Registration,
    effect: Effect,
    *,
    metric: str,
    known_until: date,
    customers: int,
    covariate: str = "",
    days: int | None = None,
) -> Effect:
    """The effect as the registration allows it to be read; the arguments are those of `departures`.

    Before its date the interval is widened so that it holds at every look (see `sequential`). What differs otherwise
    stands in the notes; another metric than the registered one is called exploratory.
    """
    reached = (known_until - registration.starts).days
    said = departures(
        registration,
        metric=metric,
        known_until=known_until,
        customers=customers,
        covariate=covariate,
        days=registration.days if days is None else days,
    )
    if reached <= 0:
        return effect.refused(f"The campaign begins on {registration.starts}: there is nothing to read yet.")
    if reached < registration.days:
        effect = sequential.still_running(effect, reached=reached, planned=registration.days)
    if metric != registration.metric:
        said.append("So this reading is exploratory: it may suggest a question, and settles none.")
    notes = said or [f"Read as registered on {registration.registered_on}."]
    return replace(effect, notes=(*effect.notes, *notes))


def succeeded(registration: Registration, effect: Effect) -> bool:
    """Whether the effect is a rise beyond chance, one- or two-sided as registered."""
    if not effect.identified:
        return False
    if not registration.one_sided:
        return effect.clear and effect.found.estimate > 0
    # The ends of the interval are two-sided; the lower one alone would be stricter than what was registered.
    share = stats.norm.ppf(LEVEL) / stats.norm.ppf(0.5 + LEVEL / 2)
    return bool(effect.found.estimate - share * (effect.found.estimate - effect.found.low) > 0)


def _otherwise(there: Registration, asked: Registration) -> str:
    """Where two registrations differ; the day on which they were written is no difference."""
    pairs = {name: (getattr(there, name), getattr(asked, name)) for name in Registration.model_fields}
    del pairs["registered_on"]
    return ", ".join(f"{name} {old} there, {new} now" for name, (old, new) in pairs.items() if old != new)


def _written(registration: Registration) -> str:
    """The file."""
    lines = [
        f"# Registered before the campaign: what is read, when and of how many. Read on {registration.read_on}.",
        "# The evaluation obeys this file, and says where it does not. It is never written over.",
    ]
    for name, value in registration.model_dump().items():
        # JSON's text and truth values are TOML's; a date is written bare.
        lines.append(f"{name} = {value if isinstance(value, date) else json.dumps(value, ensure_ascii=False)}")
    return "\n".join(lines) + "\n"
