"""The public invitation: with a limit, an end, a code, closed, renewed; and strangers who join reserve few cards."""

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.test import Client
from django.utils import timezone

from annotations.models import Dimension, Rater, Study
from annotations.queries.candidates import Selection
from annotations.questions import DEFAULT
from annotations.services import rating
from annotations.services.exclusions import exclude_rater
from annotations.services.studies import create_study, join, open_study
from generation.models import Activity, Image, Method
from generation.models.digests import digest
from tests.factories import make_method, make_prompt, make_prompt_set, make_rater, make_study, make_user, stored_png

pytestmark = pytest.mark.django_db


def come(study: Study, name: str = "", *, code: str | None = None, address: str = "192.0.2.1") -> Any:
    data = {"name": name, "consent": "on"} | ({} if code is None else {"code": code})
    client = Client(REMOTE_ADDR=address)
    return client.post(f"/join/{study.invitation}/", data, follow=True)


def gets_a_card(study: Study, name: str, **where: str) -> bool:
    return "/rate/image/" in come(study, name, **where).content.decode()


def signed_in(study: Study) -> Client:
    client = Client()
    client.force_login(study.owner)
    return client


def limits(**fields: str) -> dict[str, str]:
    return {"takes_raters": "on", "most_raters": "", "joining_until": "", "joining_code": ""} | fields


class TestStrangers:
    def test_eighty_who_join_and_leave_do_not_starve_an_honest_one(self) -> None:
        """72 items for three raters each, with the batch and lease that the design page proposes."""
        prompt_set = make_prompt_set()
        methods = [make_method(), make_method()]
        prompts = [make_prompt(prompt_set=prompt_set) for _ in range(36)]
        picture = stored_png(1)
        Image.objects.bulk_create(
            Image(prompt=prompt, method=method, digest=digest(prompt.pk, method.pk), **picture)
            for prompt in prompts
            for method in methods
        )
        study = Study(title="Flooded", owner=make_user(researcher=True), raters_per_item=3, seed=1)
        selection = Selection(prompt_sets=(prompt_set.pk,), methods=tuple(Method.objects.values_list("pk", flat=True)))
        create_study(study=study, dimensions=[Dimension(**DEFAULT.fields())], selection=selection)
        open_study(study=study)
        assert study.items.count() == 72

        assert sum(gets_a_card(study, f"flood{i}") for i in range(80)) == 80

        assert gets_a_card(study, "honest")

    def test_who_answers_holds_more_up_to_a_full_batch(self) -> None:
        study = make_study(n_items=60, k=1, batch_size=5)
        rater = join(study=study, user=None, name="new")
        held = []
        for _ in range(12):
            while rating.reserve(rater=rater):
                held.append(rater.assignments.filter(state="leased").count())
            assignment = rater.assignments.filter(state="leased").order_by("sequence").first()
            assert assignment is not None
            answers = [rating.Answer(study.dimensions.get().pk, assignment.item.images.get().pk, 1)]
            rating.submit(assignment=assignment, answers=answers, answered_at=timezone.now())

        assert held[:4] == [2, 3, 4, 5]
        assert max(held) == 5

    def test_asking_again_and_again_without_an_answer_brings_nothing_more(self) -> None:
        study = make_study(n_items=30, k=1)
        rater = join(study=study, user=None)

        assert [rating.reserve(rater=rater) for _ in range(4)] == [2, 0, 0, 0]

    def test_raters_of_before_the_rule_get_their_batch(self) -> None:
        study = make_study(n_items=30, k=1)
        assert rating.reserve(rater=make_rater(study)) == 10


