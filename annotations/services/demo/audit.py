"""The demo's critic on trial: simulated auditors, the errors they list, their disagreements and their pairs."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
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
from annotations.services.demo.repairs import check_parts, compare_pair, errors_of, mark_of
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
"""A listed error, and which of its image's errors it is: −1 for none."""


@dataclass(frozen=True)
class _Trial:
    """What everybody would say if asked. Images go by their place in `images`, auditors by theirs in `panel`."""

    seed: int
    images: list[Image]
    claims: list[tuple[Claim, Critique]]
    panel: tuple[simulation.AuditorProfile, ...]
    lists_first: NDArray[np.bool_]
    verdicts: dict[tuple[int, int], list[SimulatedVerdict]]
    """(auditor, image) → verdicts on all claims about it."""
    listed: dict[tuple[int, int], list[Listed]]

    def judges(self, where: int) -> list[int]:
        """Who works on an image and its pairs: all three on every other image, two in turn on the rest.

        Three lists let errors that nobody listed be estimated well; two auditors can be tied. The last of the panel
        works on none of them, and settles what the others are tied on.
        """
        absent = (where // 2) % N_AUDITORS if where % 2 else None
        return [who for who in range(min(N_AUDITORS, len(self.panel))) if who != absent]


def simulate_audit(*, study: Study, prompt_set: str, seed: int, began: datetime) -> AuditPlan:
    """An open audit in which simulated auditors have worked on every image and every pair.

    They have judged each claim of the critic and of the control that saw another image, checked each part of the
    prompt, listed errors, and said what became of each claimed error in the refined picture; placebo pairs are among
    the pairs. What they are tied on, one more has settled. Each image and pair has room for real auditors.
    An auditor who lists errors first may list what a claim names too: the group of that error then holds the claim.
    """
    trial = _simulated(prompt_set, seed)
    plan = _plan(study, seed, trial)
    places = {image.pk: where for where, image in enumerate(trial.images)}
    items = list(plan.items.select_related("image__prompt", "refined__prompt").order_by("position"))
    singles = [places[item.image_id] for item in items if item.kind == AuditItem.Kind.CLAIMS]
    pairs = [item for item in items if item.kind == AuditItem.Kind.REPAIR]
    record_simulated_audits(
        plan=plan,
        audits=[_single(trial, who, where) for where in singles for who in trial.judges(where)],
        finished_at=began + timedelta(days=1),
    )
    record_simulated_groups(plan=plan, groups=_groups(trial), decided_at=began + timedelta(days=2))
    _settle(plan, trial, began + timedelta(days=3))
    record_simulated_audits(plan=plan, audits=_pairs(trial, pairs, places), finished_at=began + timedelta(days=4))
    return plan


def _simulated(prompt_set: str, seed: int) -> _Trial:
    critiques = Critique.objects.filter(image__prompt__prompt_set__name=prompt_set).order_by("pk")
    claims = [(claim, row) for row in critiques.prefetch_related("claims") for claim in row.claims.all()]
    rows = Image.objects.filter(critiques__in=critiques).distinct().select_related("prompt")
    images = list(rows.order_by("key"))
    places = {image.pk: where for where, image in enumerate(images)}
    errors = [(where, number) for where, image in enumerate(images) for number in range(len(errors_of(image)))]
    said = simulation.simulate_audits(
        claim_is_right=[row.provenance["truth"]["claims_right"][claim.rank - 1] for claim, row in claims],
        error_image=[where for where, _ in errors],
        error_is_claimed=[errors_of(images[where])[number]["is_claimed"] for where, number in errors],
        n_images=len(images),
        panel=simulation.auditor_panel(N_AUDITORS + 1, seed),
        seed=seed,
        lists_first_share=LISTS_FIRST_SHARE,
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
        error = errors_of(images[where])[number] if which >= 0 else None
        listed[who, where].append((_listing(f"error-{n}", stage, error), number))
    return _Trial(seed, images, claims, said.panel, said.lists_first, dict(verdicts), dict(listed))


def _listing(key: str, stage: str, error: dict[str, Any] | None) -> SimulatedListing:
    if error is None:
        return SimulatedListing(key, NO_ERROR_TEXT, stage)
    words = {name: error[name] for name in ("text", "kind", "about", "severity")}
    return SimulatedListing(key, stage=stage, mark=mark_of(error), **words)


def _plan(study: Study, seed: int, trial: _Trial) -> AuditPlan:
    """Placebo pairs are the demo's own: a "refined" picture that is its baseline to the byte."""
    placebos = placebo_pairs(trial.images)
    return make_plan(
        study=study,
        created_by=study.owner,
        state=AuditPlan.State.OPEN,
        auditors_per_image=N_AUDITORS + ROOM_FOR_AUDITORS,
        lists_first_share=LISTS_FIRST_SHARE,
        seed=seed,
        critics=sorted({row.critic for _, row in trial.claims if row.source == Critique.Source.CRITIC}),
        with_planted=False,
        with_repair=True,
        placebo_pairs=[(int(parent), pk) for parent, pk in placebos.values_list("parent_id", "pk")],
    )


def _single(trial: _Trial, who: int, where: int) -> SimulatedAudit:
    image, auditor = trial.images[where], trial.panel[who]
    return SimulatedAudit(
        auditor=auditor.name,
        image_id=image.pk,
        lists_first=bool(trial.lists_first[who, where]),
        verdicts=trial.verdicts.get((who, where), ()),
        listed=[listing for listing, _ in trial.listed.get((who, where), ())],
        elements=check_parts(image, auditor, seed=trial.seed, who=who, where=where),
    )


def _pairs(trial: _Trial, pairs: list[AuditItem], places: Mapping[int, int]) -> list[SimulatedAudit]:
    """The work on each pair, by those who have judged its baseline; numbered by the refined pictures' keys."""
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
    """Each true error that somebody listed or that several claims name; a claim alone needs no group."""
    named: defaultdict[tuple[int, int], list[int]] = defaultdict(list)
    places = {image.pk: where for where, image in enumerate(trial.images)}
    for claim, row in trial.claims:
        number = row.provenance["truth"]["claims_error"][claim.rank - 1]
        if number is not None:
            named[places[row.image_id], number].append(claim.pk)
    groups = []
    for where, image in enumerate(trial.images):
        for number, error in enumerate(errors_of(image)):
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
    """In the name of the panel's last, who has worked on no image: their verdict on each claim that waits for one."""
    last = len(trial.panel) - 1
    decisions = {
        said.claim_id: said for where in range(len(trial.images)) for said in trial.verdicts.get((last, where), ())
    }
    record_simulated_adjudications(
        plan=plan, adjudicator=trial.panel[last].name, decisions=decisions, decided_at=decided_at
    )
