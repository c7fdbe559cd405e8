"""Where the customer buys: stores and channels."""

import ibis.expr.types as ir

from .breadth import paid_by
from .columns import Column, TableBlock, Tables, Window


def store_columns(window: Window) -> dict[str, Column]:
    """Columns of `stores`."""
    return {
        "stores": Column("Stores visited", "count", "different stores paid in so far", needs="transactions.store"),
        "favourite_store_share": Column(
            "Share of spend in the favourite store",
            "share",
            "spend in the store with most of it, over all",
            "nothing paid in a known store",
            "transactions.store",
        ),
    }


def stores(tables: Tables, window: Window) -> ir.Table | None:
    """Stores of every customer; None where the log has none."""
    if (parts := paid_by("store", tables, window)) is None:
        return None
    return parts.group_by("customer").agg(
        stores=parts.count(), favourite_store_share=parts.paid.max() / parts.paid.sum()
    )


def channel_columns(window: Window) -> dict[str, Column]:
    """Columns of `channels`."""
    return {
        "channels": Column("Channels used", "count", "different channels paid in so far", needs="transactions.channel"),
        "omnichannel": Column(
            "Buys in several channels",
            "flag",
            "1 if channels is above 1, else 0",
            "nothing paid in a known channel",
            "transactions.channel",
        ),
    }


def channels(tables: Tables, window: Window) -> ir.Table | None:
    """Channels of every customer; None where the log has none."""
    if (parts := paid_by("channel", tables, window)) is None:
        return None
    each = parts.group_by("customer").agg(channels=parts.count())
    return each.mutate(omnichannel=(each.channels > 1).cast("int64"))


STORES = TableBlock("stores", store_columns, stores)
CHANNELS = TableBlock("channels", channel_columns, channels)
