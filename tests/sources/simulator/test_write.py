"""Writing a retailer: the same bytes, the same first customers, and nobody's files lost."""

import json
import tracemalloc

import pandas as pd
import pyarrow as pa
import pytest
from loyalty.errors import SettingsError
from loyalty.settings import load_dataset
from loyalty.sources.simulator import Simulation, simulate, simulate_frames
from loyalty.sources.simulator.chunk import Retailer
from loyalty.sources.simulator.settings import CHUNK

SMALL = Simulation(customers=200, days=250)


@pytest.fixture
def root(tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "notebooks").mkdir()
    return tmp_path


def contents(root):
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def test_same_seed_same_bytes_other_seed_other_retailer(root, tmp_path_factory):
    again = tmp_path_factory.mktemp("again")
    for place in (root, again):
        simulate(SMALL.model_copy(update={"dirt": 0.02}), "shop", place)
    assert contents(root) == contents(again)
    other = simulate_frames(SMALL.model_copy(update={"seed": 2}))["transactions"]
    assert not simulate_frames(SMALL)["transactions"].equals(other)


@pytest.mark.parametrize("more", [300, CHUNK + 50])
def test_first_customers_are_the_same_in_a_larger_retailer(more):
    few, many = (simulate_frames(SMALL.model_copy(update={"customers": n})) for n in (200, more))
    assert few.keys() == many.keys()
    for name, table in few.items():
        if "customer" in table:
            first = many[name].query("customer <= 200").reset_index(drop=True)
            pd.testing.assert_frame_equal(table, first)
    assert many["truth_customers"]["customer"].tolist() == list(range(1, more + 1))


def test_chunks_do_not_depend_on_each_other():
    from loyalty.sources.simulator.chunk import draw_chunk

    retailer = Retailer.of(Simulation(customers=2 * CHUNK, days=200))
    second = draw_chunk(retailer, 1)["transactions"]
    assert [chunk["transactions"] for chunk in retailer.chunks()][1].equals(second)


def test_memory_does_not_grow_with_the_customers(root):
    """Peak of four chunks against the peak of one."""

    def peak(chunks):
        tracemalloc.start()
        simulate(Simulation(customers=chunks * CHUNK, days=200, plain=True), f"shop{chunks}", root)
        highest = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return highest + pa.total_allocated_bytes()

    peak(1)  # imports
    one = peak(2)
    assert peak(6) < 1.2 * one


@pytest.mark.parametrize(
    "extra", [{}, {"channel_ids": True}, {"dirt": 0.03}, {"plain": True}, {"members": 0.0, "campaign_every": 0}]
)
def test_the_dataset_file_names_tables_and_columns_that_are_there(root, extra):
    simulate(SMALL.model_copy(update=extra), "my_shop", root)
    dataset = load_dataset("my-shop", root)
    assert "imulated" in dataset.title
    assert "imulated" in dataset.notice
    named = set()
    for role in (
        "transactions",
        "products",
        "customers",
        "campaigns",
        "contacts",
        "redemptions",
        "points",
        "survey",
        "consent",
    ):
        for table in getattr(dataset, role) or ():
            named.add(table.source)
            columns = set(pd.read_parquet(root / table.source).columns)
            keys = table.model_dump(exclude_none=True)
            ours = {
                "source",
                "time_is",
                "decimal",
                "channel_is",
                "held_out",
                "thousands",
                "total_on_first_line",
                "contact_cost",
                "hold_out",
            }
            values = [value for key, value in keys.items() if key not in ours]
            wanted = {part for value in values for part in ([value] if isinstance(value, str) else value)}
            assert wanted <= columns
    assert "truth" not in " ".join(named)
    if dataset.events.table:
        named.add(dataset.events.table.source)
    if dataset.identity:
        named.add(dataset.identity[0].source)
    assert named == {str(path.relative_to(root)) for path in (root / "data/raw/my-shop").iterdir()}
    assert (dataset.programme.tiers != ()) == (dataset.points is not None)
    truth = json.loads((root / "data/raw/my-shop-truth/truth.json").read_text("utf-8"))
    assert truth["settings"]["seed"] == 1


def test_a_survey_changes_no_other_table(root):
    """Answers have random numbers of their own, and the truth about them a table of its own."""
    simulate(SMALL, "with", root)
    simulate(SMALL.model_copy(update={"surveyed": 0.0}), "without", root)
    files = contents(root)
    for place in ("data/raw/with", "data/raw/with-truth"):
        for name in {path.name for path in (root / place).iterdir()} - {"survey.parquet", "truth.json"}:
            assert files[f"{place}/{name}"] == files[f"{place.replace('with', 'without', 1)}/{name}"]
    assert not [name for name in files if name.startswith("data/raw/without") and "survey" in name]
    assert load_dataset("without", root).goals.nps is None
    assert load_dataset("with", root).goals.nps is not None


