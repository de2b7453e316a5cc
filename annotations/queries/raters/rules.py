"""Rules for excluding raters that were registered before the study opened."""

from dataclasses import dataclass

from django.utils.translation import gettext as _

from annotations.models import RaterPlan, Study
from annotations.models.participation import plan_of
from annotations.queries.raters.quality import Work

SIGNALS = ("gold", "check", "repeat", "fast")


@dataclass(frozen=True)
class Rule:
    """Exclude raters who pass less than `limit` percent ("fast": are fast on more) of at least `fewest`."""

    signal: str
    limit: int
    fewest: int

    @property
    def text(self) -> str:
        """The rule as a sentence, as the report states it."""
        words = {
            "gold": _("Raters who answer fewer than %(limit)d%% of at least %(n)d gold items right are excluded."),
            "check": _("Raters who pass fewer than %(limit)d%% of at least %(n)d attention checks are excluded."),
            "repeat": _(
                "Raters who answer fewer than %(limit)d%% of at least %(n)d repeats as they did the first time are "
                "excluded."
            ),
            "fast": _(
                "Raters who answer more than %(limit)d%% of at least %(n)d cards faster than they can be read are "
                "excluded."
            ),
        }
        return words[self.signal] % {"limit": self.limit, "n": self.fewest}

    def broken_by(self, work: Work) -> str:
        """Why this rule excludes a rater with this work; empty if it does not."""
        hits, n = _counted(self.signal, work)
        if n < self.fewest or not n:
            return ""
        percent = 100 * hits / n
        if not (percent > self.limit if self.signal == "fast" else percent < self.limit):
            return ""
        words = {
            "gold": _("registered rule: %(hits)d of %(n)d gold items right (%(percent).0f%%)"),
            "check": _("registered rule: %(hits)d of %(n)d attention checks passed (%(percent).0f%%)"),
            "repeat": _("registered rule: %(hits)d of %(n)d repeats answered as the first time (%(percent).0f%%)"),
            "fast": _(
                "registered rule: %(hits)d of %(n)d cards answered faster than they can be read (%(percent).0f%%)"
            ),
        }
        return words[self.signal] % {"hits": hits, "n": n, "percent": percent}


def _counted(signal: str, work: Work) -> tuple[int, int]:
    if signal == "fast":
        return work.n_fast, len(work.milliseconds)
    hits: list[bool] = getattr(work, signal)
    return sum(hits), len(hits)


def rules_of(plan: RaterPlan) -> list[Rule]:
    """The registered rules, in the order of `SIGNALS`."""
    return [Rule(row["signal"], row["limit"], row["fewest"]) for row in plan.rules]


def declared_rule(study: Study) -> str:
    """The rule for excluding raters that was declared before the study opened, in words: the text and every registered
    rule."""
    return " ".join([study.exclusion_rule.strip(), *(rule.text for rule in rules_of(plan_of(study)))]).strip()
