"""Many auditors at once, through the real views, each in a thread with a database connection of its own."""

import re

import pytest
from django.test import Client
from django.urls import reverse

from annotations.models import Adjudication, Audit, Auditor, Study, Verdict
from tests.annotations.audits.audit_rows import make_audited_study, make_auditor, make_open_plan, user_of
from tests.annotations.test_rating_at_once import at_once

pytestmark = pytest.mark.django_db(transaction=True)
N_AUDITORS, N_IMAGES, K = 6, 8, 2
VALUES = ("right", "wrong", "partly")


def work(auditor: Auditor, study: Study, value: str) -> None:
    """Audit until nothing comes; every answer and every end comes twice, as from an impatient finger."""
    client = Client()
    client.force_login(user_of(auditor))
    for _ in range(N_IMAGES + 1):
        page = client.get(reverse("audit", args=[study.token])).content.decode()
        found = re.search(r'data-stage="claims"\s+data-token="([^"]+)"', page)
        if not found:
            return
        url = reverse("audit-save", args=[study.token, found.group(1)])
        sent = {"c0": value, "c0-reason": "misread", "c1": "right", "then": "finish"}
        for _ in range(2):
            assert client.post(url, sent).status_code == 302


def test_never_too_many_auditors_per_image_nobody_twice_and_one_verdict_each() -> None:
    study = make_audited_study(n_images=N_IMAGES)
    plan = make_open_plan(study, auditors_per_image=K, with_elements=False)
    auditors = [make_auditor(study) for _ in range(N_AUDITORS)]

    at_once([lambda a=a, i=i: work(a, study, VALUES[i % 3]) for i, a in enumerate(auditors)])  # type: ignore[misc]
    for auditor in auditors:  # those who had to wait while others held the last ones come again
        work(auditor, study, "cannot_tell")

    assert list(plan.items.values_list("taken", flat=True)) == [K] * N_IMAGES
    finished = Audit.objects.filter(state="finished")
    assert finished.count() == N_IMAGES * K
    assert len(set(finished.values_list("item", "auditor"))) == N_IMAGES * K
    assert Verdict.objects.count() == N_IMAGES * K * 2  # none twice, none lost
    # What the two said of the first claim differs or not: exactly the ties between those who could tell are queued.
    tied = 0
    for item in plan.items.all():
        audits = finished.filter(item=item)
        verdicts = Verdict.objects.filter(audit__in=audits)
        for claim in audits[0].claim_order:
            said = set(verdicts.filter(claim=claim).values_list("value", flat=True)) - {"cannot_tell"}
            tied += len(said) == 2
    assert Adjudication.objects.count() == tied


def test_a_disagreement_goes_to_one_adjudicator() -> None:
    study = make_audited_study(n_images=1, n_claims=2)
    plan = make_open_plan(study, with_elements=False)
    for value in ("right", "wrong"):
        work(make_auditor(study), study, value)
    # The order of the claims is each auditor's own: one or two of them are disputed.
    n = Adjudication.objects.count()
    assert n >= 1
    others = [make_auditor(study) for _ in range(5)]
    clients = []
    for other in others:
        client = Client()
        client.force_login(user_of(other))
        clients.append(client)

    at_once([lambda c=c: c.get(reverse("audit", args=[study.token])) for c in clients])  # type: ignore[misc]

    held = Adjudication.objects.filter(state="leased").values_list("adjudicator", flat=True)
    assert len(held) == len(set(held)) == n
    assert plan.items.get().taken == 2
