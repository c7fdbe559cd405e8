"""A dataset file with twenty-four mistakes in what it says of actions, and what is told of each."""

TWENTY = """
[actions]
budget = -1
hold_out = 1.0
most_contact = 2
offers = [{ category = "wine", starts = 2026-03-14, ends = 2026-03-01 }]

[[actions.rules]]
name = "first"
when = "dayssince_last > 90 and tier > 'Gold'"
channel = "e-mail"
offer = "x"
kind = "gift"
cost = "cheap"

[[actions.rules]]
name = "second"
when = "orders = 'two' or state = 'slipped' and (spend == 5)"
channel = ""
offer = "x"
kind = "points"
reward = 1.0
reward_share = 0.1
months = [13]
priority = -1

[[actions.rules]]
name = "second"
when = "orders > and spend between 5 and 1"
offer = "x"
kind = "points"
colour = "red"
cool_down_days = 1.5
assumed = { low = 0.2, high = 0.1 }

[[actions.rules]]
name = "fourth"
when = "(spend > 30%"
channel = "e-mail"
offer = "x"
kind = "points"
"""
MISTAKES = [
    "actions.rules.1.when: expected one of the columns days_since_last, ",
    "(in rule 'first', character 1), found 'dayssince_last'",
    "actions.rules.1.when: expected '=', '!=' or 'in', since only numbers and dates are more or less (in rule 'first', "
    "character 30), found '>'",
    "actions.rules.1.kind: expected 'service', ",
    "actions.rules.1.cost: expected a valid number, unable to parse string as a number, found 'cheap'",
    "actions.rules.2.when: expected a number beside orders (in rule 'second', character 10), found 'two'",
    "actions.rules.2.when: expected one of 'new', ",
    "beside state (in rule 'second', character 27), found 'slipped'",
    "actions.rules.2.when: expected '=' in its place (in rule 'second', character 48), found '=='",
    "actions.rules.2.channel: expected at least one character, found ''",
    "actions.rules.2.reward_share: expected 0 where there is a reward in money, found 0.1",
    "actions.rules.2.months: expected less than or equal to 12, found 13",
    "actions.rules.2.priority: expected greater than or equal to 0, found -1",
    "actions.rules.3.when: expected a column or a value (in rule 'second', character 10), found 'and'",
    "actions.rules.3.when: expected the lower end first (in rule 'second', character 28), found '5 and 1'",
    "actions.rules.3.channel is missing",
    "actions.rules.3.colour is not a known key",
    "actions.rules.3.cool_down_days: expected a valid integer, found 1.5",
    "actions.rules.3.assumed.high: expected at least low, 0.2, found 0.1",
    "actions.rules.3.name: expected a name that no other rule has, found 'second'",
    "actions.rules.4.when: expected 'and', 'or' or ')' (in rule 'fourth', character 12), found '%'",
    "actions.rules.4.when: expected ')' for the parenthesis at character 1 (in rule 'fourth', character 13), found",
    "actions.budget: expected greater than or equal to 0, found -1",
    "actions.hold_out: expected less than 1, found 1.0",
    "actions.most_contact is not a known key, did you mean 'most_contacts'?",
    "actions.offers.ends: expected a last day not before 2026-03-14, found 2026-03-01",
]
"""Parts of the messages; two of the messages are told by two parts."""
