"""One study with everything that an address can name, and one account for each persona."""

from dataclasses import dataclass

from django.contrib.auth.models import User
from django.core.files.base import ContentFile
from django.test import Client
from django.utils import timezone

from annotations import dispatch
from annotations.models import Assignment, Delivery, Item, Membership, Panel, Registration, Study, Trial, Webhook
from annotations.queries.audits import work as queries
from annotations.queries.planning.present import present_plan
from annotations.reports.registration.plan import registration_file
from annotations.services import deletion
from annotations.services.audits import adjudication, answers, work
from annotations.services.audits.answers import ErrorListed
from annotations.services.invitations import invite_member
from annotations.services.raters.text_images import add_text_image
from annotations.services.rating import reserve
from generation.models import Critique, ImportRun, PromptSet
from tests.annotations.audits.audit_rows import do_audit, make_audited_study, make_auditor, make_open_plan, user_of
from tests.factories import (
    make_answer,
    make_image,
    make_member,
    make_rater,
    make_reference,
    make_study,
    make_token,
    make_user,
    tiny_png,
)
from tests.generation.runs.planned_runs import make_run

PERSONAS = ("stranger", "annotator", "auditor", "other", "member", "owner", "superuser")
"""`other` runs a study of their own and may import; `member` is a researcher of this study alone."""


@dataclass(frozen=True)
class World:
    study: Study
    users: dict[str, User]
    arguments: dict[str, object]
    """The variable parts of addresses, by its name there or by `address:name` where one name means several things."""

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
    make_token(owner)
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
    PromptSet.objects.filter(prompts__images__in=images).update(owner=owner)
    refined = make_image(parent=images[0])
    make_reference(images[0].prompt)
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
    content = registration_file(present_plan(study), made_at="2026-01-01T00:00:00+00:00", number=1).decode()
    Registration.objects.create(study=study, number=1, content=content, digest="0" * 64, made_at=timezone.now())
    item = study.items.filter(taken__gte=2)[0]
    hook = Webhook.objects.create(study=study, url="https://example.org/", events=["study.opened"])
    delivery = Delivery.objects.create(webhook=hook, event="study.opened", payload={}, due_at=timezone.now())
    arguments: dict[str, object] = {
        "webhook_id": hook.pk,
        "delivery_id": delivery.pk,
        "invitation": study.invitation,
        "secret": invite_member(study=study, role=Membership.Role.AUDITOR, by=owner),
        "invitation_id": study.member_invitations.get().pk,
        "study_token": study.token,
        "token": study.token,
        "card": f"{study.token}.0",
        "language": "de",
        "place": 0,
        "item_id": item.pk,
        "image_id": item.images.get().pk,
        "study-selection-figure:ending": "pdf",
        "study-registration-file:name": "osf.md",
        "prompt_id": images[0].prompt_id,
        "set_id": images[0].prompt.prompt_set_id,
        "critique_id": Critique.objects.filter(image=images[0])[0].pk,
        "membership_id": spare.pk,
        "rater_id": rater.pk,
        "user_id": users["other"].pk,
        "snapshot_id": snapshot.pk,
        "run_id": run.pk,
        "kind": "prompts",
        "ending": "csv",
        "name": "answers",
        "token_id": owner.api_tokens.get().pk,
        "uidb64": "MQ",
        "password-set:token": "made-up",
        "study-report-file:ending": "html",
        "study-paper-file:name": "methods.tex",
        "study-figure:name": "alignment-agreement-agreement-between-raters",
        "study-figure:ending": "svg",
        "study-critic-file:ending": "html",
        "study-results-table:name": "agreement",
        "study-critic-table:name": "critic",
        "study-export-format:name": "wide-by-rater",
        "api-study-format:name": "wide-by-rater",
    }
    drawn = make_run(owner=owner, n_prompts=1)
    of_runs = ("run", "run-failures", "run-manifest", "run-pause", "run-resume", "run-cancel", "run-retry")
    of_api = ("", "-images", "-manifest", "-failures", "-pause", "-resume", "-cancel", "-retry")
    for address in (*of_runs, *(f"api-run{part}" for part in of_api), "study-from-run"):
        arguments[f"{address}:run_id"] = drawn.pk
    practice = Item.with_checks.create(
        study=study, role=Item.Role.PRACTICE, position=0, key="practice-1", prompt=images[0].prompt, wanted=0
    )
    practice.item_images.create(image=images[0], slot=0)
    shown = add_text_image(study=study, name="example", content=tiny_png(1), by=owner)
    arguments |= {"image_token": shown.token, "text_image_id": shown.pk}
    Panel.objects.create(study=study, participant_parameter="PROLIFIC_PID", is_only_way=False)
    arguments["study-panel-file:name"] = "approvals"
    arguments["study-exercise-remove:item_id"] = practice.pk
    arguments["rated_item"] = study.items.order_by("-position")[0].pk
    arguments["rate-exercise-image:token"] = Trial.objects.create(rater=rater, item=practice).token
    for address in ("rate-image", "rate-card", "rate-answer", "rate-skip", "api-card", "api-card-image"):
        arguments[f"{address}:token"] = card.token
    for address in ("audit-image", "audit-work", "audit-save", "audit-missed", "audit-withdraw"):
        arguments[f"{address}:token"] = audit.token
    for address in ("audit-decide", "audit-decide-save"):
        arguments[f"{address}:token"] = decision.token
    return World(study, users, arguments)
