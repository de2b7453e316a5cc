"""The researcher's audit tab: planning, following, splitting critiques, planting claims."""

import pytest
from django.test import Client
from django.urls import reverse

from annotations.models import AuditItem, AuditPlan, ItemImage, Membership, Study
from annotations.queries.audits import work as queries
from annotations.services.audits import make_plan, plans, work
from generation.models import Activity, Claim, Critique, Image, PromptSet
from tests.annotations.audits.audit_rows import (
    OTHER_CRITIC,
    do_audit,
    make_audited_study,
    make_auditor,
    make_critique,
    make_open_plan,
)
from tests.factories import make_image, make_study, make_user

pytestmark = pytest.mark.django_db


def researcher(study: Study) -> Client:
    client = Client()
    client.force_login(study.owner)
    return client


def plan_url(study: Study) -> str:
    return reverse("study-audit", args=[study.token])


def form(**fields: object) -> dict[str, object]:
    return {
        "critics": ["critic Zephyr-7"],
        "auditors_per_image": "2",
        "lists_first_percent": "50",
        "placebo_percent": "10",
        "lease_minutes": "60",
        "seed": "7",
        "with_elements": "on",
    } | fields


class TestPlanning:
    def test_without_a_critique_it_says_what_to_do(self) -> None:
        study = make_study(n_items=1)
        assert "No critiques yet" in researcher(study).get(plan_url(study)).content.decode()

    def test_the_form_makes_the_plan(self) -> None:
        study = make_audited_study(n_images=3)
        method = queries.study_images(study)[0].method
        client = researcher(study)
        page = client.get(plan_url(study)).content.decode()
        assert "3 images of this study have a critique" in page

        response = client.post(plan_url(study), form(error_free=[method.pk], with_planted="on"), follow=True)

        plan = AuditPlan.objects.get()
        assert "3 images and pairs to judge" in response.content.decode()
        assert (plan.lists_first_share, plan.seed, plan.with_planted, plan.with_wrong_image) == (0.5, 7, True, False)
        assert (plan.critics, plan.state, plan.created_by) == (["critic Zephyr-7"], "draft", study.owner)
        assert set(plan.items.values_list("control", "wanted", "kind")) == {("clean", 2, "claims")}

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("critics", []),
            ("critics", ["nobody"]),
            ("auditors_per_image", "0"),
            ("lists_first_percent", "101"),
            ("seed", "-1"),
        ],
    )
    def test_what_cannot_be_is_refused(self, field: str, value: object) -> None:
        study = make_audited_study(n_images=1)
        response = researcher(study).post(plan_url(study), form(**{field: value}))
        assert 'class="errorlist' in response.content.decode()
        assert not AuditPlan.objects.exists()

    def test_pairs_and_placebos_follow_from_what_was_refined(self) -> None:
        study = make_audited_study(n_images=4, n_claims=1)
        first, second, third, fourth = queries.study_images(study).order_by("pk")
        Image.objects.filter(pk=second.pk).update(parent=first)
        Image.objects.filter(pk=fourth.pk).update(parent=third)
        plan = make_plan(study=study, with_repair=True, placebo_share=0.5)
        pairs = plan.items.filter(kind="repair").order_by("image", "control")
        real = set(pairs.filter(control="").values_list("image", "refined"))
        placebos = list(pairs.filter(control="placebo").values_list("image", "refined"))
        assert real == {(first.pk, second.pk), (third.pk, fourth.pk)}
        assert len(placebos) == 1
        assert placebos[0][0] == placebos[0][1]
        assert list(plan.items.values_list("position", flat=True)) == list(range(plan.items.count()))

    def test_planted_defects_are_on_record(self) -> None:
        study = make_audited_study(n_images=2)
        image = queries.study_images(study)[0]
        known = [{"text": "a blot", "x": 0.1, "y": 0.2, "width": 0.1, "height": 0.1}]
        plan = make_plan(study=study, defects={image.pk: known})
        assert plan.items.get(control=AuditItem.Control.DEFECT).known_defects == known
        assert plan.items.filter(control="").count() == 1

    def test_images_whose_file_is_elsewhere_and_those_no_chosen_critic_saw_are_left_out(self) -> None:
        study = make_audited_study(n_images=2)
        first, second = queries.study_images(study).order_by("pk")
        Critique.objects.filter(image=second).update(critic=OTHER_CRITIC)
        make_critique(make_image(), ["Elsewhere."])
        plan = make_plan(study=study, critics=[OTHER_CRITIC])
        assert list(plan.items.values_list("image", flat=True)) == [second.pk]
        assert first.pk != second.pk


