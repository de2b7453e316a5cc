"""The rule that gives a comparison of two methods further prompts, its looks, and how pages describe them."""

from dataclasses import dataclass

import numpy as np
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from annotations.models import Dimension, ItemImage, PromptLook, Response, Study
from annotations.queries.columns import integers
from annotations.queries.preferences import is_turned
from annotations.queries.studies import current_responses
from annotations.questions import names_sides
from annotations.stats.adaptive.close_pairs import PairRule
from annotations.stats.arrays import FloatArray, IntArray, totals
from annotations.stats.comparison.group_sequential import Spending
from generation.models import Method

SPENDING = {"obrien_fleming": "O’Brien–Fleming", "pocock": "Pocock"}


@dataclass(frozen=True)
class Compared:
    """The two methods by name, and (n_prompts,) the difference of each prompt, second method less first."""

    first: str
    second: str
    differences: FloatArray


def rule_of(study: Study) -> PairRule:
    """The rule of a study that has one: two-sided, with an error rate of 5% over all looks."""
    spending: Spending = "pocock" if study.prompt_spending == Study.Spending.POCOCK else "obrien_fleming"
    return PairRule(looks=study.prompts_by_look, n_pairs=1, spending=spending)


def rule_text(study: Study) -> str:
    """The rule in one sentence, in English like plans and reports; "" without a rule."""
    looks = study.prompts_by_look
    if not looks:
        return ""
    return (
        f"the study begins with {looks[0]:,} prompts; while the first question has not decided between the two methods "
        f"further ones are released, with looks after {', '.join(f'{look:,}' for look in looks)} prompts "
        f"({SPENDING[study.prompt_spending]} bounds by alpha spending, two-sided error 5% over all looks)"
    )


def compared_methods(study: Study) -> tuple[Method, Method] | None:
    """First and second method: by a pair's slots, or else the baseline and the other; None unless there are two."""
    images = ItemImage.objects.filter(item__study=study, item__role="rated")
    if study.item_kind == Study.ItemKind.PAIR:
        pks = [images.filter(slot=slot).values_list("image__method", flat=True).first() for slot in (0, 1)]
        found = Method.objects.in_bulk([pk for pk in pks if pk is not None])
        return (found[pks[0]], found[pks[1]]) if len(found) == 2 and pks[0] and pks[1] else None
    methods = list(Method.objects.filter(pk__in=images.values("image__method")))
    methods.sort(key=lambda one: (one.kind != Method.Kind.BASELINE, one.pk))
    return (methods[0], methods[1]) if len(methods) == 2 else None


def compared(study: Study, look: int) -> Compared:
    """The differences of all prompts up to this look, from the first raters' answers to the first question."""
    methods, dimension = compared_methods(study), study.dimensions.order_by("position")[0]
    if methods is None:
        return Compared("", "", np.empty(0))
    rows = current_responses([dimension]).filter(level__isnull=False, assignment__item__look__lte=look)
    differences = _votes(rows) if names_sides(dimension) else _ratings(rows, dimension, methods)
    return Compared(methods[0].name, methods[1].name, differences)


def _votes(rows: "QuerySet[Response]") -> FloatArray:
    """(n_prompts,) votes for the second image less those for the first, per answer; a prompt's items have equal
    weight."""
    columns = ("assignment__item__prompt", "assignment__item", "level", is_turned())
    prompt, item, level, turned = integers(rows.values_list(*columns), len(columns))
    vote = np.where(level < 2, (2.0 * level - 1) * (1 - 2 * turned), 0.0)
    (prompt, _item), of_item = _means((prompt, item), vote)
    return _means((prompt,), of_item)[1]


def _ratings(rows: "QuerySet[Response]", dimension: Dimension, methods: tuple[Method, Method]) -> FloatArray:
    """(n_prompts,) for prompts with both: mean rating of the second method's images less that of the first's."""
    columns = ("assignment__item__prompt", "image__method", "image", "level")
    prompt, method, image, level = integers(rows.values_list(*columns), len(columns))
    rating = np.array([float(value) for value in dimension.values])[level]
    (prompt, method, _image), of_image = _means((prompt, method, image), rating)
    (prompt, method), mean = _means((prompt, method), of_image)
    first, second = (method == one.pk for one in methods)
    _both, at_first, at_second = np.intersect1d(prompt[first], prompt[second], return_indices=True)
    return np.asarray(mean[second][at_second] - mean[first][at_first])


