"""The demo study: drawn pictures, simulated raters and auditors, and room for real people next to them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from django.contrib.auth.models import Group, User
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from annotations import simulation
from annotations.apps import RESEARCHERS
from annotations.models import (
    Assignment,
    Dimension,
    Item,
    Membership,
    Rater,
    Response,
    Study,
)
from annotations.queries.candidates import Selection
from annotations.questions import DEFAULT
from annotations.services.demo.audit import N_AUDITORS, simulate_audit
from annotations.services.studies import create_study, join, open_study
from generation.models import Image, Method, PromptSet

TITLE = "Do these pictures match their prompts? (demo)"
N_RATERS = 8
ROOM_FOR_PEOPLE = 10
CONSENT = (
    "This is a demonstration. Your answers are stored on this site under the name you choose, and serve to show how "
    "a study works. You may stop at any time."
)
INSTRUCTIONS = (
    "Each card shows a picture and the prompt that it was made from. Compare them thing by thing: is everything there, "
    "in the right colour and number, and do the things relate to each other as the prompt says? Then choose the level "
    "that fits best. If you cannot decide, say so: that is an answer too.\n\n"
    "The pictures are drawn by a program, and some get things wrong on purpose."
)
NOTES = (
    "Everything here is simulated except what you and other visitors add: pictures, critics, scores, and the raters "
    "and auditors named “simulated”. docs/demo-study.md explains how, and the truth to check the statistics against."
)


@dataclass(frozen=True)
class DemoPeople:
    """One account for each persona; nobody has a password."""

    researcher: User
    annotator: User
    auditor: User


def demo_title(seed: int) -> str:
    return TITLE if seed == 0 else f"{TITLE.removesuffix(')')}, seed {seed})"


def make_demo_study(*, prompt_set: str, seed: int, say: Callable[[str], object]) -> tuple[Study, DemoPeople]:
    """The demo study over the images of this prompt set, and its people; created if they do not exist, all or nothing.

    Simulated raters answer every item, simulated auditors judge every claim and pair; each item wants ten more real
    raters, and each image and pair of the audit wants five real auditors.
    The annotator's account has already joined, and the auditor's may audit.
    """
    with transaction.atomic():
        people = _people()
        # The material belongs to the demo researcher, who may add to it; in an older demo it has no owner.
        PromptSet.objects.filter(name=prompt_set, owner=None).update(owner=people.researcher)
        study = Study.objects.filter(title=demo_title(seed), owner=people.researcher, is_simulated=True).first()
        if study is None:
            say("Making the study")
            study = _study(people.researcher, prompt_set, seed)
            say(f"Simulating {N_RATERS} raters and {N_AUDITORS + 1} auditors")
            began = timezone.now() - timedelta(days=7)
            images = Image.objects.filter(items__study=study)
            simulate_raters(study, {i.pk: i.provenance["truth"]["quality"] for i in images}, seed, began)
            simulate_audit(study=study, prompt_set=prompt_set, seed=seed, began=began)
            open_study(study=study)
        if study.state == Study.State.OPEN:
            join(study=study, user=people.annotator, name="demo annotator")
        Membership.objects.get_or_create(study=study, user=people.auditor, role=Membership.Role.AUDITOR)
    return study, people


def _people() -> DemoPeople:
    def account(name: str) -> User:
        user, is_new = User.objects.get_or_create(username=name)
        if is_new:
            user.set_unusable_password()
            user.save()
        return user

    people = DemoPeople(account("demo-researcher"), account("demo-annotator"), account("demo-auditor"))
    people.researcher.groups.add(Group.objects.get(name=RESEARCHERS))
    return people


def _study(owner: User, prompt_set: str, seed: int) -> Study:
    """The study of baseline and refined pictures, one at a time; the placebos are for pairs."""
    kinds = (Method.Kind.BASELINE, Method.Kind.REFINED)
    methods = Method.objects.filter(images__prompt__prompt_set__name=prompt_set, kind__in=kinds).distinct()
    selection = Selection(
        prompt_sets=(PromptSet.objects.get(name=prompt_set).pk,), methods=tuple(m.pk for m in methods.order_by("pk"))
    )
    study = Study(
        title=demo_title(seed),
        owner=owner,
        notes=NOTES,
        consent=CONSENT,
        instructions=INSTRUCTIONS,
        raters_per_item=N_RATERS + ROOM_FOR_PEOPLE,
        seed=seed,
        is_simulated=True,
    )
    return create_study(study=study, dimensions=[Dimension(**DEFAULT.fields())], selection=selection)


def simulate_raters(study: Study, true_quality: Mapping[int, float], seed: int, began: datetime) -> None:
    """Every simulated rater answers every item, in its order, one after another.

    true_quality: by the row id of each item's image
    """
    dimension = study.dimensions.get()
    items = list(study.items.order_by("position").prefetch_related("images"))
    images = [item.images.all()[0] for item in items]
    quality = [true_quality[image.pk] for image in images]
    # In the order of the pictures' keys, so that no answer depends on the order of the study's items.
    by_key = np.argsort([image.key for image in images])
    ratings = simulation.simulate_ratings(np.asarray(quality)[by_key], simulation.rater_panel(N_RATERS, seed), seed)
    raters = Rater.objects.bulk_create(
        Rater(study=study, name=profile.name, kind=Rater.Kind.SIMULATED, next_sequence=len(items))
        for profile in ratings.panel
    )
    assignments: list[Assignment] = []
    responses: list[Response] = []
    clocks = [began] * len(raters)
    order = np.lexsort((by_key[ratings.item], ratings.rater))
    for i in order.tolist():
        place, who = int(by_key[ratings.item[i]]), int(ratings.rater[i])
        shown_at = clocks[who] + timedelta(seconds=1)
        clocks[who] = shown_at + timedelta(milliseconds=int(ratings.active_ms[i]))
        assignment = Assignment(
            study=study,
            item=items[place],
            rater=raters[who],
            sequence=place,
            state=Assignment.State.ANSWERED,
            answered_at=clocks[who],
        )
        assignments.append(assignment)
        responses.append(
            Response(
                assignment=assignment,
                dimension=dimension,
                image=images[place],
                level=None if ratings.unable[i] else int(ratings.value[i]) - 1,
                is_unable=bool(ratings.unable[i]),
                shown_at=shown_at,
                answered_at=clocks[who],
                active_ms=int(ratings.active_ms[i]),
            )
        )
    Assignment.objects.bulk_create(assignments)
    Response.objects.bulk_create(responses)
    Item.objects.filter(study=study).update(taken=F("taken") + len(raters))
