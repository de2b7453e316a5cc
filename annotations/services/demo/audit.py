"""The audit of the demo's critic: simulated auditors, the errors they list, their disagreements and their pairs."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from django.db.models import QuerySet
from numpy.typing import NDArray

from annotations import simulation
from annotations.models import AuditItem, AuditPlan, Study, Verdict
from annotations.services.audits import (
    SimulatedAudit,
    SimulatedGroup,
    SimulatedListing,
    SimulatedVerdict,
    make_plan,
    record_simulated_adjudications,
    record_simulated_audits,
    record_simulated_groups,
)
from annotations.services.demo.repairs import check_parts, compare_pair, mark_of, parts_there
from annotations.services.demo.truth import Truth, recorded_truth, seen_truth
from generation.models import Claim, Critique, Image
from generation.queries.demo import placebo_pairs

N_AUDITORS = 3
ROOM_FOR_AUDITORS = 5
LISTS_FIRST_SHARE = 0.5
NO_ERROR_TEXT = "Something here looks wrong."
REASONS = {
    "": Verdict.Reason.NONE,
    "not there": Verdict.Reason.NOT_THERE,
    "misread": Verdict.Reason.MISREAD,
    "about something else": Verdict.Reason.ELSEWHERE,
    "contradicts the prompt": Verdict.Reason.CONTRADICTS,
}
VERDICTS = {
    "right": Verdict.Value.RIGHT,
    "partly right": Verdict.Value.PARTLY,
    "wrong": Verdict.Value.WRONG,
    "cannot tell": Verdict.Value.CANNOT_TELL,
}
Listed = tuple[SimulatedListing, int]
"""A listed error, and the index of the true error of its image that it names: −1 for none."""


@dataclass(frozen=True)
class _Trial:
    """Every auditor's answers, if asked. Images are numbered by their place in `images`, auditors by theirs in
    `panel`."""

    seed: int
    images: list[Image]
    claims: list[tuple[Claim, Critique]]
    truth: Truth
    panel: tuple[simulation.AuditorProfile, ...]
    lists_first: NDArray[np.bool_]
    verdicts: dict[tuple[int, int], list[SimulatedVerdict]]
    """(auditor, image) → verdicts on all claims about it."""
    listed: dict[tuple[int, int], list[Listed]]

    def errors_of(self, where: int) -> Sequence[Mapping[str, Any]]:
        return self.truth.errors[self.images[where].pk]

    def judges(self, where: int) -> list[int]:
        """The auditors who work on an image and its pairs: all three on every other image, two in turn on the rest.

        With three lists, errors that nobody listed can be estimated well; two auditors can be tied. The last of the
        panel works on no image, and settles the ties of the others.
        """
        absent = (where // 2) % N_AUDITORS if where % 2 else None
        return [who for who in range(min(N_AUDITORS, len(self.panel))) if who != absent]


def simulate_audit(*, study: Study, prompt_set: str, seed: int, began: datetime) -> AuditPlan:
    """An open audit in which simulated auditors have worked on every image and every pair.

    They have judged each claim of the critic and of the control that saw another image, checked each part of the
    prompt, listed errors, and said what happened to each claimed error in the refined picture; placebo pairs are among
    the pairs. One more auditor has settled ties. Each image and pair has room for real auditors.
    An auditor who lists errors first may list an error that a claim also names: that error's group then contains the
    claim.
    """
    critiques = Critique.objects.filter(image__prompt__prompt_set__name=prompt_set)
    trial = _simulated(critiques, recorded_truth, seed, LISTS_FIRST_SHARE)
    # Placebo pairs are the demo's own: a "refined" picture that is its baseline to the byte.
    placebos = placebo_pairs(trial.images).values_list("parent_id", "pk")
    plan = _plan(study, trial, LISTS_FIRST_SHARE, placebos=[(int(parent), pk) for parent, pk in placebos])
    places = {image.pk: where for where, image in enumerate(trial.images)}
    items = list(plan.items.select_related("image__prompt", "refined__prompt").order_by("position"))
    pairs = [item for item in items if item.kind == AuditItem.Kind.REPAIR]
    _work_on_images(plan, trial, began)
    record_simulated_audits(plan=plan, audits=_pairs(trial, pairs, places), finished_at=began + timedelta(days=4))
    return plan


def simulate_run_audit(*, study: Study, seed: int, began: datetime) -> AuditPlan:
    """An open audit of every critic of the study's images, which are of the demo's run, and of the critics' controls.

    The simulated auditors rely on what the independent check sees in the pixels. Each lists errors before seeing any
    claim, so an error that one critic names is also known for a critic that does not name it.
    """
    critiques = Critique.objects.filter(image__items__study=study)
    trial = _simulated(critiques, seen_truth, seed, 1.0)
    plan = _plan(study, trial, 1.0)
    _work_on_images(plan, trial, began)
    return plan


def _work_on_images(plan: AuditPlan, trial: _Trial, began: datetime) -> None:
    """Everything about single images: audits, which listed errors are the same, and ties between auditors."""
    places = {image.pk: where for where, image in enumerate(trial.images)}
    items = plan.items.filter(kind=AuditItem.Kind.CLAIMS).order_by("position")
    singles = [places[image] for image in items.values_list("image_id", flat=True)]
    record_simulated_audits(
        plan=plan,
        audits=[_single(trial, who, where) for where in singles for who in trial.judges(where)],
        finished_at=began + timedelta(days=1),
    )
    record_simulated_groups(plan=plan, groups=_groups(trial), decided_at=began + timedelta(days=2))
    _settle(plan, trial, began + timedelta(days=3))


def _simulated(
    critiques: QuerySet[Critique],
    truth_of: Callable[[list[Image], list[tuple[Claim, Critique]]], Truth],
    seed: int,
    lists_first_share: float,
) -> _Trial:
    rows = critiques.distinct().order_by("pk").prefetch_related("claims")
    claims = [(claim, row) for row in rows for claim in row.claims.all()]
    images = list(
        Image.objects.filter(critiques__in=critiques).distinct().select_related("prompt").order_by("key", "pk")
    )
    truth = truth_of(images, claims)
    places = {image.pk: where for where, image in enumerate(images)}
    errors = [(where, number) for where, image in enumerate(images) for number in range(len(truth.errors[image.pk]))]

    def error_at(where: int, number: int) -> Mapping[str, Any]:
        return truth.errors[images[where].pk][number]

    said = simulation.simulate_audits(
        claim_is_right=[truth.named[claim.pk] is not None for claim, _ in claims],
        error_image=[where for where, _ in errors],
        error_is_claimed=[error_at(where, number)["is_claimed"] for where, number in errors],
        n_images=len(images),
        panel=simulation.auditor_panel(N_AUDITORS + 1, seed),
        seed=seed,
        lists_first_share=lists_first_share,
    )
    verdicts: defaultdict[tuple[int, int], list[SimulatedVerdict]] = defaultdict(list)
    for n, (who, which) in enumerate(zip(said.auditor.tolist(), said.claim.tolist(), strict=True)):
        claim, row = claims[which]
        verdicts[who, places[row.image_id]].append(
            SimulatedVerdict(
                claim.pk,
                VERDICTS[str(said.verdict[n])],
                reason=REASONS[str(said.reason[n])],
                active_ms=int(said.active_ms[n]),
            )
        )
    listed: defaultdict[tuple[int, int], list[Listed]] = defaultdict(list)
    found = zip(said.listed_auditor.tolist(), said.listed_image.tolist(), said.listed_error.tolist(), strict=True)
    for n, (who, where, which) in enumerate(found):
        number = errors[which][1] if which >= 0 else -1
        stage = "before" if said.lists_first[who, where] else "after"
        error = error_at(where, number) if which >= 0 else None
        listed[who, where].append((_listing(f"error-{n}", stage, error), number))
    return _Trial(seed, images, claims, truth, said.panel, said.lists_first, dict(verdicts), dict(listed))


def _listing(key: str, stage: str, error: Mapping[str, Any] | None) -> SimulatedListing:
    if error is None:
        return SimulatedListing(key, NO_ERROR_TEXT, stage)
    words = {name: error[name] for name in ("text", "kind", "about", "severity")}
    return SimulatedListing(key, stage=stage, mark=mark_of(error), **words)


def _plan(
    study: Study, trial: _Trial, lists_first_share: float, *, placebos: Sequence[tuple[int, int]] | None = None
) -> AuditPlan:
    """The plan with room for real auditors; it has pairs only if placebo pairs are given."""
    return make_plan(
        study=study,
        created_by=study.owner,
        state=AuditPlan.State.OPEN,
        auditors_per_image=N_AUDITORS + ROOM_FOR_AUDITORS,
        lists_first_share=lists_first_share,
        seed=trial.seed,
        critics=sorted({row.critic for _, row in trial.claims if row.source == Critique.Source.CRITIC}),
        with_planted=False,
        with_repair=placebos is not None,
        placebo_pairs=placebos,
    )


def _single(trial: _Trial, who: int, where: int) -> SimulatedAudit:
    image, auditor = trial.images[where], trial.panel[who]
    there = parts_there(image, trial.errors_of(where))
    return SimulatedAudit(
        auditor=auditor.name,
        image_id=image.pk,
        lists_first=bool(trial.lists_first[who, where]),
        verdicts=trial.verdicts.get((who, where), ()),
        listed=[listing for listing, _ in trial.listed.get((who, where), ())],
        elements=check_parts(there, auditor, seed=trial.seed, who=who, where=where),
    )


def _pairs(trial: _Trial, pairs: list[AuditItem], places: Mapping[int, int]) -> list[SimulatedAudit]:
    """The work on each pair, by the auditors who have judged its baseline; numbered by the refined pictures' keys."""
    claims: defaultdict[int, list[Claim]] = defaultdict(list)
    for claim, row in trial.claims:
        if row.source == Critique.Source.CRITIC:
            claims[row.image_id].append(claim)
    by_key = sorted(item.refined.key for item in pairs if item.refined)
    numbers = {key: number for number, key in enumerate(by_key)}
    return [
        compare_pair(
            item.image,
            item.refined,
            claims[item.image_id],
            trial.panel[who],
            seed=trial.seed,
            who=who,
            where=numbers[item.refined.key],
        )
        for item in pairs
        if item.refined
        for who in trial.judges(places[item.image_id])
    ]


