"""What `loyalty design` prints: how large a campaign must be to show its effect, in tables and in plain words."""

import json
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from ..designs import Desk
    from ..study import Study


def to_json(study: "Study", found: "Desk", path: "Path | None") -> str:
    """All of `Desk.to_dict`, for a program; what is not known is null."""
    head = {
        "dataset": study.name,
        "as_of": study.as_of.isoformat(),
        "run": study.key,
        "currency": found.currency if found.metric == "spend" else None,
        "registered": str(path) if path else None,
    }
    return json.dumps(head | found.to_dict(), indent=2, ensure_ascii=False, allow_nan=False)


def show(study: "Study", found: "Desk", path: "Path | None", console: "Console | None" = None) -> None:
    """The same for a person."""
    from rich.console import Console
    from rich.text import Text

    from ..reporting.design_words import basis, sentences

    console = console or Console()
    console.print(Text(f"{study.dataset.title}: {basis(found)}"))
    for table in (_hold_outs(found), _durations(found), _curve(found)):
        console.print()
        console.print(table)
    console.print()
    for sentence in sentences(found):
        console.print(Text(sentence))
    if path is not None:
        console.print(Text(f"Registered: {path.relative_to(study.root)}; the evaluation obeys it."))


def register(study: "Study", found: "Desk", campaign: str, starts: str | None) -> Path:
    """Write down what will be read of a campaign: below data/registered/.

    Raises
    ------
    SettingsError
        If there is no least effect, the first day is no date, or the campaign is registered otherwise.
    """
    from ..errors import SettingsError
    from ..programme import registry
    from ..settings import parse_date

    if found.effect is None:
        raise SettingsError("--register: expected --minimum-effect beside it, such as 5%: what size is worth finding?")
    if found.plan.arms > 1:
        raise SettingsError(f"--register: expected one arm, found {found.plan.arms}; register each arm as a campaign")
    today = datetime.now(ZoneInfo(study.dataset.timezone)).date()
    first = parse_date(starts, study.dataset.timezone) or max(today, study.as_of)
    registry.path_of(campaign, study.name, study.root)
    said = {
        "campaign": campaign,
        "metric": found.metric,
        "starts": first,
        "days": found.days,
        "customers": found.customers,
        "hold_out": found.plan.hold_out,
        "minimum_effect": found.effect,
        "power": found.plan.power,
        "one_sided": found.plan.one_sided,
        "covariate": found.variation.covariate,
        "registered_on": today,
    }
    registration = registry.Registration.model_validate(said)
    return registry.register(registration, study.name, study.root)


def _hold_outs(found: "Desk") -> "Table":
    from ..reporting.words import percent

    rows = [[percent(row.hold_out), f"{row.held_out:,}", *_least(found, row)] for row in found.hold_outs().itertuples()]
    headings = ["Held out", "Customers", "Least effect", "of the mean", "with CUPED", "of the mean"]
    return _table(f"Least effect that shows with a chance of {percent(found.plan.power)}", headings, rows)


def _durations(found: "Desk") -> "Table":
    from ..reporting.design_words import written
    from ..reporting.words import percent

    rows = [[f"{row.days:,}", written(found, row.mean), *_least(found, row)] for row in found.durations().itertuples()]
    headings = ["Days", "Mean", "Least effect", "of the mean", "with CUPED", "of the mean"]
    return _table(
        f"The same by how long customers are watched, {percent(found.plan.hold_out)} held out", headings, rows
    )


def _curve(found: "Desk") -> "Table":
    from ..reporting.design_words import written
    from ..reporting.words import percent

    rows = [
        [written(found, row.effect, True), percent(row.relative), percent(row.plain), percent(row.cuped)]
        for row in found.curve().itertuples()
    ]
    return _table("Chance that an effect shows", ["Effect", "of the mean", "Plain", "With CUPED"], rows)


def _least(found: "Desk", row: Any) -> list[str]:
    from ..reporting.design_words import written
    from ..reporting.words import percent

    return [
        written(found, row.plain, True), percent(row.plain_relative),
        written(found, row.cuped, True), percent(row.cuped_relative),
    ]  # fmt: skip


def _table(title: str, headings: list[str], rows: list[list[str]]) -> "Table":
    from rich.table import Table
    from rich.text import Text

    table = Table(title=title, title_justify="left")
    for heading in headings:
        table.add_column(heading, justify="right")
    for row in rows:
        table.add_row(*map(Text, row))
    return table
