"""What raters are paid for their time."""

from dataclasses import dataclass

from annotations.models import RaterPlan, Study
from annotations.queries.raters.checks import n_cards_planned
from annotations.queries.studies import seconds_per_item


@dataclass(frozen=True)
class Pay:
    """Time for the whole study, and what the reward amounts to per hour; money in hundredths of the currency."""

    minutes: float
    is_measured: bool
    reward: int | None
    per_hour: int | None
    floor: int
    fair_reward: int
    currency: str

    @property
    def is_below_floor(self) -> bool:
        return self.per_hour is not None and self.per_hour < self.floor

    @property
    def texts(self) -> dict[str, str]:
        """The amounts as a page shows them."""
        amounts = {"per_hour": self.per_hour, "floor": self.floor, "fair_reward": self.fair_reward}
        return {name: money(amount, self.currency) for name, amount in amounts.items() if amount is not None}


def money(amount: int, currency: str) -> str:
    return f"{amount / 100:.2f} {currency}"


def hourly_pay(study: Study, plan: RaterPlan) -> Pay:
    """From the measured pace of this study's raters, or a planning figure while there are few answers."""
    seconds, is_measured = seconds_per_item(study)
    n_items = study.items.count()
    n = n_cards_planned(plan, min(n_items, study.items_per_rater or n_items))
    minutes = n * seconds / 60
    per_hour = round(plan.reward * 60 / minutes) if plan.reward is not None and minutes else None
    fair_reward = -(-round(plan.pay_floor * minutes) // 60)
    return Pay(minutes, is_measured, plan.reward, per_hour, plan.pay_floor, fair_reward, plan.currency)