def _groups(trial: _Trial) -> list[SimulatedGroup]:
    """Each true error that somebody listed or that several claims name; a single claim needs no group."""
    named: defaultdict[tuple[int, int], list[int]] = defaultdict(list)
    places = {image.pk: where for where, image in enumerate(trial.images)}
    for claim, row in trial.claims:
        number = trial.truth.named[claim.pk]
        if number is not None:
            named[places[row.image_id], number].append(claim.pk)
    groups = []
    for where, image in enumerate(trial.images):
        for number, error in enumerate(trial.errors_of(where)):
            listed = [
                (trial.panel[who].name, listing.key)
                for who in trial.judges(where)
                for listing, which in trial.listed.get((who, where), ())
                if which == number
            ]
            claim_ids = named[where, number]
            if listed or len(claim_ids) > 1:
                groups.append(SimulatedGroup(image.pk, error["text"], error["kind"], error["about"], claim_ids, listed))
    return groups


def _settle(plan: AuditPlan, trial: _Trial, decided_at: datetime) -> None:
    """Verdicts of the panel's last auditor, who has worked on no image, on each claim that waits for one."""
    last = len(trial.panel) - 1
    decisions = {
        said.claim_id: said for where in range(len(trial.images)) for said in trial.verdicts.get((last, where), ())
    }
    record_simulated_adjudications(
        plan=plan, adjudicator=trial.panel[last].name, decisions=decisions, decided_at=decided_at
    )
