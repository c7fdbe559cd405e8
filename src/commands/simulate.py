"""`loyalty simulate`: a synthetic retailer with known truth."""

import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from ..errors import SettingsError


class Dropout(StrEnum):
    """How customers leave."""

    geometric = "geometric"
    exponential = "exponential"
    none = "none"


def simulate(
    name: Annotated[str, typer.Argument(help="Of the dataset to be made, such as my-shop.")],
    customers: Annotated[int, typer.Option(metavar="N", help="How many.")] = 10_000,
    days: Annotated[int, typer.Option(metavar="N", help="Length of the log.")] = 730,
    seed: Annotated[int, typer.Option(metavar="N", help="Another seed is another retailer.")] = 1,
    dropout: Annotated[
        Dropout, typer.Option(help="Customers leave after a purchase (BG/NBD), at any time (Pareto/NBD), or never.")
    ] = Dropout.geometric,
    regularity: Annotated[
        str, typer.Option(metavar="K[,K]", help="Erlang-k times between purchases; 1 is Poisson, more is steadier.")
    ] = "1,2,4",
    season: Annotated[float, typer.Option(metavar="X", help="Strength of week and year, 0 to 1.")] = 1.0,
    campaign_every: Annotated[int, typer.Option(metavar="DAYS", help="From campaign to campaign; 0 for none.")] = 60,
    hold_out: Annotated[float, typer.Option(metavar="SHARE", help="Of randomised campaigns, not contacted.")] = 0.2,
    returns: Annotated[float, typer.Option(metavar="SHARE", help="Of lines, brought back.")] = 0.03,
    survey: Annotated[float, typer.Option(metavar="SHARE", help="Of orders after which a survey is answered.")] = 0.1,
    dirt: Annotated[float, typer.Option(metavar="SHARE", help="Of lines, with something wrong; at most 0.15.")] = 0.0,
    channel_ids: Annotated[
        bool, typer.Option("--channel-ids", help="Each channel has its own customer numbers, and its own file.")
    ] = False,
    plain: Annotated[
        bool, typer.Option("--plain", help="Transactions only: no returns, discounts, programme or campaigns.")
    ] = False,
    lines_per_customer: Annotated[
        float | None, typer.Option(metavar="X", help="Mean, by which the purchase rate is set; 10 if --plain.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Write over a simulated retailer of this name.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Write the result as JSON.")] = False,
) -> None:
    """Make a synthetic retailer of whom the truth is known: tables, dataset file and truth below data/."""
    from ..settings import project_root
    from ..sources.simulator.settings import Simulation

    asked = {
        "customers": customers, "days": days, "seed": seed,
        "dropout": dropout.value, "regularity": _numbers(regularity), "season": season,
        "campaign_every": campaign_every, "hold_out": hold_out, "returned": returns,
        "surveyed": survey, "dirt": dirt,
        "channel_ids": channel_ids, "plain": plain,
        "lines_per_customer": 10.0 if plain and lines_per_customer is None else lines_per_customer,
    }  # fmt: skip
    settings = Simulation.checked(**asked)
    root = project_root()
    described = _written(settings, name, root, force)
    title = described.stem.replace("_", "-")
    if as_json:
        facts = {"dataset": title, "file": str(described), "truth": str(root / "data" / "raw" / f"{title}-truth")}
        typer.echo(json.dumps(facts | {"settings": settings.model_dump(mode="json")}, indent=2))
        return
    typer.echo(
        f"Simulated: {settings.customers:,} customers over {settings.days:,} days in data/raw/{title}/\n"
        f"Truth:     data/raw/{title}-truth/\n"
        f"Described: data/{described.name}\n"
        f"Next:      loyalty check {title}"
    )


def _numbers(text: str) -> tuple[int, ...]:
    """Whole numbers with commas between them."""
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError:
        raise SettingsError(f"--regularity: expected whole numbers such as 1 or 1,2,4, found {text!r}") from None


def _written(settings: Any, name: str, root: Path, force: bool) -> Path:
    """Simulate with a bar on standard error, which a terminal alone shows."""
    from rich.console import Console
    from rich.progress import Progress

    from ..sources.simulator.write import simulate as write

    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("Customers", total=settings.customers)
        return write(settings, name, root, force=force, progress=lambda done: bar.update(task, completed=done))