class TestLimits:
    def test_no_more_people_than_asked_for_and_an_excluded_one_makes_room(self) -> None:
        study = make_study(n_items=30, most_raters=2)
        come(study, "one")
        come(study, "two")

        third = come(study, "three")

        assert third.status_code == 403
        assert "all the raters it needs" in third.content.decode()
        with pytest.raises(ValidationError):
            join(study=study, user=None)
        exclude_rater(rater=study.raters.get(name="one"), reason="bot", by=None)
        assert come(study, "four").status_code == 200

    def test_after_its_end_nobody_joins_and_who_has_joined_goes_on(self) -> None:
        study = make_study(n_items=30)
        client = Client()
        client.post(f"/join/{study.invitation}/", {"consent": "on"})
        Study.objects.filter(pk=study.pk).update(joining_until=timezone.now() - timedelta(seconds=1))

        late = come(study, "late")

        assert late.status_code == 403
        assert "This invitation has ended" in late.content.decode()
        assert client.get(f"/join/{study.invitation}/").headers["Location"] == f"/rate/{study.token}/"
        assert study.raters.count() == 1

    def test_a_closed_invitation_leaves_the_study_open_for_those_who_are_in(self) -> None:
        study = make_study(n_items=30)
        client = Client()
        client.post(f"/join/{study.invitation}/", {"consent": "on"})
        signed_in(study).post(f"/study/{study.token}/invitation/", limits(takes_raters=""))

        assert come(study, "late").status_code == 403
        assert "/rate/image/" in client.get(f"/rate/{study.token}/").content.decode()

    def test_the_code_is_asked_for_and_compared_kindly(self) -> None:
        study = make_study(n_items=30, joining_code="Blue Whale")

        without, wrong = come(study, "a"), come(study, "b", code="blue")
        assert "This is not the code of this study" in wrong.content.decode()
        assert study.raters.count() == 0
        assert 'name="code"' in without.content.decode()
        assert "Blue Whale" not in without.content.decode()

        come(study, "c", code=" blue  WHALE ")
        assert study.raters.get().name == "c"

    def test_wrong_codes_count_as_tries(self, settings: Any) -> None:
        settings.JOINS_PER_HOUR = 3
        study = make_study(joining_code="secret")

        statuses = [come(study, code=f"guess {i}").status_code for i in range(4)]

        assert statuses == [200, 200, 200, 429]

    def test_a_renewed_invitation_kills_the_old_address(self) -> None:
        study = make_study(n_items=30)
        client = Client()
        client.post(f"/join/{study.invitation}/", {"consent": "on"})
        old = study.invitation

        page = signed_in(study).post(f"/study/{study.token}/invitation/renew/", follow=True).content.decode()

        study.refresh_from_db()
        assert study.invitation != old
        assert study.invitation in page
        assert Client().get(f"/join/{old}/").status_code == 404
        assert Client().post(f"/join/{old}/", {"consent": "on"}).status_code == 404
        assert come(study, "new").status_code == 200
        assert "/rate/image/" in client.get(f"/rate/{study.token}/").content.decode()
        assert Activity.objects.get(action="invitation").details == {"settings": ["invitation"]}

    def test_the_page_saves_the_limits_and_says_what_holds(self) -> None:
        study = make_study(n_items=30)
        make_rater(study)
        client, address = signed_in(study), f"/study/{study.token}/invitation/"

        client.post(address, limits(most_raters="1", joining_until="2999-01-01T10:00", joining_code="abc"))

        study.refresh_from_db()
        assert (study.most_raters, study.joining_code) == (1, "abc")
        assert study.joining_until is not None
        assert "The limit of people has been reached" in client.get(f"/study/{study.token}/").content.decode()
        assert 'value="2999-01-01T10:00"' in client.get(address).content.decode()
        bad = client.post(address, limits(most_raters="0", joining_until="soon"))
        assert bad.status_code == 422
        assert bad.content.decode().count('aria-invalid="true"') == 2
        assert Activity.objects.get(action="invitation").details == {
            "settings": ["most_raters", "joining_until", "joining_code"]
        }


@pytest.mark.django_db(transaction=True)
def test_two_who_come_at_once_for_the_last_place_do_not_both_get_it() -> None:
    study = make_study(n_items=4, most_raters=1)
    barrier, joined = threading.Barrier(4), []

    def come_in() -> None:
        barrier.wait(30)
        try:
            joined.append(join(study=study, user=None))
        except ValidationError:
            pass
        finally:
            connection.close()

    threads = [threading.Thread(target=come_in) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert len(joined) == Rater.objects.filter(study=study).count() == 1
