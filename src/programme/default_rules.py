"""The rules of a dataset file that has none.

Costs and effects are assumed: they are printed as such, and are there to be replaced.
"""

from ..action_rules import ActionRule, AssumedEffect

E_MAIL = 0.02
"""Cost of an e-mail, in any currency: next to nothing."""
CALL = 3.0
"""Cost of a call."""
ASSUMED = AssumedEffect(of="purchase", low=0.0, high=0.02)
"""Of a message: at best two customers in a hundred buy who would not have."""
ASSUMED_CALL = AssumedEffect(of="purchase", low=0.0, high=0.10)

DEFAULTS: tuple[ActionRule, ...] = (
    ActionRule(
        name="call",
        when="spend_rank >= 0.9 and churn_probability >= 0.5",
        channel="telephone",
        offer="A call: are you content, and what can we do?",
        kind="service",
        cost=CALL,
        cool_down_days=180,
        priority=900,
        assumed=ASSUMED_CALL,
    ),
    ActionRule(
        name="points expire",
        when="points_expiring > 0",
        channel="e-mail",
        offer="These points end soon; this is what they are good for",
        kind="information",
        cost=E_MAIL,
        cool_down_days=30,
        priority=800,
        assumed=ASSUMED,
    ),
    ActionRule(
        name="nearly the next tier",
        when="to_next_tier <= usual_order",
        channel="e-mail",
        offer="One usual purchase more, and you are in the next tier",
        kind="recognition",
        cost=E_MAIL,
        cool_down_days=60,
        priority=700,
        assumed=ASSUMED,
    ),
    ActionRule(
        name="second purchase",
        when="state = 'awaiting second purchase'",
        channel="e-mail",
        offer="What goes well with your first purchase",
        kind="product",
        cost=E_MAIL,
        cool_down_days=30,
        priority=600,
        assumed=ASSUMED,
    ),
    ActionRule(
        name="birthday",
        when="days_to_birthday <= 7",
        channel="e-mail",
        offer="Happy birthday",
        kind="recognition",
        cost=E_MAIL,
        cool_down_days=300,
        priority=500,
        assumed=ASSUMED,
    ),
    ActionRule(
        name="anniversary",
        when="days_to_anniversary <= 7 and days_since_last < 365",
        channel="e-mail",
        offer="A year more with us: thank you",
        kind="recognition",
        cost=E_MAIL,
        cool_down_days=300,
        priority=450,
        assumed=ASSUMED,
    ),
    ActionRule(
        name="favourite on offer",
        when="favourite_on_offer",
        channel="e-mail",
        offer="What you like most is on offer",
        kind="product",
        cost=E_MAIL,
        cool_down_days=14,
        priority=400,
        assumed=ASSUMED,
    ),
    ActionRule(
        name="overdue",
        when="state = 'slipping' and overdue > 2",
        channel="e-mail",
        offer="It is about time: what is new since your last visit",
        kind="information",
        cost=E_MAIL,
        cool_down_days=30,
        priority=300,
        assumed=ASSUMED,
    ),
    ActionRule(
        name="wake-up",
        when="days_since_last between 90 and 365 and state != 'lost'",
        channel="e-mail",
        offer="We have not seen you for three months: what would bring you back?",
        kind="service",
        cost=E_MAIL,
        cool_down_days=90,
        priority=200,
        assumed=ASSUMED,
    ),
)
"""By priority, the highest first; none of them gives money away."""


def text() -> str:
    """All of them as a table in Markdown, as docs/rules.md has it."""
    rows = ["| rule | when | channel | kind | offer | cool-down |", "|---|---|---|---|---|---|"]
    rows += [
        f"| {rule.name} | `{rule.when}` | {rule.channel} | {rule.kind} | {rule.offer} | {rule.cool_down_days} days |"
        for rule in DEFAULTS
    ]
    return "\n".join(rows) + "\n"
