"""How images were seen: the field that a browser sends, what is kept of it, and where it is reported."""

import csv
import io
import re
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from annotations.kinds.base import Answer
from annotations.kinds.viewing import SUMMARY, VIEWING, parse_viewing, summary_cells, summary_of, viewing_cells
from annotations.models import Response
from annotations.queries.reports import readable
from annotations.services import rating as services
from annotations.services.reports import report_now
from tests.annotations.looking import fetch_images
from tests.factories import make_rater, make_study

FIELD = "512x256,400x400;2.5;4;1;8123;77;t"


def test_a_field_is_read_whole_or_not_at_all() -> None:
    assert parse_viewing(FIELD) == {
        "sizes": [[512, 256], [400, 400]],
        "ratio": 2.5,
        "zoom": 4,
        "decoded": True,
        "visible_ms": 8123,
        "hidden_ms": 77,
        "input": "touch",
    }
    for bad in (
        "",
        "512x256",
        FIELD + ";",
        FIELD.replace("2.5", "x"),
        FIELD.replace("t", "z"),
        "٥" + FIELD,
        "1x1," * 999,
    ):
        assert parse_viewing(bad) is None


def test_cells_are_of_the_image_that_the_answer_is_about() -> None:
    viewing = parse_viewing(FIELD)
    assert viewing_cells(viewing, 0) == (512, 256, 2.5, 4, True, 8123, 77, "touch")
    assert viewing_cells(viewing, None)[:2] == (400, 400)
    assert viewing_cells(None, 0) == (None,) * len(VIEWING)


def test_a_raters_summary() -> None:
    first: dict[str, Any] = {"sizes": [[100, 100]], "ratio": 2.0, "zoom": 1, "visible_ms": 900, "hidden_ms": 0}
    second = first | {"sizes": [[300, 300]], "zoom": 4, "hidden_ms": 200, "input": "keyboard"}
    found = summary_of([first | {"input": "touch"}, second])
    assert summary_cells(found) == (2, 400.0, 2.0, 0.5, 0.1, "touch 1, keyboard 1")
    assert summary_cells(None) == (0, *(None,) * (len(SUMMARY) - 1))


@pytest.mark.django_db
def test_it_is_stored_with_every_answer_exported_and_summed_up(client: Client) -> None:
    study = make_study(n_items=2)
    rater = make_rater(study, name="a")
    make_rater(study, name="b")
    services.reserve(rater=rater)
    cards = list(rater.assignments.order_by("sequence"))
    client.force_login(rater.user)
    field = f"d{study.dimensions.get().pk}-0"
    for card, seen in zip(cards, ("300x300;1;1;1;5000;0;k", "no such field"), strict=True):
        fetch_images(client, card.token)
        client.post(f"/rate/{study.token}/answer/{card.token}/", {field: "3", "seen": seen})
    assert [response.viewing is None for response in Response.objects.order_by("pk")] == [False, True]

    client.force_login(study.owner)

    def table(name: str) -> list[dict[str, str]]:
        file = client.get(f"/study/{study.token}/export/{name}.csv")
        return list(csv.DictReader(io.StringIO(b"".join(file.streaming_content).decode())))

    first, second = table("answers")
    names = ("shown_width", "device_pixel_ratio", "was_decoded", "visible_ms", "hidden_ms", "input")
    assert [first[name] for name in names] == ["300", "1.0", "true", "5000", "0", "keyboard"]
    assert {second[name] for name in names} == {""}
    summed = {row["rater"]: row for row in table("raters")}
    assert (summed["a"]["n_viewed"], summed["a"]["median_shown_px"], summed["a"]["inputs"]) == (
        "1",
        "300.0",
        "keyboard 1",
    )
    assert (summed["b"]["n_viewed"], summed["b"]["inputs"]) == ("0", "")
    seen = client.get(f"/study/{study.token}/raters/").content.decode().split('id="viewing"')[1].split("</section>")[0]
    cells = re.findall(r"<t[hd][^>]*>([^<]*)</t[hd]>", seen.split("<tbody>")[1])
    assert cells == ["a", "1", "300 px", "0%", "0%", "keyboard"]


@pytest.mark.django_db
def test_the_report_says_it_rater_by_rater_and_offers_the_table(client: Client) -> None:
    study = make_study(n_items=2)
    fields = ("600x300;2;1;1;900;100;t", "400x200;2;4;1;900;100;t", "", "300x300;1;1;1;5000;0;k")
    for name in ("a", "b", "excluded", "without"):
        rater = make_rater(study, name=name)
        services.reserve(rater=rater)
        for card, seen in zip(rater.assignments.order_by("sequence"), fields, strict=False):
            answer = Answer(study.dimensions.get().pk, card.item.images.get().pk, 3)
            viewing = None if name == "without" else parse_viewing(seen)
            services.submit(assignment=card, answers=[answer], answered_at=timezone.now(), viewing=viewing)
    excluded = study.raters.filter(name="excluded")
    excluded.update(excluded_at=timezone.now(), excluded_reason="asleep")

    snapshot = report_now(study=study, comparisons=[])

    document = readable(snapshot)
    assert document is not None
    assert [(one.rater, one.n_cards, one.median_shown_px, one.inputs) for one in document.viewing] == [
        ("a", 2, 1000.0, {"touch": 2}),
        ("b", 2, 1000.0, {"touch": 2}),
    ]
    client.force_login(study.owner)
    page = client.get(f"/study/{study.token}/results/").content.decode()
    assert "The browsers of 2 raters reported it for 4 cards; images were 1,000 pixels of the screen wide" in page
    file = client.get(f"/study/{study.token}/results/{snapshot.pk}/viewing.csv")
    rows = list(csv.DictReader(io.StringIO(b"".join(file.streaming_content).decode())))
    assert rows[0] == {
        "rater": "a",
        "n_cards": "2",
        "median_shown_px": "1000.0",
        "median_pixel_ratio": "2.0",
        "share_zoomed": "0.5",
        "share_hidden": "0.1",
        "keyboard": "0",
        "mouse": "0",
        "touch": "2",
        "pen": "0",
    }


@pytest.mark.django_db
def test_an_image_that_was_not_there_cannot_be_answered_about(client: Client) -> None:
    study = make_study(n_items=1)
    rater = make_rater(study)
    services.reserve(rater=rater)
    client.force_login(rater.user)
    address = f"/rate/{study.token}/answer/{rater.assignments.get().token}/"
    data = {f"d{study.dimensions.get().pk}-0": "3", "seen": "0x0;1;1;0;5000;0;k"}
    answer = client.post(address, data, headers={"accept": "application/json"})
    assert answer.status_code == 400
    assert "had not loaded" in answer.json()["problem"]
    assert not Response.objects.exists()
