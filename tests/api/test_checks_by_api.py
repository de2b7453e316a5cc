"""Raters' own front ends: nothing that the API sends or does distinguishes gold items, checks and repeats."""

import json
import re
from collections import defaultdict

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from annotations.models import Assignment, Study
from annotations.services.raters.text_images import add_text_image
from tests.annotations.raters.test_checks import make_checked_study
from tests.factories import make_rater, make_study, make_token, tiny_png

pytestmark = pytest.mark.django_db
KINDS = {"rating", "gold", "check", "repeat"}


def test_a_check_costs_as_many_queries_and_looks_like_another_card(client: Client) -> None:
    study = make_checked_study(40, gold_share=15, check_share=15, repeat_share=15)
    rater = make_rater(study)
    headers = {"authorization": f"Token {make_token(rater.user)}"}  # type: ignore[arg-type]  # a person's has a user
    address = f"/api/v1/rate/{study.token}/"
    costs: dict[str, dict[str, set[int]]] = defaultdict(lambda: defaultdict(set))
    looks: dict[str, set[str]] = defaultdict(set)

    def ask(what: str, kind: str, path: str, data: object = None) -> bytes:
        with CaptureQueriesContext(connection) as caught:
            if data is None:
                response = client.get(path, headers=headers)
            else:
                response = client.post(path, data, content_type="application/json", headers=headers)
        assert response.status_code == 200
        costs[what][kind].add(len(caught))
        left_out = ("X-Request-ID", "Content-Length", "ETag")  # of what the card shows
        looks[kind].add(
            json.dumps(
                sorted((key, re.sub(r"\d+", "N", one)) for key, one in response.headers.items() if key not in left_out)
            )
        )
        return response.getvalue()

    seen = []
    while waiting := json.loads(client.get(f"{address}cards/", headers=headers).content):
        (card,) = waiting
        kind = Assignment.with_checks.get(token=card["token"]).purpose
        seen.append(kind)
        ask("cards", kind, f"{address}cards/?n=3")
        ask("image", kind, card["images"][0]["url"])
        ask("progress", kind, address)
        reply = ask(
            "answer", kind, f"{address}cards/{card['token']}/", {"answers": {card["questions"][0]["fields"][0]: "1"}}
        )
        plain = json.dumps(card | {"prompt": "", "token": ""})
        looks[kind].add(re.sub(r"[A-Za-z0-9][\w-]{21}", "TOKEN", plain) + reply.decode())

    assert set(seen) == KINDS
    assert {kind: found - looks["rating"] for kind, found in looks.items()} == {key: set() for key in KINDS}
    for what in ("image", "progress", "answer"):
        assert len(set.union(*costs[what].values())) == 1, (what, dict(costs[what]))
    # Where no further cards are reserved; that happens by how many are left, not by what they are.
    assert len({min(found) for found in costs["cards"].values()}) == 1, dict(costs["cards"])


def test_the_images_that_instructions_name_have_addresses(client: Client) -> None:
    study = make_study(instructions="Like this: ![a hat](шапка), not ![a shoe](shoe).", state=Study.State.OPEN)
    image = add_text_image(study=study, name="шапка", content=tiny_png(3), by=None)
    add_text_image(study=study, name="unused", content=tiny_png(4), by=None)
    rater = make_rater(study)
    headers = {"authorization": f"Token {make_token(rater.user)}"}  # type: ignore[arg-type]  # a person's has a user

    answer = client.get(f"/api/v1/rate/{study.token}/", headers=headers).json()

    assert answer["instructions"] == study.instructions
    (row,) = answer["instruction_images"]
    assert row == {"name": "шапка", "url": f"http://testserver/text-image/{image.token}/", "width": 8, "height": 8}
    assert client.get(row["url"]).headers["Content-Type"] == "image/webp"