@pytest.mark.parametrize("dropout", ["geometric", "exponential", "none"])
def test_who_is_likely_to_leave_is_less_content(dropout):
    frames = simulate_frames(SMALL.model_copy(update={"customers": 2_000, "dropout": dropout, "surveyed": 0.5}))
    told = frames["survey"].merge(frames["truth_survey"], on="customer").merge(frames["truth_customers"], on="customer")
    assert told["score"].between(0, 10).all()
    assert (told["time"] < pd.Timestamp(SMALL.end)).all()
    leaving = told.filter(like="dropout_").squeeze(axis=1)
    if dropout == "none":
        assert told["contentment"].eq(0).all()
    else:
        assert told["contentment"].corr(leaving, method="spearman") == pytest.approx(-1)
        assert told["contentment"].corr(told["score"]) == pytest.approx(0.68, abs=0.07)


def test_goals_and_budget_lie_around_the_end_of_the_log(root):
    simulate(SMALL, "shop", root)
    dataset = load_dataset("shop", root)
    assert set(dataset.goals.dated) == {"churn", "order_value", "members", "redemption", "nps"}
    assert all(goal.starts < SMALL.end < goal.deadline for goal in dataset.goals.dated.values())
    assert list(dataset.budget.phases) == ["preparation", "launch", "evaluation"]
    assert dataset.programme.points.cost_per_point > 0


def test_channels_with_numbers_of_their_own_lead_back_to_the_customer():
    settings = SMALL.model_copy(update={"customers": 2_000})
    one, several = simulate_frames(settings), simulate_frames(settings.model_copy(update={"channel_ids": True}))
    keys = several["identity"]
    assert keys.groupby(["channel", "number"])["customer"].nunique().eq(1).all()
    assert keys.groupby("number")["customer"].nunique().gt(1).any()
    assert not keys["number"].isin(keys["customer"]).any()
    parts = [several[f"transactions_{channel}"].assign(channel=channel) for channel in ("store", "web", "app")]
    lines = pd.concat(parts).merge(keys, on=["number", "channel"], validate="many_to_one")
    order = ["customer", "receipt", "product"]
    back = lines[one["transactions"].columns].sort_values(order).reset_index(drop=True)
    pd.testing.assert_frame_equal(back, one["transactions"].sort_values(order).reset_index(drop=True))


def test_nothing_is_written_over(root):
    simulate(SMALL, "shop", root)
    before = contents(root)
    with pytest.raises(SettingsError, match=r"data/raw/shop is there already: .* --force"):
        simulate(SMALL, "shop", root)
    assert contents(root) == before


def test_force_replaces_a_simulated_retailer_whole(root):
    simulate(SMALL.model_copy(update={"channel_ids": True}), "shop", root)
    simulate(SMALL, "shop", root, force=True)
    names = {path.name for path in (root / "data/raw/shop").iterdir()}
    assert "transactions.parquet" in names
    assert "transactions_web.parquet" not in names
    assert load_dataset("shop", root).identity is None
    assert sorted(path.name for path in (root / "data/raw").iterdir()) == ["shop", "shop-truth"]


@pytest.mark.parametrize(
    ("mine", "complaint"),
    [
        ("data/shop.toml", r"data/shop\.toml was not written by a simulation"),
        ("data/raw/shop/orders.csv", r"data/raw/shop holds orders\.csv, which no simulation wrote"),
        ("data/raw/shop-truth/notes.txt", r"data/raw/shop-truth holds notes\.txt"),
        ("data/raw/shop", r"data/raw/shop holds shop"),
    ],
)
def test_even_force_spares_what_no_simulation_wrote(root, mine, complaint):
    path = root / mine
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("mine", "utf-8")
    with pytest.raises(SettingsError, match=complaint):
        simulate(SMALL, "shop", root, force=True)
    assert contents(root) == {mine: b"mine"}


def test_a_failure_half_way_leaves_nothing(root):
    def stop(_):
        raise KeyboardInterrupt("enough")

    with pytest.raises(KeyboardInterrupt, match="enough"):
        simulate(SMALL, "shop", root, progress=stop)
    assert contents(root) == {}


@pytest.mark.parametrize("name", ["../shop", "Shop", "", "a b", "shop/x", "shop-truth"])
def test_names_that_no_dataset_can_have(root, name):
    with pytest.raises(SettingsError, match=r"name: expected (small letters|one that does not end)"):
        simulate(SMALL, name, root)


def test_progress_ends_with_all_customers(root):
    told = []
    simulate(Simulation(customers=CHUNK + 10, days=100, plain=True), "shop", root, progress=told.append)
    assert told[0] == CHUNK
    assert told[-1] == CHUNK + 10


@pytest.mark.parametrize(
    "odd",
    [
        {"customers": 1},
        {"days": 1},
        {"days": 3, "dirt": 0.15},
        {"members": 0.0},
        {"hold_out": 1.0},
        {"reach": 0.0},
        {"stores": 1, "products": 50, "tiers": ()},
        {"r": 0.01},
        {"a": 0.01, "b": 0.01},
        {"lift": -0.9, "lift_spread": 0.0},
        {"returned": 0.5},
        {"season": 0.0, "founders": 0.0, "dropout": "none"},
    ],
)
def test_odd_retailers_can_be_made(root, odd):
    simulate(SMALL.model_copy(update=odd), "shop", root)
    load_dataset("shop", root)
    truth = pd.read_parquet(root / "data/raw/shop-truth/customers.parquet")
    assert truth.drop(columns="left").notna().all(axis=None)
    assert (truth["orders"] > 0).all() or odd.get("lift", 0) < 0
