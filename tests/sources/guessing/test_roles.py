"""Roles guessed from names in six languages and from contents, and the doubts that are told."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from loyalty.errors import DataError
from loyalty.sources.guessing.dates import read_times
from loyalty.sources.guessing.evidence import is_product, once_an_order, one_each, same_on_every_line
from loyalty.sources.guessing.guesses import Guesses
from loyalty.sources.guessing.profile import profile
from loyalty.sources.guessing.roles import guess_roles
from loyalty.sources.guessing.vocabulary import meaning
from loyalty.sources.guessing.writing import NumberStyle, read_numbers

WHERE = "data/shop.toml: transactions"
LINES = 1200


def text(values: list[str] | None) -> pd.Series:
    return pd.Series(values, dtype="string")


@pytest.fixture(scope="module")
def log() -> pd.DataFrame:
    """Receipts of one to three lines, each of one of 90 customers, over a year."""
    random = np.random.default_rng(7)
    order = np.sort(random.integers(0, 600, LINES))
    customer, day = random.integers(0, 90, 600), random.integers(0, 365, 600)
    second = random.integers(8 * 3600, 20 * 3600, 600)
    time = pd.Timestamp("2024-01-01") + pd.to_timedelta(day[order], unit="D") + pd.to_timedelta(second[order], unit="s")
    amount = random.gamma(3, 8, LINES).round(2) + 0.01
    frame = pd.DataFrame({"customer": [f"K{customer[at]:05d}" for at in order], "time": time, "amount": amount})
    frame["order"] = order + 100_000
    frame["product"] = random.integers(10_000, 10_080, LINES)
    frame["category"] = random.choice(["a", "b", "c", "d"], LINES)
    frame["store"] = random.integers(1, 9, LINES)
    frame["channel"] = random.choice(["app", "till"], LINES)
    frame["off"] = (random.gamma(1, 2, LINES) * (random.random(LINES) < 0.3)).round(2)
    frame["quantity"] = random.integers(1, 5, LINES)
    frame["phone"] = [f"138{customer[at]:08d}" for at in order]
    frame["other_day"] = time + pd.Timedelta(days=3)
    frame["line"] = np.arange(LINES) + 1
    frame["city"] = random.choice(["x", "y", "z"], LINES)
    frame["share"] = random.choice([0.0, 0.1, 0.25], LINES)
    return frame


def point(numbers: pd.Series) -> list[str]:
    return [f"{value:.2f}" for value in numbers]


def comma(numbers: pd.Series) -> list[str]:
    return [f"{value:.2f}".replace(".", ",") for value in numbers]


def made(log: pd.DataFrame, columns: dict[str, str], clock: str, money: Callable[[pd.Series], list[str]]) -> Guesses:
    """Guesses on a log whose columns are called otherwise, as text: name → column of `log`."""
    frame = {}
    for name, of in columns.items():
        if pd.api.types.is_datetime64_any_dtype(log[of]):
            frame[name] = text(list(log[of].dt.strftime(clock)))
        elif pd.api.types.is_float_dtype(log[of]):
            frame[name] = text(money(log[of]))
        else:
            frame[name] = log[of].astype("string")
    return guess_roles(pd.DataFrame(frame), WHERE)


def chosen(guesses: Guesses) -> dict[str, Any]:
    return {
        role: guess.chosen if role in ("discount", "coupon") else guess.chosen[0]
        for role, guess in guesses.roles.items()
        if guess.chosen
    }


SHOPS = {
    "English web shop": (
        {"OrderID": "order", "CustomerID": "customer", "Order Date": "time", "Ship Date": "other_day", "SKU": "product",
         "Category": "category", "City": "city", "Qty": "quantity", "Line Total": "amount", "Discount %": "share",
         "Discount Amount": "off", "Sales Channel": "channel"},
        "%m/%d/%Y %H:%M", point, "en",
        {"customer": "CustomerID", "time": "Order Date", "order": "OrderID", "amount": "Line Total", "product": "SKU",
         "category": "Category", "discount": ("Discount Amount",), "channel": "Sales Channel"},
    ),
    "English till, snake case": (
        {"trans_id": "order", "trans_dt": "time", "cust_no": "customer", "store_nbr": "store", "upc": "product",
         "dept": "category", "sales_amt": "amount", "coupon_amt": "off"},
        "%Y%m%d", point, "en",
        {"customer": "cust_no", "time": "trans_dt", "order": "trans_id", "amount": "sales_amt", "product": "upc",
         "category": "dept", "store": "store_nbr", "discount": ("coupon_amt",), "coupon": ("coupon_amt",)},
    ),
    "Chinese": (
        {"序号": "line", "会员卡号": "customer", "手机号码": "phone", "订单编号": "order", "下单时间": "time",
         "发货时间": "other_day", "商品编码": "product", "商品类别": "category", "数量": "quantity", "优惠金额": "off",
         "实付金额": "amount", "门店名称": "store", "销售渠道": "channel"},
        "%Y年%m月%d日 %H:%M", point, "zh",
        {"customer": "会员卡号", "time": "下单时间", "order": "订单编号", "amount": "实付金额", "product": "商品编码",
         "category": "商品类别", "store": "门店名称", "channel": "销售渠道", "discount": ("优惠金额",)},
    ),
    "Chinese, traditional": (
        {"會員編號": "customer", "消費日期": "time", "訂單號碼": "order", "金額": "amount", "門市": "store"},
        "%Y/%m/%d", point, "zh",
        {"customer": "會員編號", "time": "消費日期", "order": "訂單號碼", "amount": "金額", "store": "門市"},
    ),
    "German": (
        {"kd_nr": "customer", "Bon-Nr.": "order", "Kaufdatum": "time", "Lieferdatum": "other_day", "Filiale": "store",
         "ArtikelNr": "product", "Warengruppe": "category", "Menge": "quantity", "Rabatt": "off", "Umsatz": "amount",
         "Ort": "city"},
        "%d.%m.%Y %H:%M", comma, "de",
        {"customer": "kd_nr", "time": "Kaufdatum", "order": "Bon-Nr.", "amount": "Umsatz", "product": "ArtikelNr",
         "category": "Warengruppe", "store": "Filiale", "discount": ("Rabatt",)},
    ),
    "German, long words": (
        {"Kundenkartennummer": "customer", "Rechnungsnummer": "order", "Rechnungsdatum": "time",
         "Rechnungsbetrag": "amount", "Vertriebskanal": "channel", "Zahlungsart": "city"},
        "%d.%m.%y", comma, "de",
        {"customer": "Kundenkartennummer", "time": "Rechnungsdatum", "order": "Rechnungsnummer",
         "amount": "Rechnungsbetrag", "channel": "Vertriebskanal"},
    ),
    "French": (
        {"Numéro client": "customer", "Date d'achat": "time", "Date de livraison": "other_day", "N° ticket": "order",
         "Réf. article": "product", "Rayon": "category", "Quantité": "quantity", "Remise": "off",
         "Montant TTC": "amount", "Magasin": "store"},
        "%d/%m/%Y %H:%M:%S", comma, "fr",
        {"customer": "Numéro client", "time": "Date d'achat", "order": "N° ticket", "amount": "Montant TTC",
         "product": "Réf. article", "category": "Rayon", "store": "Magasin", "discount": ("Remise",)},
    ),
    "Spanish": (
        {"n_cliente": "customer", "fecha_compra": "time", "fecha_entrega": "other_day", "num_factura": "order",
         "cod_articulo": "product", "Familia": "category", "Unidades": "quantity", "Descuento": "off",
         "importe_total": "amount", "Tienda": "store", "Provincia": "city"},
        "%d/%m/%Y", comma, "es",
        {"customer": "n_cliente", "time": "fecha_compra", "order": "num_factura", "amount": "importe_total",
         "product": "cod_articulo", "category": "Familia", "store": "Tienda", "discount": ("Descuento",)},
    ),
    "Portuguese": (
        {"Código do Cliente": "customer", "Data da Venda": "time", "Nº Pedido": "order", "cod_produto": "product",
         "Categoria": "category", "Qtde": "quantity", "Desconto": "off", "Valor Total (R$)": "amount", "Loja": "store",
         "Canal": "channel"},
        "%d/%m/%Y %H:%M", comma, "pt",
        {"customer": "Código do Cliente", "time": "Data da Venda", "order": "Nº Pedido", "amount": "Valor Total (R$)",
         "product": "cod_produto", "category": "Categoria", "store": "Loja", "channel": "Canal",
         "discount": ("Desconto",)},
    ),
    "no name says anything": (
        {"a": "customer", "b": "time", "c": "amount"}, "%Y-%m-%d", point, "en",
        {"customer": "a", "time": "b", "amount": "c"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("shop", SHOPS)
def test_roles_are_found_by_name_and_content(shop: str, log: pd.DataFrame) -> None:
    columns, clock, money, language, expected = SHOPS[shop]
    guesses = made(log, columns, clock, money)
    assert chosen(guesses) == expected
    assert guesses.language == language
    reading, numbers = guesses.reading(), guesses.profiles[expected["amount"]].reading
    assert reading is not None
    assert reading.formats == (None if clock == "%Y-%m-%d" else clock,)
    assert numbers is not None
    assert numbers.style == NumberStyle("," if money is comma else ".")


def test_typed_columns_need_no_format(log: pd.DataFrame) -> None:
    guesses = guess_roles(log[["customer", "time", "amount", "order"]], WHERE)
    assert chosen(guesses) == {name: name for name in ("customer", "time", "amount", "order")}
    reading = guesses.reading()
    assert reading is not None
    assert reading.formats == (None,)


# Cases that mislead


def test_an_id_is_preferred_to_a_name_and_to_an_address(log: pd.DataFrame) -> None:
    log = log.assign(email=log["customer"] + "@shop.example", full=log["customer"] + " Ann")
    columns = {"email": "email", "customer_name": "full", "customer_id": "customer", "date": "time", "amount": "amount"}
    guess = made(log, columns, "%Y-%m-%d", point).roles["customer"]
    assert guess.chosen == ("customer_id",)
    assert [candidate.column for candidate in guess.candidates] == ["customer_id", "customer_name", "email"]


def test_an_address_is_taken_where_there_is_nothing_else_and_said(log: pd.DataFrame) -> None:
    log = log.assign(email=log["customer"] + "@shop.example")
    guess = made(log, {"email": "email", "date": "time", "amount": "amount"}, "%Y-%m-%d", point).roles["customer"]
    assert guess.chosen == ("email",)
    assert guess.candidates[0].confidence == "low"
    assert "personal data" in " ".join(guess.candidates[0].evidence)


def test_two_numbers_of_a_customer_are_a_question_unless_they_are_one_to_one(log: pd.DataFrame) -> None:
    columns = {"customer_id": "customer", "client_no": "twin", "date": "time", "amount": "amount"}
    twins = made(log.assign(twin="T" + log["customer"]), columns, "%Y-%m-%d", point)
    assert twins.roles["customer"].chosen == ("customer_id",)
    household = log.assign(twin="H" + (log["customer"].str[1:].astype(int) // 3).astype(str))
    apart = made(household, columns, "%Y-%m-%d", point).roles["customer"]
    assert apart.undecided
    assert {candidate.column for candidate in apart.candidates} == {"customer_id", "client_no"}


def test_two_dates_of_the_order_are_a_question_unless_they_are_the_same_day(log: pd.DataFrame) -> None:
    columns = {"customer": "customer", "order_date": "time", "invoice_date": "other_day", "amount": "amount"}
    assert made(log, columns, "%Y-%m-%d", point).roles["time"].undecided
    same = log.assign(other_day=log["time"] + pd.Timedelta(minutes=1))
    assert made(same, columns, "%Y-%m-%d %H:%M", point).roles["time"].chosen == ("order_date",)


@pytest.mark.parametrize("names", [("gross_amount", "net_amount"), ("Umsatz brutto", "Umsatz netto"), ("TTC", "HT")])
def test_net_comes_before_gross(names: tuple[str, str], log: pd.DataFrame) -> None:
    gross, net = names
    log = log.assign(gross=log["amount"] * 1.19)
    guesses = made(log, {"customer": "customer", "date": "time", gross: "gross", net: "amount"}, "%Y-%m-%d", point)
    assert guesses.roles["amount"].chosen == (net,)


def test_a_total_of_the_order_on_its_lines_is_not_the_amount(log: pd.DataFrame) -> None:
    total = log.groupby("order")["amount"].transform("sum")
    log = log.assign(total=total)
    columns = {"customer": "customer", "date": "time", "order_id": "order", "order_total": "total"}
    both = made(log, columns | {"line_amount": "amount"}, "%Y-%m-%d", point).roles["amount"]
    assert both.chosen == ("line_amount",)
    alone = made(log, columns, "%Y-%m-%d", point).roles["amount"]
    assert alone.undecided
    assert "count it several times" in alone.candidates[0].doubt
    receipts = log.drop_duplicates("order").reset_index(drop=True)
    assert made(receipts, columns, "%Y-%m-%d", point).roles["amount"].chosen == ("order_total",)


def test_a_total_on_the_first_line_of_each_order_is_the_amount(log: pd.DataFrame) -> None:
    first = ~log.duplicated("order")
    total = log.groupby("order")["amount"].transform("sum").where(first)
    log = log.assign(total=total.map("{:.2f}".format).where(first), sub=(total * 0.8).map("{:.2f}".format).where(first))
    log = log.assign(number="#" + log["order"].astype(str))
    columns = {"Email": "customer", "Created at": "time", "Name": "number", "Subtotal": "sub", "Total": "total",
               "Lineitem price": "amount", "Lineitem quantity": "quantity", "Lineitem sku": "product"}  # fmt: skip
    guesses = made(log, columns, "%Y-%m-%d %H:%M", point)
    assert chosen(guesses) == {
        "customer": "Email", "time": "Created at", "order": "Name", "amount": "Total", "product": "Lineitem sku"
    }  # fmt: skip
    best = guesses.roles["amount"].candidates[0]
    assert best.once
    assert "on one line of each Name, blank on its others" in best.evidence


def test_a_price_of_one_piece_is_multiplied_unless_the_log_has_the_total(log: pd.DataFrame) -> None:
    columns = {"CustomerID": "customer", "InvoiceDate": "time", "UnitPrice": "amount", "Quantity": "quantity"}
    guess = made(log, columns, "%m/%d/%Y %H:%M", point).roles["amount"]
    assert guess.chosen == ("UnitPrice",)
    assert guess.candidates[0].times == "Quantity"
    assert "the price of one piece, and Quantity says how many" in guess.candidates[0].evidence
    log = log.assign(total=log["amount"] * log["quantity"])
    known = made(log, columns | {"Value": "total"}, "%m/%d/%Y %H:%M", point).roles["amount"]
    assert known.chosen == ("Value",)
    assert "is UnitPrice × Quantity" in known.candidates[0].evidence
    assert known.candidates[0].times is None
    pieces = made(log.assign(quantity=1), columns, "%m/%d/%Y %H:%M", point).roles["amount"]
    assert (pieces.chosen, pieces.candidates[0].times) == (("UnitPrice",), None)


def test_a_number_of_the_line_is_no_order(log: pd.DataFrame) -> None:
    columns = {"customer": "customer", "date": "time", "amount": "amount", "order_item_id": "line", "line_no": "line"}
    assert "order" not in made(log, columns, "%Y-%m-%d", point).roles


def test_an_order_belongs_to_one_customer(log: pd.DataFrame) -> None:
    log = log.assign(shared=log["order"] % 40)
    columns = {"customer": "customer", "date": "time", "amount": "amount", "receipt": "shared"}
    assert "order" not in made(log, columns, "%Y-%m-%d", point).roles


def test_a_sum_of_discounts_is_not_counted_again(log: pd.DataFrame) -> None:
    log = log.assign(coupon=log["off"].to_numpy()[::-1], both=log["off"] + log["off"].to_numpy()[::-1])
    columns = {"customer": "customer", "date": "time", "amount": "amount", "discount": "off", "coupon_disc": "coupon",
               "discount_total": "both"}  # fmt: skip
    guesses = made(log, columns, "%Y-%m-%d", point)
    assert set(guesses.roles["discount"].chosen) == {"discount", "coupon_disc"}
    assert guesses.roles["coupon"].chosen == ("coupon_disc",)


def test_names_of_a_currency_that_are_no_codes_are_left_out(log: pd.DataFrame) -> None:
    columns = {"customer": "customer", "date": "time", "amount": "amount", "currency": "money"}
    assert made(log.assign(money="EUR"), columns, "%Y-%m-%d", point).roles["currency"].chosen == ("currency",)
    assert "currency" not in made(log.assign(money="€"), columns, "%Y-%m-%d", point).roles


def test_columns_that_are_empty_or_constant_are_no_customers(log: pd.DataFrame) -> None:
    log = log.assign(nobody=pd.NA, always="1")
    columns = {"customer_id": "nobody", "client_id": "always", "card": "customer", "date": "time", "amount": "amount"}
    assert made(log, columns, "%Y-%m-%d", point).roles["customer"].chosen == ("card",)


@pytest.mark.slow
def test_three_hundred_columns(log: pd.DataFrame) -> None:
    more = pd.DataFrame({f"x{at}": log["share"].astype("string") for at in range(297)})
    frame = pd.concat([log[["customer", "time", "amount"]], more], axis=1)
    assert chosen(guess_roles(frame, WHERE)) == {"customer": "customer", "time": "time", "amount": "amount"}


EXPORTS = {
    "a web shop's own": (
        {"Email": "email", "Financial Status": "city", "Paid at": "other_day", "Currency": "city", "Total": "amount",
         "Discount Amount": "off", "Created at": "time", "Lineitem price": "share", "Billing Name": "customer"},
        {"customer": "Email", "time": "Created at", "amount": "Total"},
    ),
    "a market place, Chinese": (
        {"订单编号": "order", "买家会员名": "customer", "买家实际支付金额": "amount", "订单创建时间": "time",
         "订单付款时间": "other_day", "收货地址": "city", "联系手机": "phone", "店铺名称": "store"},
        {"customer": "买家会员名", "time": "订单创建时间", "amount": "买家实际支付金额", "order": "订单编号"},
    ),
    "a table of an accounting system": (
        {"KUNNR": "customer", "VBELN": "order", "FKDAT": "time", "MATNR": "product", "NETWR": "amount"},
        {"customer": "KUNNR", "time": "FKDAT", "amount": "NETWR", "order": "VBELN", "product": "MATNR"},
    ),
    "a till, French": (
        {"date": "time", "heure": "line", "n_ticket": "order", "carte_fid": "customer", "pu_ttc": "share",
         "ca_ttc": "off", "ca_ht": "amount", "code_article": "product", "sous_famille": "city", "famille": "category"},
        {"customer": "carte_fid", "time": "date", "amount": "ca_ht", "order": "n_ticket", "category": "famille"},
    ),
    "a till, Brazilian": (
        {"DT_VENDA": "time", "NR_CUPOM": "order", "CPF_CLIENTE": "customer", "VL_UNITARIO": "share",
         "VL_TOTAL": "amount", "VL_DESCONTO": "off", "COD_LOJA": "store", "FORMA_PAGTO": "city"},
        {"customer": "CPF_CLIENTE", "time": "DT_VENDA", "amount": "VL_TOTAL", "order": "NR_CUPOM"},
    ),
    "a table of a course": (
        {"Row ID": "line", "Order ID": "order", "Order Date": "time", "Ship Date": "other_day", "Ship Mode": "city",
         "Customer ID": "customer", "Segment": "city", "Postal Code": "store", "Product ID": "product",
         "Sub-Category": "channel", "Category": "category", "Sales": "amount", "Discount": "share"},
        {"customer": "Customer ID", "time": "Order Date", "amount": "Sales", "order": "Order ID",
         "category": "Category", "discount": None},
    ),
}  # fmt: skip


@pytest.mark.parametrize("export", EXPORTS)
def test_headings_of_common_exports(export: str, log: pd.DataFrame) -> None:
    columns, expected = EXPORTS[export]
    log = log.assign(email=log["customer"] + "@shop.example")
    found = chosen(made(log, columns, "%Y-%m-%d %H:%M", point))
    assert {role: found.get(role) for role in expected} == expected


def test_a_customer_who_is_new_with_every_order_is_none(log: pd.DataFrame) -> None:
    log = log.assign(once="N" + log["order"].astype(str))
    columns = {
        "order_id": "order",
        "customer_id": "once",
        "customer_unique_id": "customer",
        "date": "time",
        "paid": "amount",
    }
    guess = made(log, columns, "%Y-%m-%d", point).roles["customer"]
    assert guess.chosen == ("customer_unique_id",)
    assert "each with one order_id only" in guess.candidates[1].evidence


def test_a_better_name_with_a_doubt_is_asked_about(log: pd.DataFrame) -> None:
    total = log.groupby("order")["amount"].transform("sum")
    columns = {"customer": "customer", "date": "time", "order_id": "order", "amount_paid": "total", "xyz": "amount"}
    guess = made(log.assign(total=total), columns, "%Y-%m-%d", point).roles["amount"]
    assert guess.undecided
    assert {candidate.column for candidate in guess.candidates} == {"xyz", "amount_paid"}


# What is refused


@pytest.mark.parametrize(
    ("frame", "told"),
    [
        (pd.DataFrame({"customer": [], "date": [], "amount": []}), "there are no rows below the heading"),
        (pd.DataFrame({"customer;date;amount": ["a;2024-01-01;3"]}), "1 column .*unusual delimiter"),
        (
            pd.DataFrame({"K001": ["K002"], "2024-01-31": ["2024-02-01"], "12.50": ["3"]}),
            "the first row looks like data .*expected a heading",
        ),
        (
            pd.DataFrame({"sku": ["a", "b"], "category": ["x", "y"], "price": ["1.5", "2.5"]}),
            "no column looks like the customer or the time of a purchase; expected a purchase log .*found 'sku'",
        ),
    ],
    ids=["no rows", "one column", "no heading", "products"],
)
def test_what_is_no_log_is_refused_in_one_line(frame: pd.DataFrame, told: str) -> None:
    with pytest.raises(DataError, match=told) as caught:
        guess_roles(frame.astype("string"), WHERE)
    assert str(caught.value).startswith(f"{WHERE}: ")
    assert "\n" not in str(caught.value)


# Values


@pytest.mark.parametrize(
    ("values", "formats"),
    [
        (["2024-01-31", "2023-12-01"], (None,)),
        (["2024-01-31T08:15:00Z", "2024-01-31 08:15:00.250+01:00"], (None,)),
        (["2024/1/31 9:05", "2024/12/1 10:00"], ("%Y/%m/%d %H:%M",)),
        (["31.01.2024", "1.2.2024"], ("%d.%m.%Y",)),
        (["31.01.24 08:15:59"], ("%d.%m.%y %H:%M:%S",)),
        (["31/01/2024, 08:15"], ("%d/%m/%Y, %H:%M",)),
        (["12/1/2010 8:26", "1/31/2011 12:00"], ("%m/%d/%Y %H:%M",)),
        (["01-31-2024"], ("%m-%d-%Y",)),
        (["20240131", "20240201"], ("%Y%m%d",)),
        (["31012024"], ("%d%m%Y",)),
        (["20240131081500"], ("%Y%m%d%H%M%S",)),
        (["2024年1月31日"], ("%Y年%m月%d日",)),
        (["2024年01月31日 08时15分30秒"], ("%Y年%m月%d日 %H时%M分%S秒",)),
        (["31.01.2024 08:15 Uhr"], ("%d.%m.%Y %H:%M Uhr",)),
        (["01/02/2024", "03/04/2024"], ("%d/%m/%Y", "%m/%d/%Y")),
        (["01/02/2024"] * 9 + ["13/04/2024"], ("%d/%m/%Y",)),
        ([f"{day:02}.03.2024" for day in range(1, 30)] + ["unknown"], ("%d.%m.%Y",)),
        (["1/31/2024 8:15 PM", "2/1/2024 11:00 AM"], ("%m/%d/%Y %I:%M %p",)),
        (["2024-01-31 08:15:00 PM"], ("%Y-%m-%d %I:%M:%S %p",)),
        (["31.01.2024 8:15 p.m."], ("%d.%m.%Y %I:%M %p",)),
        (["01/02/2024 8 am"], ("%d/%m/%Y %I %p", "%m/%d/%Y %I %p")),
        (["31 Jan 2024", "1 February 2024"], ("%d %b %Y",)),
        (["Jan 31, 2024, 8:15 PM"], ("%b %d, %Y, %I:%M %p",)),
        (["Wed, 31 Jan 2024 08:15:00"], ("%a, %d %b %Y %H:%M:%S",)),
        (["31-JAN-24", "01-MAR-24"], ("%d-%b-%y",)),
        (["31JAN2024"], ("%d%b%Y",)),
        (["2024-Jan-31"], ("%Y-%b-%d",)),
        (["31. Januar 2024", "1. März 2024"], ("%d. %b %Y",)),
        (["31 janv. 2024", "1 mai 2024"], ("%d %b %Y",)),
        (["31 de enero de 2024"], ("%d de %b de %Y",)),
        (["1 de março de 2024 08:15"], ("%d de %b de %Y %H:%M",)),
        (["1704067200", "1706745600"], ("unix",)),
        (["1704067200123"], ("unix_ms",)),
        (["45322.573", "45323"], ("excel",)),
        (["45322,573"], ("excel",)),
    ],
)
def test_the_way_a_time_is_written(values: list[str], formats: tuple[str | None, ...]) -> None:
    reading = read_times(text(values))
    assert reading is not None
    assert reading.formats == formats
    assert reading.obstacle == ""


@pytest.mark.parametrize(
    "values",
    [["12345678", "87654321"], ["1.50", "2.75"], ["10.11.12.13"], ["08:15"], ["K-2024-01"], ["", "a"], [], ["99999"],
     ["100% Mar 5 2024"], ["May Jan 2024"], ["123-Jan-2024"]],
)  # fmt: skip
def test_what_is_no_time(values: list[str]) -> None:
    assert read_times(text(values)) is None


@pytest.mark.parametrize(
    ("values", "told"),
    [
        (["31 stycznia 2024", "1 lutego 2024"], "months are written in words that no time_format knows"),
    ],
)
def test_times_that_cannot_be_read_are_said_to_be(values: list[str], told: str) -> None:
    reading = read_times(text(values))
    assert reading is not None
    assert told in reading.obstacle


@given(st.datetimes(pd.Timestamp("1995-01-01"), pd.Timestamp("2060-01-01")), st.sampled_from(
    ["%Y-%m-%d", "%d.%m.%Y %H:%M", "%m/%d/%Y %I:%M %p", "%b %d, %Y",
     "%Y年%m月%d日", "%Y%m%d", "%m/%d/%Y %H:%M:%S", "%d-%m-%y"]))  # fmt: skip
def test_one_of_the_readings_gives_the_day_that_was_written(day: Any, written: str) -> None:
    reading = read_times(text([day.strftime(written)]))
    assert reading is not None
    assert written in reading.formats or (written, reading.formats) == ("%Y-%m-%d", (None,))


@pytest.mark.parametrize(
    ("values", "style", "numbers"),
    [
        (["1.50", "2"], NumberStyle(), [1.5, 2.0]),
        (["1,50", "2"], NumberStyle(","), [1.5, 2.0]),
        (["1,234.50", "7.99"], NumberStyle(".", ","), [1234.5, 7.99]),
        (["1.234,50", "7,99"], NumberStyle(",", "."), [1234.5, 7.99]),
        (["1 234,50", "7,99"], NumberStyle(",", " "), [1234.5, 7.99]),
        (["1\u202f234,50"], NumberStyle(",", " "), [1234.5]),
        (["1'234.50"], NumberStyle(".", "'"), [1234.5]),
        (["1,234", "12,500"], NumberStyle(".", ","), [1234.0, 12500.0]),
        (["0.125", "1.234"], NumberStyle(), [0.125, 1.234]),
        (["€ 12.50", "-€3.00"], NumberStyle(), [12.5, -3.0]),
        (["12,50-", "(3,00)"], NumberStyle(","), [-12.5, -3.0]),
    ],
)
def test_the_way_a_number_is_written(values: list[str], style: NumberStyle, numbers: list[float]) -> None:
    reading = read_numbers(text(values))
    assert reading is not None
    assert (reading.style, reading.values.tolist(), reading.obstacle) == (style, numbers, "")


@pytest.mark.parametrize("values", [["R$ 12,50"], ["12.50元"], ["EUR 12.50"]])
def test_letters_of_a_currency_are_said_to_hinder(values: list[str]) -> None:
    reading = read_numbers(text(values))
    assert reading is not None
    assert reading.values.tolist() == [12.5]
    assert "carry letters" in reading.obstacle


@pytest.mark.parametrize("values", [["AB 123"], ["K1"], ["1.2.3"], [None, None]])
def test_what_is_no_number(values: list[Any]) -> None:
    assert read_numbers(text(values)) is None


def test_a_number_is_a_time_only_where_its_name_says_so(log: pd.DataFrame) -> None:
    """Numbers of customers and orders look like seconds, and postcodes like the days of Excel."""
    log = log.assign(customer=1_500_000_000 + log["customer"].str[1:].astype(int), order=log["order"] - 60_000)
    columns = {"customer_id": "customer", "order_id": "order", "date": "time", "amount": "amount"}
    guesses = made(log, columns, "%Y-%m-%d", point)
    assert chosen(guesses) == {role: name for name, role in columns.items()}
    nameless = made(log, {"a": "customer", "b": "time", "c": "amount"}, "%Y-%m-%d", point)
    assert chosen(nameless) == {"customer": "a", "time": "b", "amount": "c"}


@pytest.mark.parametrize("kind", ["int64", "float64"])
def test_typed_seconds_are_times(kind: str, log: pd.DataFrame) -> None:
    seconds = (log["time"] - pd.Timestamp("1970-01-01")) // pd.Timedelta(seconds=1)
    guesses = guess_roles(log[["customer", "amount"]].assign(created_at=seconds.astype(kind)), WHERE)
    reading = guesses.reading()
    assert chosen(guesses)["time"] == "created_at"
    assert reading is not None
    assert reading.formats == ("unix",)


def test_missing_marks_are_no_values() -> None:
    seen = profile("x", text(["a", " ", "NULL", "nan", "b", None]))
    assert (seen.distinct, seen.filled) == (2, pytest.approx(1 / 3))


# Names and relations


@given(st.text(max_size=40))
def test_any_name_has_a_meaning(name: str) -> None:
    said = meaning(name)
    assert set(said.words) == set(said.concepts) == set(said.languages)


def test_relations_of_columns_by_hand() -> None:
    order = pd.Series(list("aabbcc") * 20) + pd.Series(range(120)).floordiv(6).astype(str)
    assert one_each(order, order.str[0]) == 1
    assert one_each(order.str[0], order) == 0
    assert same_on_every_line(order.map({name: at for at, name in enumerate(order.unique())}), order)
    assert not same_on_every_line(pd.Series(range(120)), order)
    once = pd.Series(range(120), dtype="float64").where(~order.duplicated())
    assert once_an_order(once, order)
    assert not once_an_order(pd.Series(range(120)), order)
    assert not once_an_order(once, pd.Series(range(120)).astype(str))
    price, pieces = pd.Series([1.0, 2, 3, 4, 5, 6]), pd.Series([2.0, 2, 3, 3, 4, 4])
    assert is_product(price * pieces, price, pieces)
    assert not is_product(price, price, pieces)