def _means(keys: tuple[IntArray, ...], values: FloatArray) -> tuple[tuple[IntArray, ...], FloatArray]:
    """The distinct keys, ascending, and the mean value of each; all (n_different,).

    keys: (n,) each, the parts of every row's key, from the first to the last. values: (n,).
    """
    different, code = np.unique(np.stack(keys, axis=1), axis=0, return_inverse=True)
    code = code.reshape(-1)
    n = len(different)
    return tuple(different.T), totals(code, values, n) / np.bincount(code, minlength=n)


def is_stopped(study: Study) -> bool:
    """Whether the rule has ended: it has decided, or no prompts are left."""
    return study.looks.exclude(decision=PromptLook.Decision.FURTHER).exists()


def said_live(study: Study) -> str:
    """The state of the comparison, in one sentence for researchers; "" without such a rule. At most four queries."""
    looks = study.prompts_by_look
    if not looks:
        return ""
    last = study.looks.order_by("-number").first()
    if last is None:
        text = _("The comparison is looked at after %(n)s prompts; while it is undecided more follow, up to %(most)s.")
        return text % {"n": f"{looks[0]:,}", "most": f"{looks[-1]:,}"}
    methods = compared_methods(study)
    words = {
        "n": f"{looks[last.number - 1]:,}",
        "second": methods[1].name if methods else "",
        "first": methods[0].name if methods else "",
        "mean": _number(last.mean),
        "low": _number(last.low),
        "high": _number(last.high),
        "next": f"{looks[min(last.number, len(looks) - 1)]:,}",
    }
    texts = {
        PromptLook.Decision.FURTHER: _(
            "After %(n)s prompts, “%(second)s” minus “%(first)s” is %(mean)s (%(low)s to %(high)s, valid at every "
            "look): undecided, so the study goes on to %(next)s prompts."
        ),
        PromptLook.Decision.DECIDED: _(
            "After %(n)s prompts, “%(second)s” minus “%(first)s” is %(mean)s (%(low)s to %(high)s, valid at every "
            "look): decided, so no further prompts are given out."
        ),
        PromptLook.Decision.MOST: _(
            "After %(n)s prompts, “%(second)s” minus “%(first)s” is %(mean)s (%(low)s to %(high)s, valid at every "
            "look): undecided, and the rule allows no more prompts."
        ),
    }
    return texts[PromptLook.Decision(last.decision)] % words


def said_in_report(study: Study) -> str:
    """The rule and its outcome, in English like reports; "" without such a rule."""
    rule = rule_text(study)
    if not rule:
        return ""
    last = study.looks.order_by("-number").first()
    if last is None:
        return f"Prompts are given out by a rule: {rule}. No look has been taken yet."
    methods = compared_methods(study)
    which = f"{methods[1].name} minus {methods[0].name}" if methods else "the difference"
    return (
        f"Prompts were given out by a rule set before the study opened: {rule}. At the last look, number "
        f"{last.number}, with {last.n_prompts:,} prompts, {which} was {_number(last.mean)} (repeated 95% confidence "
        f"interval {_number(last.low)} to {_number(last.high)}, p {_p(last.p)} against a bound of {_p(last.bound)}): "
        f"{REPORTED[PromptLook.Decision(last.decision)]}. This interval is valid at every look; other intervals and p "
        "values of the comparison do not account for the looks."
    )


REPORTED = {
    PromptLook.Decision.FURTHER: "undecided, so further prompts were given out",
    PromptLook.Decision.DECIDED: "decided, so no further prompts were given out",
    PromptLook.Decision.MOST: "undecided, with the most prompts that the rule allows",
}


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:+.2f}".replace("-", "−")


def _p(value: float | None) -> str:
    return "–" if value is None else f"{value:.4f}"
