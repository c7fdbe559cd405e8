"""One key for each customer, whatever number a channel uses."""

import ibis
import ibis.expr.types as ir


def with_one_key(part: ir.Table, keys: ir.Table, *, own_numbers: bool) -> ir.Table:
    """A table under the customers' one key, where an identity table knows it.

    A number of a channel is looked up in that channel first, then among the numbers that mean the same everywhere. If
    channels have numbers of their own, one that is not found is told apart by its channel. A table without a channel
    is taken to bear the one key already.

    Parameters
    ----------
    part : customer and, where there is one, channel.
    keys : id, key, channel (null where it is any).
    own_numbers : whether channels have numbers of their own.
    """
    columns = part.columns
    anywhere = keys.filter(keys.channel.isnull()).group_by("id").agg(everywhere=keys.key.min())
    found = part.left_join(anywhere, part.customer == anywhere.id).drop("id")
    if not own_numbers or "channel" not in columns:
        return found.mutate(customer=ibis.coalesce(found.everywhere, found.customer)).select(*columns)
    theirs = keys.filter(keys.channel.notnull()).group_by(number="id", at="channel").agg(here=keys.key.min())
    found = found.left_join(theirs, [found.customer == theirs.number, found.channel == theirs["at"]])
    unknown = found.channel + ":" + found.customer
    one_key = ibis.coalesce(found.here, found.everywhere, unknown, found.customer)
    return found.mutate(customer=one_key).select(*columns)
