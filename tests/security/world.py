"""One study with everything that an address can name, and one account for each persona."""

from dataclasses import dataclass

from django.contrib.auth.models import User
from django.core.files.base import ContentFile
from django.test import Client
from django.utils import timezone

from annotations import dispatch
from annotations.models import Assignment, Membership, Study
from annotations.queries import audits as queries
from annotations.services import deletion
from annotations.services.audits import adjudication, answers, work
from annotations.services.audits.answers import ErrorListed
from annotations.services.rating import reserve
from generation.models import Critique, ImportRun
from tests.annotations.audit_rows import do_audit, make_audited_study, make_auditor, make_open_plan, user_of
from tests.factories import make_answer, make_image, make_member, make_rater, make_study, make_user
from tests.generation.planned_runs import make_run

PERSONAS = ("stranger", "annotator", "auditor", "other", "member", "owner", "superuser")
"""`other` runs a study of their own and may import; `member` is a researcher of this study alone."""


@dataclass(frozen=True)
class World:
    study: Study
    users: dict[str, User]
    arguments: dict[str, object]
    """What stands in addresses, by its name there or by `address:name` where one name means several things."""

    def client(self, persona: str) -> Client:
        client = Client()
        if persona in self.users:
            client.force_login(self.users[persona])
        return client


def make_world() -> World:
    owner = make_user("olga-owner", researcher=True)
    study = make_audited_study(n_images=3, with_controls=True, owner=owner, title="Whose study")
    users = {
        "owner": owner,
        "annotator": make_user("anna-annotator"),
        "member": make_member(study, make_user("mona-member")),
        "other": make_user("otto-other", researcher=True),
        "superuser": make_user("susi-superuser", is_superuser=True),
    }
    make_study(owner=users["other"], n_items=1)
    membership = study.memberships.get(user=users["member"], role=Membership.Role.RESEARCHER)
    spare = Membership.objects.create(study=study, user=make_user(), role=Membership.Role.RESEARCHER)
    assert membership.pk != spare.pk

    rater = make_rater(study, users["annotator"])
    for item in study.items.all()[:1]:
        for level in (1, 2):
            make_answer(item, make_rater(study), level=level)
    assert reserve(rater=rater)
    card = Assignment.objects.filter(rater=rater)[0]

    images = list(queries.study_images(study).order_by("pk"))
    refined = make_image(parent=images[0])
    plan = make_open_plan(study, with_repair=True, pairs=[(images[0].pk, refined.pk)])
    first, second, third = (make_auditor(study, name) for name in ("audrey-auditor", "bea", "cleo"))
    for auditor, value in ((second, "right"), (third, "wrong")):
        while audit := work.reserve(auditor=auditor, plan=plan):
            listed = ErrorListed(key=f"k{audit.pk}", text="an arm too many")
            answers.list_error(audit=audit, listed=listed, answered_at=timezone.now())
            do_audit(audit, value=value)
    decision = adjudication.reserve_adjudication(auditor=first, plan=plan, now=timezone.now())
    plan.auditors_per_image = 3
    plan.save()
    plan.items.update(wanted=3)
    audit = work.reserve(auditor=first, plan=plan)
    assert decision is not None
    assert audit is not None
    users["auditor"] = user_of(first)

    snapshot = dispatch.find_report(study=study, comparisons=[], user=owner).snapshot
    run = ImportRun.objects.create(
        kind="prompts",
        owner=owner,
        file_name="prompts.csv",
        state=ImportRun.State.DONE,
        started_at=timezone.now(),
        ended_at=timezone.now(),
        lease_until=timezone.now(),
        upload=ContentFile(b"prompt\na cat\n", "prompts.csv"),
        rejects=ContentFile(b"row\n", "rejects.csv"),
    )
    deletion.ask_deletion(study=study)
    Study.objects.filter(pk=study.pk).update(state=Study.State.OPEN)
    arguments: dict[str, object] = {
        "invitation": study.invitation,
        "study_token": study.token,
        "token": study.token,
        "place": 0,
        "image_id": images[0].pk,
        "prompt_id": images[0].prompt_id,
        "set_id": images[0].prompt.prompt_set_id,
        "critique_id": Critique.objects.filter(image=images[0])[0].pk,
        "membership_id": spare.pk,
        "snapshot_id": snapshot.pk,
        "run_id": run.pk,
        "kind": "prompts",
        "ending": "csv",
        "name": "answers",
        "study-report-file:ending": "html",
        "study-critic-file:ending": "html",
        "study-results-table:name": "agreement",
        "study-critic-table:name": "critic",
    }
    drawn = make_run(owner=owner, n_prompts=1)
    of_runs = ("run", "run-failures", "run-manifest", "run-pause", "run-resume", "run-cancel", "run-retry")
    of_api = ("", "-images", "-manifest", "-failures", "-pause", "-resume", "-cancel", "-retry")
    for address in (*of_runs, *(f"api-run{part}" for part in of_api), "study-from-run"):
        arguments[f"{address}:run_id"] = drawn.pk
    for address in ("rate-image", "rate-card", "rate-answer"):
        arguments[f"{address}:token"] = card.token
    for address in ("audit-image", "audit-work", "audit-save", "audit-missed", "audit-withdraw"):
        arguments[f"{address}:token"] = audit.token
    for address in ("audit-decide", "audit-decide-save"):
        arguments[f"{address}:token"] = decision.token
    return World(study, users, arguments)
