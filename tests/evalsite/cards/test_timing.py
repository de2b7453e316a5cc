"""An observer with a clock: what the server does for gold, checks and repeats takes as long as for ordinary cards."""

import http.client
import json
import re
import time
from collections import Counter, defaultdict
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

import numpy as np
import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from annotations.models import Assignment, Item, Rater, RaterPlan, Study
from annotations.services.renditions import make_ahead
from annotations.services.taking_part.mismatches import make_mismatches
from generation.models import Image, Prompt
from tests.annotations.raters.test_before import leave_out_prompts, make_exercise
from tests.evalsite.cards.timing import difference
from tests.factories import make_rater, make_study, stored_png

CHECKS = ("gold", "check", "repeat")
SECRET = "x" * 32
MOST_Z = 4.5
"""Eighteen comparisons under no difference: one of them is further off in 1 of 8,000 runs of this file."""
LEAST_SHARE = 0.05
"""And the medians must differ by this share of the median: less than that no network lets anybody see."""


def make_timed_study(n_raters: int, *, n_cards: int = 40) -> list[Rater]:
    """Raters of a study with many cards of each kind, all of one size, and further raters for disputed items."""
    study = make_study(n_items=40, k=max(2, n_raters // 4), batch_size=10, most_raters_per_item=n_raters)
    for _ in range(n_cards // 4):
        make_exercise(study, Item.Role.GOLD, [0])
    study.items_per_rater = n_cards // 4
    study.save()
    leave_out_prompts(study, n_cards // 4)
    make_mismatches(study=study, dimension=study.dimensions.get(), n=n_cards // 4)
    RaterPlan.objects.create(study=study, repeat_gap=3, gold_share=25, check_share=25, repeat_share=25)
    Image.objects.update(**stored_png(1, (300, 200)))
    for number, prompt in enumerate(Prompt.objects.order_by("pk")):
        Prompt.objects.filter(pk=prompt.pk).update(text=f"A red circle above square {number:04}.")
    assert not make_ahead(study_id=study.pk)
    return [make_rater(Study.objects.get()) for _ in range(n_raters)]


@dataclass(frozen=True)
class Timed:
    first_byte: float
    total: float
    size: int
    body: bytes


class Browser:
    """One connection that is kept open, as a browser's is."""

    def __init__(self, site: str, rater: Rater) -> None:
        client = Client()
        client.force_login(rater.user)  # type: ignore[arg-type]  # a person's rater has a user
        session = client.cookies[settings.SESSION_COOKIE_NAME].value
        self._headers = {
            "Cookie": f"{settings.SESSION_COOKIE_NAME}={session}; csrftoken={SECRET}",
            "X-CSRFToken": SECRET,
            "Accept": "application/json",
            "Content-Type": "application/x-www-form-urlencoded",
        }
        self._connection = http.client.HTTPConnection(urlsplit(site).netloc, timeout=60)

    def ask(self, method: str, path: str, **fields: object) -> Timed:
        began = time.perf_counter()
        self._connection.request(method, path, urlencode(fields) if fields else None, self._headers)
        response = self._connection.getresponse()
        first_byte = time.perf_counter() - began
        body = response.read()
        assert response.status == 200, (path, response.status, body[:300])
        return Timed(first_byte, time.perf_counter() - began, len(body), body)


@pytest.mark.slow
def test_no_time_and_no_size_distinguishes_a_check_or_a_repeat(live_site: str) -> None:
    """About 650 cards over HTTP: at least 90, mostly 200, of each kind, in an order drawn from the seed."""
    raters = make_timed_study(20)
    study, name = raters[0].study, f"d{raters[0].study.dimensions.get().pk}-0"
    times: dict[str, list[tuple[str, float]]] = defaultdict(list)
    sizes: dict[str, set[int]] = defaultdict(set)
    seen: Counter[str] = Counter()
    for rater in raters:
        browser = Browser(live_site, rater)
        page = browser.ask("GET", f"/rate/{study.token}/")
        (token,) = re.findall(rb'data-token="([^"]+)"', page.body)
        waiting = token.decode()
        answered: list[tuple[str, str, Timed, Timed]] = []
        while waiting:
            image = browser.ask("GET", f"/rate/image/{waiting}/0/?width=256")
            level = len(answered) % 5
            reply = browser.ask("POST", f"/rate/{study.token}/answer/{waiting}/", **{name: level, "n": 1})
            (following, *_) = [card["token"] for card in json.loads(reply.body)["cards"]] or [""]
            answered.append((waiting, following, image, reply))
            waiting = following
        kinds = dict(Assignment.with_checks.filter(rater=rater).values_list("token", "purpose"))
        for card, following, image, reply in answered:
            seen[kinds[card]] += 1
            sizes["image"].add(image.size)
            for what, kind, timed in (
                ("image", kinds[card], image),
                ("answer", kinds[card], reply),
                ("next card", kinds.get(following, ""), reply),
            ):
                if following:  # a last reply has no card, whatever it is
                    sizes["answer"].add(reply.size)
                    times[f"{what}, first byte"].append((kind, timed.first_byte))
                    times[f"{what}, total"].append((kind, timed.total))

    assert set(seen) == {"rating", *CHECKS}
    assert min(seen.values()) >= 90, seen
    assert {what: len(found) for what, found in sizes.items()} == {"image": 1, "answer": 1}, sizes
    distinguished = []
    for what, rows in times.items():
        for kind in CHECKS:
            own = [(other == kind, seconds) for other, seconds in rows if other in (kind, "rating")]
            found = difference([seconds for _is, seconds in own], [is_kind for is_kind, _seconds in own])
            if abs(found.z) > MOST_Z and abs(found.share) > LEAST_SHARE:
                distinguished.append((what, kind, found))
    assert not distinguished


@pytest.mark.django_db
def test_no_number_of_queries_distinguishes_a_check_or_a_repeat(client: Client) -> None:
    """Where disputed items get further raters, too: there each answer has its item looked at."""
    raters = make_timed_study(4)
    study, name = raters[0].study, f"d{raters[0].study.dimensions.get().pk}-0"
    costs: dict[str, dict[str, set[int]]] = {what: defaultdict(set) for what in ("card", "image", "answer")}
    for rater in raters:
        client.force_login(rater.user)  # type: ignore[arg-type]  # a person's rater has a user
        while b'data-token="' in client.get(f"/rate/{study.token}/").content:
            card = Assignment.with_checks.filter(rater=rater, state="leased").order_by("sequence")[0]
            for what, path, fields in (
                ("card", f"/rate/{study.token}/", None),
                ("image", f"/rate/image/{card.token}/0/?width=256", None),
                ("answer", f"/rate/{study.token}/answer/{card.token}/", {name: card.sequence % 5, "n": 0}),
            ):
                with CaptureQueriesContext(connection) as caught:
                    ask = client.get if fields is None else client.post
                    ask(path, fields, headers={"accept": "application/json"})
                costs[what][card.purpose].add(len(caught))
    for what, of_kind in costs.items():
        assert set(of_kind) == {"rating", *CHECKS}, what
        assert all(found <= of_kind["rating"] for found in of_kind.values()), (what, dict(of_kind))
    assert len(set.union(*costs["answer"].values())) == 1, costs["answer"]
    assert study.items.filter(n_further__gt=0).exists(), "no item was disputed, so nothing was shown"


def test_the_comparison_finds_a_tenth_and_no_difference_where_there_is_none() -> None:
    rng = np.random.default_rng(5)
    found = []
    for extra in (0.0, 0.1):
        kinds = rng.random(400) < 0.5
        machine = np.repeat(rng.lognormal(0, 0.5, 20), 20)  # a load that comes and goes
        times = 0.01 * machine * rng.lognormal(0, 0.15, 400) * (1 + extra * kinds)
        found.append(difference(times.tolist(), kinds.tolist()))
    assert abs(found[0].z) < 3
    assert found[1].z > MOST_Z
    assert found[1].share > LEAST_SHARE
