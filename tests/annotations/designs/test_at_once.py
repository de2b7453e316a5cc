"""Two people at one draft in the same moment, each in a thread with a database connection of its own."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from annotations.models import Dimension, Study
from annotations.queries.candidates import Selection
from annotations.questions import DEFAULT
from annotations.services import studies as services
from generation.models import Image
from tests.annotations.test_rating_at_once import at_once
from tests.annotations.views.test_design import images
from tests.factories import make_user

pytestmark = pytest.mark.django_db(transaction=True)


def selection() -> Selection:
    of_all = Image.objects.order_by()
    sets = of_all.values_list("prompt__prompt_set", flat=True).distinct()
    return Selection(tuple(sets), tuple(of_all.values_list("method", flat=True).distinct()))


def question(words: str) -> Dimension:
    return Dimension(**DEFAULT.fields() | {"question": words})


def draft() -> Study:
    images(6)
    study = Study(title="A draft", owner=make_user())
    return services.create_study(study=study, dimensions=[question("At first?")], selection=selection())


def edit(study: Study, words: str) -> Callable[[], Any]:
    def job() -> Any:
        own = Study.objects.get(pk=study.pk)
        own.title = words
        return services.change_draft(
            study=own,
            fields=["title"],
            dimensions=[question(words)],
            selection=selection(),
            seen=study.revision,
            by=None,
        )

    return job


def outcome(job: Callable[[], Any], done: list[str], name: str) -> Callable[[], None]:
    def run() -> None:
        try:
            job()
        except ValidationError:
            return
        done.append(name)

    return run


def test_of_two_who_save_one_gets_a_notice_and_the_draft_is_whole() -> None:
    study, done = draft(), list[str]()
    n_items = study.items.count()

    at_once([outcome(edit(study, words), done, words) for words in ("First?", "Second?")])

    study.refresh_from_db()
    assert len(done) == 1
    assert study.title == study.dimensions.get().question == done[0]
    assert study.items.count() == n_items
    assert study.revision == 1


def test_of_one_who_saves_and_one_who_opens_the_second_gets_a_notice() -> None:
    study, done = draft(), list[str]()
    n_items = study.items.count()

    def open_it() -> None:
        services.open_study(study=Study.objects.get(pk=study.pk), seen=study.revision)

    at_once([outcome(edit(study, "Changed?"), done, "saved"), outcome(open_it, done, "opened")])

    study.refresh_from_db()
    assert len(done) == 1
    assert (study.state, study.dimensions.get().question) == (
        (Study.State.OPEN, "At first?") if done == ["opened"] else (Study.State.DRAFT, "Changed?")
    )
    assert study.items.count() == n_items
