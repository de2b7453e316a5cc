"""Labels that an imported scale gets later: they change only words, and nobody who answered here read others."""

from pathlib import Path

import pytest
from django.core.management import call_command
from django.test import Client

from annotations.models import Dimension, Response, Study
from annotations.questions import ALIGNMENT
from generation.models import Activity
from tests.annotations.views.test_results import address
from tests.factories import make_rater, make_study, make_user

pytestmark = pytest.mark.django_db

WORDS = ["awful", "", "fair", "", "great"]


@pytest.fixture
def imported(tmp_path: Path) -> Study:
    """Ratings without words of three images by two raters."""
    make_user("owner", researcher=True)
    items, given = tmp_path / "items.csv", tmp_path / "ratings.csv"
    items.write_text("item,prompt,method\n" + "".join(f"i{at},a cat {at},m\n" for at in range(3)))
    rows = [f"i{at},r{rater},match,{at + rater + 1}\n" for at in range(3) for rater in range(2)]
    given.write_text("item,rater,dimension,value\n" + "".join(rows))
    call_command(
        *("import_ratings", str(given)), items=str(items), study="s", owner="owner", scale=["1-5"], verbosity=0
    )
    return Study.objects.get()


def page_of(study: Study) -> tuple[Client, str]:
    client = Client()
    client.force_login(study.owner)
    return client, f"/study/{study.token}/labels/"


def fields(study: Study, words: list[str]) -> dict[str, str]:
    (question,) = study.dimensions.all()
    return {f"label-{question.pk}-{code}": label for code, label in enumerate(words)}


def labels(study: Study) -> list[str]:
    return [level["label"] for level in study.dimensions.get().levels]


def stored() -> list[tuple[object, ...]]:
    return list(Response.objects.order_by("pk").values_list())


def test_labels_are_added_and_corrected_and_no_answer_changes(imported: Study) -> None:
    client, place = page_of(imported)
    assert place in client.get(f"/study/{imported.token}/settings/").content.decode()
    before, values = stored(), imported.dimensions.get().values

    client.post(place, fields(imported, WORDS))

    assert labels(imported) == ["awful", "2", "fair", "4", "great"]
    assert 'value="great"' in client.get(place).content.decode()
    client.post(place, fields(imported, ["bad", *WORDS[1:]]))
    assert labels(imported)[0] == "bad"
    assert (stored(), imported.dimensions.get().values) == (before, values)
    assert "great" in client.get(address(imported)).content.decode()


def test_each_change_is_a_line_of_the_activity(imported: Study) -> None:
    client, place = page_of(imported)
    client.post(place, fields(imported, WORDS))
    client.post(place, fields(imported, WORDS))  # nothing changes, so no second line
    lines = Activity.objects.filter(subject_key=imported.token, action=Activity.Action.CHANGED)
    assert [(line.actor_name, line.details) for line in lines] == [
        ("owner", {"settings": ["labels"], "question": "match"})
    ]


def test_the_same_file_again_changes_nothing_after_labels(imported: Study, tmp_path: Path) -> None:
    client, place = page_of(imported)
    client.post(place, fields(imported, WORDS))
    before = stored()
    call_command(
        *("import_ratings", str(tmp_path / "ratings.csv")),
        study="s",
        owner="owner",
        scale=["1-5"],
        items=str(tmp_path / "items.csv"),
        verbosity=0,
    )
    assert stored() == before


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (["Bad", "bad", "", "", ""], "two levels cannot have the same label"),
        (["2", "", "", "", ""], "this is the value of another level"),
        (["x" * 101, "", "", "", ""], "shorten the label to at most 100 characters"),
        (["left", "right", "", "", ""], "the sides of a pair"),
    ],
)
def test_labels_that_would_mislead_are_refused_and_kept_in_the_form(
    imported: Study, words: list[str], problem: str
) -> None:
    client, place = page_of(imported)
    answer = client.post(place, fields(imported, words))
    assert answer.status_code == 422
    assert problem in answer.content.decode()
    assert f'value="{words[0]}"' in answer.content.decode()
    assert labels(imported) == ["1", "2", "3", "4", "5"]


def test_what_people_have_read_stays_as_it_is(imported: Study) -> None:
    make_rater(imported)
    here = make_study(presets=(ALIGNMENT,), state=Study.State.CLOSED, owner=imported.owner)
    for study in (imported, here):
        client, place = page_of(study)
        before = labels(study)
        client.post(place, fields(study, ["a", "b", "c", "d", "e"]))
        assert labels(study) == before
        assert "There is nothing to label" in client.get(place).content.decode()
        assert place not in client.get(f"/study/{study.token}/settings/").content.decode()
    assert Dimension.objects.filter(levels__0__label="a").count() == 0
