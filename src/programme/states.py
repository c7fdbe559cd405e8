"""Where a customer stands in the life with the retailer, and what to do there; how states are told is in `moments`."""

from typing import NamedTuple


class State(NamedTuple):
    """A state of the customer's life.

    Attributes
    ----------
    meaning : who is in it, in words.
    change : the behaviour to change.
    actions : what to try, in this order; a discount is never the first.
    """

    meaning: str
    change: str
    actions: tuple[str, ...]


STATES: dict[str, State] = {
    "new": State(
        "one purchase, less than the usual gap ago",
        "come to know what else there is, before the second purchase is due",
        ("welcome, and say how to use what was bought", "ask how it went", "show what goes with it"),
    ),
    "awaiting second purchase": State(
        "one purchase, more than one and at most two usual gaps ago",
        "buy a second time",
        ("remind of what others bought next", "help with refill, service or fitting", "bonus points for the second"),
    ),
    "growing": State(
        "on time, and clearly more purchases lately than before",
        "keep the new rhythm, in more categories",
        ("thank, and say what it has brought so far", "show the next tier", "early access to what is new"),
    ),
    "steady": State(
        "on time, in the rhythm of before",
        "none: do not disturb what works",
        ("recognise the anniversary", "ask for an opinion or a recommendation", "a category not bought yet"),
    ),
    "slipping": State(
        "silent for more than two usual gaps, or clearly fewer purchases lately than before",
        "come back into the old rhythm",
        ("ask whether something went wrong", "the favourite category, when it is new or on offer", "points on account"),
    ),
    "lapsed": State(
        "silent for more than four usual gaps, or two after a single purchase",
        "buy once more",
        ("say what has changed since", "a call where much is at stake", "a reason to come by, then a voucher"),
    ),
    "lost": State(
        "silent for more than six usual gaps, or four after a single purchase",
        "say why, or agree to silence",
        ("one question: what would bring you back", "then no more contacts but the yearly one"),
    ),
    "won back": State(
        "on time again after a silence of more than four usual gaps",
        "make the return a habit",
        ("thank for coming back, and mend what drove them away", "help with the next purchase", "points, no discount"),
    ),
}  # fmt: skip
"""All states, each customer in exactly one."""