class TestRunning:
    def test_opening_adding_auditors_and_following(self) -> None:
        study = make_audited_study(n_images=1)
        plan = make_plan(study=study)
        client = researcher(study)
        make_user("audrey")
        client.post(reverse("study-audit-state", args=[study.token]), {"state": "open"})
        added = client.post(reverse("study-audit-auditors", args=[study.token]), {"username": "audrey"}, follow=True)
        assert "audrey" in added.content.decode()
        assert Membership.objects.get().role == Membership.Role.AUDITOR
        plan.refresh_from_db()
        audit = work.reserve(auditor=make_auditor(study), plan=plan)
        assert audit
        do_audit(audit)

        page = client.get(plan_url(study)).content.decode()

        assert "1 of 2 audits finished" in page
        assert reverse("audit", args=[study.token]) in page
        unknown = client.post(reverse("study-audit-auditors", args=[study.token]), {"username": "nobody"})
        assert "There is no account with the user name" in unknown.content.decode()
        client.post(reverse("study-audit-state", args=[study.token]), {"state": "nonsense"})
        plan.refresh_from_db()
        assert plan.state == "open"

    @pytest.mark.parametrize("n_auditors", [2, 12])
    def test_the_queries_do_not_grow(self, n_auditors: int, django_assert_max_num_queries) -> None:  # type: ignore[no-untyped-def]
        study = make_audited_study(n_images=2)
        plan = make_open_plan(study, auditors_per_image=20)
        for _ in range(n_auditors):
            audit = work.reserve(auditor=make_auditor(study), plan=plan)
            assert audit
            do_audit(audit)
        client = researcher(study)
        with django_assert_max_num_queries(16):
            client.get(plan_url(study))
        with django_assert_max_num_queries(12):
            client.get(reverse("study-audit-claims", args=[study.token]))


class TestClaims:
    def test_a_split_can_be_edited_and_the_original_text_stays(self) -> None:
        study = make_audited_study(n_images=1)
        critique = Critique.objects.get()
        text = critique.text
        Claim.objects.filter(rank=1).update(confidence=0.75)
        client = researcher(study)
        url = reverse("study-audit-split", args=[study.token, critique.pk])

        client.post(url, {f"split-{critique.pk}-claims": "Claim 0 about picture 0.\n\n  A new   one.\nAnd another."})

        critique.refresh_from_db()
        rows = critique.claims.values_list("rank", "text", "about", "confidence")
        assert list(rows) == [
            (1, "Claim 0 about picture 0.", "r1", 0.75),
            (2, "A new one.", "", None),
            (3, "And another.", "", None),
        ]
        assert (critique.text, critique.split) == (text, "hand")
        assert text in client.get(reverse("study-audit-image", args=[study.token, critique.image_id])).content.decode()

    def test_what_an_auditor_was_given_is_split_no_more(self) -> None:
        study = make_audited_study(n_images=1)
        critique = Critique.objects.get()
        work.reserve(auditor=make_auditor(study), plan=make_open_plan(study))
        client = researcher(study)
        url = reverse("study-audit-split", args=[study.token, critique.pk])
        page = client.post(url, {f"split-{critique.pk}-claims": "Other."}, follow=True).content.decode()
        assert "its claims stay as they are" in page
        assert critique.claims.count() == 2
        with pytest.raises(plans.AlreadyJudged):
            plans.plant_claims(image=critique.image, texts=["x"])

    def test_planting_twice_plants_once(self) -> None:
        study = make_audited_study(n_images=1)
        image = queries.study_images(study).get()
        client = researcher(study)
        url = reverse("study-audit-plant", args=[study.token, image.pk])
        for lines in ("The sky is green.\nThere are two moons.", "There are two moons.\nThe sea burns."):
            client.post(url, {"plant-claims": lines})
        planted = Critique.objects.get(source="planted")
        texts = ["The sky is green.", "There are two moons.", "The sea burns."]
        assert list(planted.claims.values_list("text", flat=True)) == texts
        plan = make_open_plan(study, with_planted=True)
        audit = work.reserve(auditor=make_auditor(study), plan=plan)
        assert audit
        assert set(planted.claims.values_list("pk", flat=True)) < set(audit.claim_order)

    def test_a_critique_of_another_study_s_image_is_not_found(self) -> None:
        study = make_audited_study(n_images=1)
        other = make_critique(make_image(), ["Elsewhere."])
        client = researcher(study)
        url = reverse("study-audit-split", args=[study.token, other.pk])
        assert client.post(url, {f"split-{other.pk}-claims": "x"}).status_code == 404
        assert client.get(reverse("study-audit-image", args=[study.token, other.image_id])).status_code == 404

    def test_claims_about_somebody_else_s_image_stay_as_they_are(self) -> None:
        """Their audits would judge them, too. With the owner's leave they may be changed, on record."""
        study = make_audited_study(n_images=1)
        image, critique = queries.study_images(study).get(), Critique.objects.get()
        owner = make_user("anna", researcher=True)
        PromptSet.objects.update(owner=owner)
        client = researcher(study)
        split = reverse("study-audit-split", args=[study.token, critique.pk])
        plant = reverse("study-audit-plant", args=[study.token, image.pk])

        assert client.post(split, {f"split-{critique.pk}-claims": "Other."}).status_code == 403
        assert client.post(plant, {"plant-claims": "The sky is green."}).status_code == 403
        page = client.get(reverse("study-audit-image", args=[study.token, image.pk])).content.decode()
        assert "Plant false claims" not in page
        assert "someone else" in page

        PromptSet.objects.get().editors.add(study.owner)
        client.post(plant, {"plant-claims": "The sky is green."})

        assert Critique.objects.get(source="planted").added_by == study.owner
        assert Activity.objects.get(action="added").details == {"kind": "planted claims", "rows": 1, "image": image.pk}

    def test_nor_do_two_studies_of_a_set_without_owner_change_each_other_s_claims(self) -> None:
        study = make_audited_study(n_images=1)
        image = queries.study_images(study).get()
        other = make_study(n_items=1)
        plant = reverse("study-audit-plant", args=[study.token, image.pk])
        ItemImage.objects.filter(item__study=other).update(image=image)

        assert researcher(study).post(plant, {"plant-claims": "The sky is green."}).status_code == 403
