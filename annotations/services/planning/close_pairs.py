"""Further prompts while the comparison of two methods is undecided: items ordered look by look, and the looks."""

from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise
from math import isnan

import numpy as np
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Exists, F, OuterRef
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from numpy.typing import NDArray

from annotations.kinds.registry import kind_of
from annotations.models import Assignment, Dimension, Item, PromptLook, Study
from annotations.queries.candidates import Candidates
from annotations.queries.planning.close_pairs import compared, rule_of
from annotations.questions import names_sides
from annotations.services.activity import Action, note
from annotations.stats.adaptive.close_pairs import look_at

FEWEST_PROMPTS = 5
IntArray = NDArray[np.int64]


def staged(
    study: Study, dimensions: Sequence[Dimension], chosen: Candidates, order: IntArray
) -> tuple[IntArray, IntArray]:
    """The study's order with the items of each look together, and (n_items,) the look of each; all 1 without a rule.

    The seed decides which prompts come at which look. Prompts beyond the last look are left out, and so are those
    without images of both methods. Raises ValidationError if the rule cannot be kept.
    """
    sizes = study.prompts_by_look
    if not sizes:
        return order, np.ones(len(order), np.int64)
    if sizes[0] < FEWEST_PROMPTS or any(later <= earlier for earlier, later in pairwise(sizes)):
        _refuse(_("Give ascending numbers, the first at least %d.") % FEWEST_PROMPTS)
    if len(sizes) == 1:
        _refuse(
            _("Give at least two numbers. For a fixed number of prompts, set the maximum number of prompts instead.")
        )
    n_methods = len(np.unique(chosen.methods))
    is_pair = study.item_kind == Study.ItemKind.PAIR
    if study.item_kind == Study.ItemKind.PROMPT or n_methods != (1 if is_pair else 2):
        _refuse(_("This rule is for a comparison of exactly two methods, as pairs or by ratings."))
    if not _decides(dimensions[0], is_pair=is_pair):
        _refuse(_("The first question must compare the methods: a choice of a side, or ordered levels for each image."))
    cells = np.unique(np.c_[chosen.prompt_codes[order], chosen.methods[order]], axis=0)
    prompts, counts = np.unique(cells[:, 0], return_counts=True)
    both = prompts[counts == n_methods]
    if len(both) < sizes[-1]:
        _refuse(
            ngettext(
                "There is only %d prompt with images of both methods.",
                "There are only %d prompts with images of both methods.",
                len(both),
            )
            % len(both)
        )
    drawn = np.random.default_rng([study.seed, 9]).permutation(both)[: sizes[-1]]
    look = np.zeros(int(chosen.prompt_codes.max()) + 1, np.int64)
    look[drawn] = np.searchsorted(sizes, np.arange(sizes[-1]), side="right") + 1
    of_item = look[chosen.prompt_codes[order]]
    kept = np.argsort(of_item, kind="stable")[int((of_item == 0).sum()) :]
    return order[kept], of_item[kept]


def _decides(dimension: Dimension, *, is_pair: bool) -> bool:
    """Whether the answers to this question say which of two methods is better."""
    if names_sides(dimension):
        return is_pair
    return kind_of(dimension).is_ordered and dimension.about == Dimension.About.IMAGE


def _refuse(problem: str) -> None:
    raise ValidationError({"prompt_looks": problem})


def take_looks(*, now: datetime) -> int:
    """Look at each comparison whose prompts are all answered; returns how many looks were taken.

    Checks for each open study with such a rule whether any item lacks a rater, through an index, and whether any card
    is held.
    """
    stopped = PromptLook.objects.filter(study=OuterRef("pk")).exclude(decision=PromptLook.Decision.FURTHER)
    lacking = Item.objects.filter(study=OuterRef("pk"), taken__lt=F("wanted"))
    held = Assignment.objects.filter(study=OuterRef("pk"), state=Assignment.State.LEASED)
    due = Study.objects.filter(
        ~Exists(stopped), ~Exists(lacking), ~Exists(held), state=Study.State.OPEN, n_released__isnull=False
    )
    return sum(take_look(study_id=study_id, now=now) is not None for study_id in due.values_list("pk", flat=True))


def take_look(*, study_id: int, now: datetime) -> PromptLook | None:
    """Take a study's next look, record it, and release the next prompts if it is undecided; None if no look is due."""
    with transaction.atomic():
        # Locked, so that two clocks do not take the same look twice.
        study = Study.objects.select_for_update(no_key=True).get(pk=study_id)
        number, sizes = study.looks.count() + 1, study.prompts_by_look
        if number > len(sizes) or study.looks.exclude(decision=PromptLook.Decision.FURTHER).exists():
            return None
        found = look_at(compared(study, number).differences, rule_of(study), number - 1)
        is_last = number == len(sizes)
        undecided = PromptLook.Decision.MOST if is_last else PromptLook.Decision.FURTHER
        look = PromptLook.objects.create(
            study=study,
            number=number,
            at=now,
            n_prompts=found.n,
            mean=_defined(found.mean),
            p=_defined(found.p),
            bound=found.nominal_p,
            low=_defined(found.low),
            high=_defined(found.high),
            decision=PromptLook.Decision.DECIDED if found.is_decided else undecided,
        )
        if look.decision == PromptLook.Decision.FURTHER:
            n = Item.objects.filter(study=study, look=number + 1).update(wanted=study.raters_per_item)
            Study.objects.filter(pk=study.pk).update(n_released=F("n_released") + n, completed_at=None)
        note(study=study, actor=None, action=Action.CHANGED, settings=[f"look {number}: {look.decision}"])
        return look


def _defined(value: float) -> float | None:
    return None if isnan(value) else value
