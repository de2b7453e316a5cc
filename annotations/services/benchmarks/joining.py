"""Adds a new method to an existing study: new items follow the old ones, which keep all their answers."""

from collections.abc import Sequence
from dataclasses import replace

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from annotations import allocation
from annotations.models import Extension, Study
from annotations.models.webhooks import Event
from annotations.queries.benchmarks import further_candidates, methods_of
from annotations.queries.candidates import Selection, has_own_keys, images_with_file
from annotations.queries.pairs import Pairing
from annotations.queries.reports import last_finished
from annotations.services.activity import Action, note
from annotations.services.hooks.events import emit
from annotations.services.reports import DEFAULT_SEED
from annotations.services.studies import ROWS_AT_ONCE, add_items
from generation.models import Method


def add_methods(*, study: Study, methods: Sequence[Method], by: User | None, remark: str = "") -> Extension:
    """Link the images that these methods made for the study's prompts, and record the addition.

    The new items follow all existing ones, in their own balanced order; each wants as many raters as the others. In
    pairs, each new method meets the methods that the study's rule allows. The latest finished results are kept with the
    record. Raises ValidationError if a method is already in the study, or has no image for its prompts.
    """
    if study.item_kind == Study.ItemKind.PROMPT:
        raise ValidationError(
            _("This study shows all images of a prompt together, so old answers do not cover a new method. Copy it.")
        )
    if study.prompt_looks:
        raise ValidationError(_("This study compares two methods by a rule that was fixed before it opened. Copy it."))
    with transaction.atomic():
        study = Study.objects.select_for_update(no_key=True).get(pk=study.pk)
        there = set(methods_of(study).values_list("pk", flat=True))
        if known := sorted(method.name for method in methods if method.pk in there):
            raise ValidationError(_("These methods are in the study already: %(names)s.") % {"names": ", ".join(known)})
        n_before = study.items.aggregate(last=Max("position"))["last"]
        first = 0 if n_before is None else n_before + 1
        new = [method.pk for method in methods]
        pairing = Pairing(study.pairing, study.pair_baseline_id, study.pairs_per_prompt)
        chosen = further_candidates(study, new, pairing, seed=study.seed + first)
        if not len(chosen.prompts):
            raise ValidationError(
                _("These methods have no image of the study’s prompts. Add their images to its prompt sets first.")
            )
        selection = Selection(tuple(study.items.values_list("prompt__prompt_set", flat=True).distinct()), tuple(new))
        own_keys = has_own_keys(study.item_kind, selection) and not study.items.filter(
            key__in=selection_keys(selection)
        )
        order = allocation.global_order(chosen.methods, chosen.prompt_codes, study.seed + first)
        # The study's questions about a prompt stay the same for the new images.
        frozen = dict(study.items.order_by().values_list("prompt_id", "frozen"))
        for start in range(0, len(order), ROWS_AT_ONCE):
            some = order[start : start + ROWS_AT_ONCE].tolist()
            paired = replace(selection, pairing=pairing)
            add_items(study, chosen, some, first + start, paired, own_keys=bool(own_keys), frozen=frozen)
        record = Extension.objects.create(
            study=study,
            first_position=first,
            n_items=len(order),
            note=remark,
            added_by=by,
            results_before=last_finished(study, DEFAULT_SEED),
        )
        record.methods.set(methods)
        Study.objects.filter(pk=study.pk).update(completed_at=None)
        names = sorted(method.name for method in methods)
        note(study=study, actor=by, action=Action.ADDED, kind=", ".join(names), rows=len(order))
        emit(study=study, event=Event.EXTENDED, methods=names, n_items=len(order))
    return record


def selection_keys(selection: Selection) -> list[str]:
    """The keys that the images of a selection have."""
    return list(images_with_file(selection).exclude(key="").order_by().values_list("key", flat=True))
