"""The results page: who may see it, what it says, what it costs, what can be downloaded."""

import csv
import json
import re
from collections.abc import Callable
from io import StringIO
from typing import Any

import pytest
from django.test import Client

from annotations.models import LateAnswer, Membership, Rater, ReportSnapshot, Study
from annotations.queries.result_units import linked_methods, study_methods
from annotations.questions import ALIGNMENT, PREFERENCE
from annotations.reports.study import analysis
from generation.models import Image, Method, MetricScore
from tests.factories import make_answer, make_member, make_rater, make_study, make_user

pytestmark = pytest.mark.django_db


def rated_study(n_items: int = 6, n_raters: int = 3, **fields: Any) -> Study:
    """A study in which the second of every two methods is rated higher, with some disagreement."""
    study = make_study(n_items=n_items, k=n_raters, **fields)
    for r in range(n_raters):
        rater = make_rater(study, name=f"rater {r}")
        for i, item in enumerate(study.items.order_by("position")):
            make_answer(item, rater, level=min(4, 1 + 2 * (i % 2) + (i * (r + 1)) % 2 + i // 2 % 2))
    return study


def address(study: Study, rest: str = "") -> str:
    return f"/study/{study.token}/results/{rest}"


@pytest.fixture
def study() -> Study:
    return rated_study()


@pytest.fixture
def seen(client: Client, study: Study) -> str:
    client.force_login(study.owner)
    return client.get(address(study)).content.decode()


def pages(study: Study) -> list[str]:
    return [
        address(study),
        *(address(study, f"{study.snapshots.get().pk}/{rest}") for rest in ("state/", "means.csv", "report.json")),
    ]


def test_researchers_of_the_study_see_it_and_nobody_else(client: Client, study: Study) -> None:
    client.force_login(study.owner)
    assert client.get(address(study)).status_code == 200
    addresses = pages(study)
    rater = study.raters.first()
    assert rater is not None
    assert rater.user is not None
    for user, status in (
        (make_member(study), 200),
        (make_user(is_superuser=True), 200),
        (make_user(researcher=True), 403),
        (make_member(study, role=Membership.Role.AUDITOR), 403),
        (rater.user, 403),
        (rated_study().owner, 403),
    ):
        client.force_login(user)
        assert [client.get(page).status_code for page in addresses] == [status] * 4, user
    client.logout()
    for page in addresses:
        assert client.get(page).headers["Location"] == f"/sign-in/?next={page}"


def test_a_snapshot_is_found_only_under_its_own_study(client: Client, study: Study, seen: str) -> None:
    other = rated_study()
    client.force_login(other.owner)
    assert client.get(address(other, f"{study.snapshots.get().pk}/means.csv")).status_code == 404


def test_the_answer_comes_first(client: Client) -> None:
    study = rated_study(item_kind=Study.ItemKind.PAIR, presets=(ALIGNMENT,))
    ((baseline, refined),) = linked_methods(study)
    client.force_login(study.owner)

    text = client.get(address(study)).content.decode()

    assert "36 ratings of 12 items by 3 raters; ordinal alpha" in text
    titles = re.findall(r"<h3[^>]*>([^<]+)</h3>", text)
    assert titles[:4] == [f"{refined} against {baseline}", "Means and distributions", "Fair averages", "Agreement"]
    assert text.index("<svg") < text.index("<table")
    assert "What people disagree about most" in text
    assert "seed 0" in text


def test_the_only_two_methods_are_compared_without_being_asked_for(client: Client) -> None:
    study = rated_study(presets=(ALIGNMENT,))
    Image.objects.update(parent=None)
    assert linked_methods(study) == []
    first, second = study_methods(study)
    client.force_login(study.owner)

    text = client.get(address(study)).content.decode()

    assert f"{second} against {first}" in text
    assert "Compare two more methods" not in text
    turned = client.get(f"{address(study)}?compare={second}:{first}").content.decode()
    assert f"{first} against {second}" in turned


def test_an_empty_study_says_what_to_do(client: Client) -> None:
    study = make_study()
    client.force_login(study.owner)
    assert "Results appear here as soon as someone has rated" in client.get(address(study)).content.decode()


def test_a_study_of_answers_that_nobody_could_give(client: Client) -> None:
    study = make_study(n_items=2)
    for item in study.items.all():
        make_answer(item, make_rater(study), level=None)
    client.force_login(study.owner)
    text = client.get(address(study)).content.decode()
    assert "2 times unable to answer" in text
    assert "cannot be estimated" in text


def test_simulated_raters_and_late_answers_are_named(client: Client) -> None:
    study = rated_study(n_items=2, n_raters=2)
    simulated = make_rater(study, kind=Rater.Kind.SIMULATED, name="machine", consented_at=None)
    study.items.update(wanted=3)
    make_answer(study.items.order_by("position")[0], simulated)
    LateAnswer.objects.create(assignment=study.assignments.all()[0], answers={"answers": []})
    client.force_login(study.owner)

    text = client.get(address(study)).content.decode()

    assert "1 of these raters is simulated" in text
    assert "All raters here" not in text
    assert "1 card was answered too late" in text


def test_no_simulated_rater_no_warning(seen: str) -> None:
    assert "simulated" not in seen


def test_texts_of_people_cannot_become_markup(client: Client) -> None:
    study = rated_study(item_kind=Study.ItemKind.PAIR, presets=(ALIGNMENT, PREFERENCE))
    evil = "<script>alert(1)</script>"
    study.dimensions.update(question=evil)
    for i, method in enumerate(study_methods(study)):
        Method.objects.filter(name=method).update(name=f"{evil}{i}")
    study.raters.filter(name="rater 0").update(name=evil)
    client.force_login(study.owner)

    text = client.get(address(study)).content.decode()

    assert evil not in text
    assert "&lt;script&gt;" in text


def test_a_preference_is_shown_by_method(client: Client) -> None:
    study = make_study(item_kind=Study.ItemKind.PAIR, n_items=2)
    ((baseline, refined),) = linked_methods(study)
    rater = make_rater(study)
    for item, order in zip(study.items.order_by("position"), ("0,1", "1,0"), strict=True):
        study.assignments.filter(pk=make_answer(item, rater, level=1).pk).update(shown_order=order)
    client.force_login(study.owner)
    client.get(address(study))

    (dimension,) = study.snapshots.get().results["dimensions"]

    assert dimension["labels"][:2] == [baseline, refined]
    assert dimension["histogram"] == [1, 1, 0, 0, 0]
    text = client.get(address(study)).content.decode()
    assert f">{baseline}</text>" in text
    assert "1 (50%)" in text


# --- computed once ---------------------------------------------------------------------------------------------------
def test_an_unchanged_study_is_not_analysed_again(
    client: Client, study: Study, seen: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_: object) -> None:
        pytest.fail("analysed again")

    monkeypatch.setattr(analysis, "analyse", never)
    client.get(address(study))
    assert study.snapshots.count() == 1


@pytest.mark.parametrize("change", ["answer", "score", "comparison", "question"])
def test_whatever_can_change_a_figure_makes_new_results(client: Client, study: Study, seen: str, change: str) -> None:
    query = ""
    if change == "answer":
        study.items.update(wanted=9)
        make_answer(study.items.order_by("position")[0], make_rater(study))
    elif change == "score":
        MetricScore.objects.create(image=study.items.all()[0].images.get(), metric="clip", value=1)
    elif change == "comparison":
        query = "?compare=" + ":".join(study_methods(study))
    else:
        study.dimensions.update(question="Other words?")

    text = client.get(address(study) + query).content.decode()

    assert study.snapshots.count() == 2
    if change == "comparison":
        assert "against" in text
        assert len(study.snapshots.first().results["dimensions"][0]["comparisons"]) == 1  # type: ignore[union-attr]


def test_another_study_changes_nothing_here(client: Client, study: Study, seen: str) -> None:
    other = rated_study()
    MetricScore.objects.create(image=other.items.all()[0].images.get(), metric="clip", value=1)
    client.get(address(study))
    assert study.snapshots.count() == 1


def test_the_form_of_two_methods_leads_to_an_address_that_can_be_shared(client: Client, study: Study) -> None:
    client.force_login(study.owner)
    first, second = study_methods(study)
    response = client.get(address(study), {"baseline": first, "refined": second})
    assert response.status_code == 302
    assert f"{second} against {first}" in client.get(response.headers["Location"]).content.decode()
    # What names no method is left out rather than an error.
    assert client.get(address(study), {"compare": ["x:y", "nothing", f"{first}:{first}"]}).status_code == 200


def test_a_failure_is_shown_with_the_previous_results_and_can_be_retried(
    client: Client, study: Study, seen: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    study.dimensions.update(question="Other words?")

    def broken(*_: object) -> None:
        raise ZeroDivisionError("seven by nothing")

    with monkeypatch.context() as patch:
        patch.setattr(analysis, "analyse", broken)
        text = client.get(address(study)).content.decode()
    assert "could not be calculated" in text
    assert "seven by nothing" in text
    assert "Agreement" in text
    assert "could not be calculated" in client.get(address(study)).content.decode()  # it is not tried at every look

    client.post(address(study))

    text = client.get(address(study)).content.decode()
    assert "could not be calculated" not in text
    assert "Other words?" in text


@pytest.mark.parametrize("n", [3, 30])
def test_queries_do_not_grow_with_the_study(
    client: Client, n: int, django_assert_num_queries: Callable[..., Any]
) -> None:
    study = rated_study(n_items=n)
    client.force_login(study.owner)
    client.get(address(study))
    assert study.snapshots.get().state == ReportSnapshot.State.DONE
    with django_assert_num_queries(19):
        client.get(address(study))


# --- downloads -------------------------------------------------------------------------------------------------------
def rows_of(response: Any) -> list[dict[str, str]]:
    return list(csv.DictReader(StringIO(b"".join(response.streaming_content).decode())))


def test_every_section_downloads_what_it_shows(client: Client) -> None:
    study = rated_study(item_kind=Study.ItemKind.PAIR, presets=(ALIGNMENT, PREFERENCE))
    client.force_login(study.owner)
    text = client.get(address(study)).content.decode()
    links = [link.replace("&amp;", "&") for link in re.findall(r'href="([^"]+\.csv\?[^"]+)"', text)]
    # Comparison, means, fair averages, agreement, raters; who wins, its checks, answers, agreement, raters.
    assert len(links) == 10
    document = study.snapshots.get().results
    for link in links:
        response = client.get(link)
        assert response.status_code == 200
        rows = rows_of(response)
        name = link.split("dimension=")[1].split("&")[0]
        assert {row.get("dimension") or row["question"] for row in rows} == {name}, link
    (row,) = rows_of(client.get(next(link for link in links if "comparisons.csv" in link)))
    comparison = document["dimensions"][0]["comparisons"][0]
    assert float(row["mean_diff"]) == comparison["mean_diff"]["value"]


def test_the_files(client: Client, study: Study, seen: str) -> None:
    snapshot = study.snapshots.get()
    place = address(study, f"{snapshot.pk}/report.")

    html = client.get(place + "html")
    assert html.headers["Content-Disposition"].startswith("attachment")
    assert "<script" not in html.content.decode()
    assert study.title in html.content.decode()
    assert json.loads(client.get(place + "json").content) == snapshot.results
    tex = client.get(place + "tex").content.decode()
    assert tex.count(r"\begin{tabular}") == tex.count(r"\bottomrule") == 3
    assert client.get(place + "exe").status_code == 404
    whole = rows_of(client.get(address(study, f"{snapshot.pk}/agreement.csv")))
    assert [row["statistic"] for row in whole] == [
        one["statistic"] for one in snapshot.results["dimensions"][0]["agreement"]
    ]
    assert client.get(address(study, f"{snapshot.pk}/secrets.csv")).status_code == 404
