"""A retailer whose every name is an attack on the page that shows it."""

import re
from pathlib import Path

import pandas as pd
from loyalty.sources.simulator.settings import Simulation
from loyalty.sources.simulator.write import simulate

SCRIPT, IMAGE = "<script>alert(1)</script>", '"><img src=x onerror=alert(2)>'
LINK = "[prize](https://evil.example/)"
ATTACKS = (SCRIPT, IMAGE, LINK)
NAMES = {
    "campaigns": ("campaign", "kind"),
    "contacts": ("campaign",),
    "redemptions": ("campaign",),
    "customers": ("age_band", "region"),
    "products": ("category",),
    "events": ("name",),
    "transactions": ("channel", "store"),
}
"""Columns of each table that hold a name that the retailer was free to choose."""


def attack(value: object) -> str:
    """The same attack for the same name, so that tables still join; three kinds of them among a few names."""
    name = str(value)
    return f"{ATTACKS[sum(map(ord, name)) % len(ATTACKS)]} {name}"


def make(root: Path, name: str = "nasty", **asked: object) -> Path:
    """Simulate a retailer below `root`, and put an attack before each of its names.

    Parameters
    ----------
    root : of the project; gets `data/NAME.toml` and `data/raw/NAME/`.
    asked : settings of the simulation.

    Returns
    -------
    The dataset file.
    """
    described = simulate(Simulation.checked(**asked), name, root, force=False, progress=lambda _: None)
    for table, columns in NAMES.items():
        file = root / "data" / "raw" / name / f"{table}.parquet"
        frame = pd.read_parquet(file)
        for column in columns:
            frame[column] = frame[column].map(attack, na_action="ignore")
        frame.to_parquet(file, index=False)
    described.write_text(_attacked(described.read_text("utf-8")), "utf-8")
    return described


def _attacked(toml: str) -> str:
    """The dataset file with an attack in its title, its notice, its tiers and its happenings."""
    toml = re.sub(
        r'^(title|notice) = "(.*)"$', lambda found: f"{found[1]} = '{SCRIPT} {found[2]} {IMAGE}'", toml, flags=re.M
    )
    toml = re.sub(r'"(Silver|Gold|Platinum)"( =)', lambda found: f"'{attack(found[1])}'{found[2]}", toml)
    return re.sub(
        r'name = "(.*?)"', lambda found: f"name = '{attack(found[1])[:40]}'", toml
    )  # no longer are they let be
