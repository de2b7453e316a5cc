"""What auditors can see, download and erase, and the effect on the audit."""

import pytest
from django.test import Client
from django.utils import timezone

from annotations.models import Adjudication, AuditItem, Auditor, Erasure, MissedError, MissedErrorGroup, Verdict
from annotations.services.audits import adjudication, answers, work
from annotations.services.audits.answers import ErrorListed
from annotations.services.audits.groups import Group, save_groups
from annotations.services.critic_reports import find_critic_report
from annotations.services.exports import export_study
from tests.annotations.audits.audit_rows import do_audit, make_audited_study, make_auditor, make_open_plan, user_of
from tests.annotations.raters.test_my_data import everything_stored

pytestmark = pytest.mark.django_db
NAME = "Wilhelmina Quist"
WORDS = "an arm too many on the left"


def test_after_erasure_an_auditor_is_nowhere_and_the_counts_add_up(client: Client) -> None:
    study = make_audited_study(n_images=3, with_controls=True)
    plan = make_open_plan(study)
    mine, other, third = (make_auditor(study, name) for name in (NAME, "bea", "cleo"))
    for auditor, value in ((mine, "right"), (other, "wrong")):
        while audit := work.reserve(auditor=auditor, plan=plan):
            listed = ErrorListed(key=f"k{audit.pk}", text=WORDS if auditor == mine else "a cup")
            answers.list_error(audit=audit, listed=listed, answered_at=timezone.now())
            do_audit(audit, value=value)
    (mine_first, other_first), (mine_second, _) = (
        [MissedError.objects.get(auditor=auditor, image=image) for auditor in (mine, other)]
        for image in MissedError.objects.filter(auditor=mine).order_by("image").values_list("image", flat=True)[:2]
    )
    for errors in ([mine_first, other_first], [mine_second]):
        group = Group(missed=[error.pk for error in errors])
        save_groups(study=study, image_id=errors[0].image_id, groups=[group], decided_by=None)
    held = adjudication.reserve_adjudication(auditor=third, plan=plan, now=timezone.now())
    assert held is not None
    Adjudication.objects.filter(pk=held.pk).update(adjudicator=mine)
    find_critic_report(study=study, partly="right")
    export_study(study=study)
    user, n_others = user_of(mine), Verdict.objects.filter(auditor=other).count()
    account = user.username
    assert NAME in everything_stored()
    client.force_login(user)

    page, taken = client.get("/my-data/").content.decode(), client.get("/my-data/my-data.json").json()["audits"][0]
    assert NAME in page
    assert len(taken["verdicts"]) == Verdict.objects.filter(auditor=mine).count() > 0
    assert {one["text"] for one in taken["errors_listed"]} == {WORDS}
    assert client.post(f"/my-data/{study.token}/erase-audits/").status_code == 422
    client.post(f"/my-data/{study.token}/erase-audits/", {"sure": "1"})

    stored = everything_stored()
    assert NAME not in stored
    assert account not in stored
    assert WORDS not in stored
    assert not Auditor.objects.filter(pk=mine.pk).exists()
    assert Verdict.objects.filter(auditor=other).count() == n_others
    assert MissedError.objects.filter(auditor=other).exists()
    assert list(MissedErrorGroup.objects.values_list("text", "missed_errors")) == [("a cup", other_first.pk)]
    held.refresh_from_db()
    assert (held.state, held.adjudicator) == (Adjudication.State.WAITING, None)
    places = [
        (one.taken, one.audits.filter(state__in=("leased", "finished")).count()) for one in AuditItem.objects.all()
    ]
    assert all(taken == used for taken, used in places)
    assert Erasure.objects.get().n_cards == 3
    assert work.reserve(auditor=third, plan=plan) is not None  # the places are free for others
