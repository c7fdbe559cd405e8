"""What leaving means in a study, in words: the one place where its definitions are told apart."""

from ...features.labels import CONTRACT_END, NO_PURCHASE, PARTIAL_DEFECTION
from ...study import Study
from .. import words


def to_leave(study: Study) -> str:
    """What a customer who leaves will do, after "to" or "will"."""
    span = words.days(study.horizon_days)
    return {
        NO_PURCHASE: f"buy nothing in the next {span}",
        PARTIAL_DEFECTION: f"spend under half as much in the next {span}",
        CONTRACT_END: f"let their contract end in the next {span}",
    }[study.dataset.study.churn]


def to_leave_next(study: Study) -> str:
    """The same where the length of the period was just told."""
    return "buy nothing in the next" if study.by_silence else to_leave(study)


def who(study: Study) -> str:
    """Of whom it is asked whether they leave."""
    return {
        NO_PURCHASE: "active customers",
        PARTIAL_DEFECTION: f"active customers who spent anything in the last {words.days(study.horizon_days)}",
        CONTRACT_END: "customers with a running contract",
    }[study.dataset.study.churn]


def now(study: Study) -> str:
    """The same after "of the 500"."""
    return {
        NO_PURCHASE: "who are active now",
        PARTIAL_DEFECTION: f"who are active now and spent anything in the last {words.days(study.horizon_days)}",
        CONTRACT_END: "whose contract runs now",
    }[study.dataset.study.churn]


def definition(study: Study) -> str:
    """Who is active and who has left, in one or two sentences."""
    span, active = words.days(study.horizon_days), words.days(study.active_within_days)
    return {
        NO_PURCHASE: (
            f"A customer is **active** with a purchase in the last {active}, and has **left** (churned) with none in the "
            f"{span} after the date."
        ),
        PARTIAL_DEFECTION: (
            f"A customer is **active** with a purchase in the last {active}, and has **left** (partial defection) by spending "
            f"in the {span} after the date under half of what was spent in the {span} before it. Who spent nothing in those "
            "cannot spend half as much, and is not asked about."
        ),
        CONTRACT_END: (
            "A customer counts as **active** while a contract runs, and has **left** (churned) when the last contract ends in the "
            f"{span} after the date. Who has never bought is not asked about."
        ),
    }[study.dataset.study.churn]


def were(study: Study) -> str:
    """Of whom it was asked at a past date."""
    return "customers with a running contract" if study.dataset.study.churn == CONTRACT_END else "active customers"


def asked(study: Study) -> str:
    """The same with a clause."""
    return {
        NO_PURCHASE: "customers who were active",
        PARTIAL_DEFECTION: f"customers who were active and had spent anything in the {words.days(study.horizon_days)} before",
        CONTRACT_END: "customers whose contract ran",
    }[study.dataset.study.churn]


def still_spent(study: Study) -> str:
    """What is taken off from the worth of a customer who stays, as the end of a clause."""
    return "" if study.by_silence else ", less what one who leaves still spends"


def before_coming_back(study: Study) -> str:
    """What goes before how many of those who had stayed away bought again."""
    return "To leave is not for ever:" if study.by_silence else "Who stays away altogether may come back, too:"


def stayed_away(study: Study) -> str:
    """What those did who bought nothing, after "customers who"."""
    return "left" if study.by_silence else "bought nothing"


def limits(study: Study) -> str:
    """What the definition does not see, in a sentence or two."""
    span, active = words.days(study.horizon_days), words.days(study.active_within_days)
    return {
        NO_PURCHASE: (
            f"Who has been silent for longer than {active} counts as lost already and is not scored, and a customer who comes back "
            f"later than {span} counts as having left."
        ),
        PARTIAL_DEFECTION: (
            f"Who spent nothing in the last {span} is not scored. To spend under half is not to be gone: after a large purchase, or "
            "a season, spend falls by itself, and who halves it in one period may make up for it in the next."
        ),
        CONTRACT_END: (
            "Who has never bought is not scored, and a contract that is renewed late counts as ended. When a contract is due is not "
            "looked at: of past dates the table knows already who renewed."
        ),
    }[study.dataset.study.churn]


def unasked(study: Study) -> str:
    """Why models of purchases are not among those that say who leaves, in a sentence; empty where they are."""
    if study.by_silence:
        return ""
    return f"Models of purchases foretell who buys nothing, not who will {to_leave(study)}: on who leaves they did not take part."
