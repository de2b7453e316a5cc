"""Which listed errors are the same one: what is suggested, and what a person decides."""

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from annotations.models import MissedError, MissedErrorGroup, Study
from annotations.queries.audits import work as queries
from annotations.services.audits import answers, work
from annotations.services.audits.answers import ErrorListed, Mark
from annotations.services.audits.matching import Mention, likeness, place_likeness, suggest_groups, text_likeness
from generation.models import Claim
from tests.annotations.audits.audit_rows import do_audit, make_audited_study, make_auditor, make_open_plan

POINT, NEAR, FAR = (0.5, 0.5, 0.0, 0.0), (0.55, 0.5, 0.0, 0.0), (0.9, 0.9, 0.0, 0.0)
BOX = (0.2, 0.2, 0.4, 0.4)


class TestPlace:
    @pytest.mark.parametrize(
        ("a", "b", "expected"),
        [
            (BOX, BOX, 1.0),
            (BOX, (0.7, 0.7, 0.2, 0.2), 0.0),
            # Half of each: intersection 0.08, union 0.24, doubled 2/3.
            (BOX, (0.4, 0.2, 0.4, 0.4), 2 / 3),
            (BOX, POINT, 1.0),
            (BOX, (0.65, 0.5, 0.0, 0.0), 0.5),  # 0.05 next to the box, half of the 0.1 at which it ends
            (POINT, POINT, 1.0),
            (POINT, NEAR, 0.5),
            (POINT, FAR, 0.0),
        ],
    )
    def test_boxes_and_points(self, a: tuple[float, ...], b: tuple[float, ...], expected: float) -> None:
        assert place_likeness(a, b) == pytest.approx(expected)  # type: ignore[arg-type]
        assert place_likeness(b, a) == pytest.approx(expected)  # type: ignore[arg-type]


class TestWords:
    def test_order_and_small_words_do_not_matter(self) -> None:
        assert text_likeness("the hat of the fox is missing", "missing hat, fox") == 1.0

    def test_other_words_do(self) -> None:
        assert text_likeness("the hat is missing", "two suns in the sky") < 0.3


class TestLikeness:
    def test_what_only_one_of_them_gives_speaks_neither_way(self) -> None:
        plain = likeness(Mention("no hat"), Mention("hat missing"))
        assert likeness(Mention("no hat", about="r1", box=POINT), Mention("hat missing")) == plain

    def test_another_relation_and_another_place_speak_against(self) -> None:
        same = Mention("wrong colour", about="e1", box=POINT)
        assert likeness(same, Mention("wrong colour", about="e2", box=FAR)) < 0.5 < likeness(same, same)


class TestSuggestions:
    def test_like_mentions_of_different_lists_are_joined(self) -> None:
        mentions = [
            Mention("the fox has no hat", about="r1", list_name="a"),
            Mention("two suns", box=FAR, list_name="a"),
            Mention("hat missing", about="r1", list_name="b"),
            Mention("a second sun", box=(0.85, 0.85, 0.1, 0.1), list_name="b"),
            Mention("The fox wears no hat.", about="r1"),
        ]
        assert suggest_groups(mentions) == [0, 1, 0, 1, 0]

    def test_two_of_one_list_are_never_joined(self) -> None:
        twice = [Mention("no hat", list_name="a"), Mention("no hat", list_name="a"), Mention("no hat", list_name="b")]
        assert len(set(suggest_groups(twice)[:2])) == 2

    def test_nothing_gives_nothing(self) -> None:
        assert suggest_groups([]) == []


@pytest.mark.django_db
class TestPage:
    def listed_study(self) -> Study:
        """One image, two auditors; both miss the hat in other words, one sees a second sun; claim 1 is right."""
        study = make_audited_study(n_images=1, n_claims=2)
        plan = make_open_plan(study, lists_first_share=1.0)
        for words in (("the fox has no hat", "two suns"), ("missing hat",)):
            audit = work.reserve(auditor=make_auditor(study), plan=plan)
            assert audit
            for i, text in enumerate(words):
                mark = Mark(0.1, 0.1, 0.2, 0.2) if "hat" in text else Mark(0.9, 0.9)
                listed = ErrorListed(f"{audit.pk}-{i}", text, mark=mark)
                answers.list_error(audit=audit, listed=listed, answered_at=timezone.now())
            claims = sorted(audit.claim_order)
            do_audit(audit, values={claims[0]: "right", claims[1]: "wrong"})
        return study

    def url(self, study: Study) -> str:
        return reverse("study-audit-match", args=[study.token, queries.study_images(study).get().pk])

    def test_suggestions_are_in_the_form_and_a_person_decides(self) -> None:
        study = self.listed_study()
        client = Client()
        client.force_login(study.owner)
        assert "to be matched" in client.get(reverse("study-audit-matching", args=[study.token])).content.decode()
        page = client.get(self.url(study)).content.decode()
        hat, suns, missing = MissedError.objects.order_by("pk")
        right, wrong = Claim.objects.order_by("pk")
        assert right.text in page
        assert wrong.text not in page  # it names no error
        numbers = {
            row: page.split(f'name="m{row.pk}"')[1].split(" selected")[0].rsplit('value="', 1)[1][0]
            for row in (hat, suns, missing)
        }
        assert numbers[hat] == numbers[missing] != numbers[suns]

        chosen = {f"m{hat.pk}": "1", f"m{missing.pk}": "1", f"m{suns.pk}": "2", f"c{right.pk}": "1"}
        client.post(self.url(study), chosen)

        first, second = MissedErrorGroup.objects.order_by("number")
        assert set(first.missed_errors.all()) == {hat, missing}
        assert list(first.claims.all()) == [right]
        assert list(second.missed_errors.all()) == [suns]
        assert (second.claims.count(), first.decided_by) == (0, study.owner)
        page = client.get(self.url(study)).content.decode()
        assert "Decided by" in page
        overview = client.get(reverse("study-audit-matching", args=[study.token])).content.decode()
        assert "2 distinct" in overview

    def test_a_later_decision_counts_as_a_whole(self) -> None:
        study = self.listed_study()
        client = Client()
        client.force_login(study.owner)
        hat, suns, missing = MissedError.objects.order_by("pk")
        client.post(self.url(study), {f"m{hat.pk}": "1", f"m{missing.pk}": "1", f"m{suns.pk}": "1"})
        client.post(self.url(study), {f"m{hat.pk}": "3", f"m{missing.pk}": "2"})
        groups = [set(group.missed_errors.all()) for group in MissedErrorGroup.objects.order_by("number")]
        assert groups == [{missing}, {hat}, {suns}]

    def test_what_was_taken_back_or_is_unfinished_is_not_matched(self) -> None:
        study = self.listed_study()
        MissedError.objects.update(withdrawn_at=timezone.now())
        client = Client()
        client.force_login(study.owner)
        assert client.get(self.url(study)).status_code == 404
        assert (
            "Nothing is listed yet" in client.get(reverse("study-audit-matching", args=[study.token])).content.decode()
        )
