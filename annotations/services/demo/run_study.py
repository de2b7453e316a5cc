"""The study of the demo's run: the small model's images, rated and audited by simulated people who see the pixels."""

from datetime import timedelta

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from annotations.models import Dimension, Membership, Study
from annotations.queries.candidates import Selection
from annotations.questions import DEFAULT
from annotations.services.demo.audit import simulate_run_audit
from annotations.services.demo.study import CONSENT, N_RATERS, ROOM_FOR_PEOPLE, simulate_raters
from annotations.services.studies import create_study, join, open_study
from generation.models import Image, Run
from generation.queries.demo_run import seen_qualities
from generation.queries.runs.images import asked_methods

TITLE = "Do these drawings match their prompts? (demo)"
NOTES = (
    "The images of the demo's run “{run}” (number {number}), drawn by the small model of scenes. The raters and "
    "auditors who are called simulated judge by what an independent check finds in the pixels: docs/demo-study.md "
    "explains how."
)
INSTRUCTIONS = (
    "Each card shows a small drawing and the prompt that it was made from. Compare them thing by thing: is everything "
    "there, in the right colour, shape and number, and do the things relate to each other as the prompt says? Then "
    "choose the level that fits best. If you cannot decide, say so: that is an answer too."
)
SEED = 0


def study_of_demo_run(*, run: Run, owner: User, annotator: User, auditor: User | None = None) -> Study:
    """The open study of every image that the run's methods made; created if it does not exist, all or nothing.

    Simulated raters answer every item, and each item wants some real raters as well; the annotator has joined.
    Simulated auditors have judged every claim of the images' critics, and the auditor may audit too. Raises
    ValidationError while there is no image, and ValueError for a run of other prompts than the demo's.
    """
    with transaction.atomic():
        existing = Study.objects.filter(title=TITLE, owner=owner, is_simulated=True).first()
        if existing is not None:
            return existing
        study = create_study(
            study=Study(
                title=TITLE,
                owner=owner,
                notes=NOTES.format(run=run.name, number=run.pk),
                consent=CONSENT,
                instructions=INSTRUCTIONS,
                raters_per_item=N_RATERS + ROOM_FOR_PEOPLE,
                seed=SEED,
                is_simulated=True,
            ),
            dimensions=[Dimension(**DEFAULT.fields())],
            selection=Selection((run.prompt_set_id,), tuple(m.pk for m in asked_methods(run)), run=run.pk),
        )
        images = list(Image.objects.filter(items__study=study).select_related("prompt"))
        qualities = seen_qualities(images)
        if len(qualities) < len(images):
            raise ValueError(f"{len(images) - len(qualities)} images of run {run.pk} are of no prompt of the demo")
        simulate_raters(study, qualities, SEED, timezone.now() - timedelta(days=7))
        simulate_run_audit(study=study, seed=SEED, began=timezone.now() - timedelta(days=7))
        open_study(study=study)
        join(study=study, user=annotator, name="demo annotator")
        if auditor is not None:
            Membership.objects.create(study=study, user=auditor, role=Membership.Role.AUDITOR)
    return study
