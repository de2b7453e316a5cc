"""How often somebody may try, join or call: enough for a classroom behind one address, and not without end."""

import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from pathlib import Path

import pytest
from django.test import Client
from pytest_django import Settings

from evalsite.requests.limits import FILE_NAME, Limit, seconds_to_wait
from tests.factories import make_study, make_token, make_user

pytestmark = pytest.mark.django_db
TOO_MANY = HTTPStatus.TOO_MANY_REQUESTS
RIGHT = "a long pass phrase"
ONCE_IN_A_WHILE = Limit("test", 5, 10**9)


def spray(n: int) -> Counter[int]:
    guess = {"password": "Winter2026!"}
    return Counter(
        Client().post("/sign-in/", guess | {"username": f"name{i}"}, REMOTE_ADDR="203.0.113.1").status_code
        for i in range(n)
    )


def test_one_password_tried_on_many_names_is_refused_by_address() -> None:
    make_user("rosa", password=RIGHT)
    assert spray(60) == {200: 50, TOO_MANY: 10}
    signed_in = {"username": "rosa", "password": RIGHT}
    assert Client().post("/sign-in/", signed_in, REMOTE_ADDR="203.0.113.1").status_code == TOO_MANY
    assert Client().post("/sign-in/", signed_in, REMOTE_ADDR="203.0.113.2").status_code == HTTPStatus.FOUND


def test_a_classroom_s_slips_shut_nobody_out() -> None:
    make_user("rosa", password=RIGHT)
    spray(40)
    answer = Client().post("/sign-in/", {"username": "rosa", "password": RIGHT}, REMOTE_ADDR="203.0.113.1")
    assert answer.status_code == HTTPStatus.FOUND


def test_joins_are_limited_by_address_and_a_look_at_the_invitation_is_not(settings: Settings) -> None:
    settings.JOINS_PER_HOUR = 3
    study = make_study(n_items=1)

    def join(address: str) -> int:
        url = f"/join/{study.invitation}/"
        return Client().post(url, {"name": "n", "consent": "on"}, REMOTE_ADDR=address).status_code

    assert [join("203.0.113.1") for _ in range(5)] == [302, 302, 302, TOO_MANY, TOO_MANY]
    assert join("203.0.113.2") == 302
    assert Client().get(f"/join/{study.invitation}/", REMOTE_ADDR="203.0.113.1").status_code == 200
    refused = Client().post(f"/join/{study.invitation}/", {}, REMOTE_ADDR="203.0.113.1")
    assert 0 < int(refused.headers["Retry-After"]) <= 3600
    assert "Too many requests" in refused.content.decode()


def test_wrong_and_missing_tokens_are_limited_by_address_and_good_ones_are_let_in(settings: Settings) -> None:
    settings.API_STRANGER_CALLS_PER_MINUTE = 4
    good = {"authorization": f"Token {make_token(make_user(researcher=True))}"}

    wrong = [Client(headers={"authorization": f"Token {n}"}).get("/api/v1/studies/") for n in range(6)]

    assert [answer.status_code for answer in wrong][:4] == [401] * 4
    assert wrong[-1].status_code == TOO_MANY
    assert wrong[-1].headers["Content-Type"] == "application/problem+json"
    assert int(wrong[-1].headers["Retry-After"]) > 0
    assert Client().get("/api/v1/schema/").status_code == TOO_MANY
    assert Client(headers=good).get("/api/v1/studies/").status_code == 200


def test_a_person_s_calls_are_counted_together(settings: Settings) -> None:
    settings.API_CALLS_PER_MINUTE = 3
    ruth = make_user("ruth", researcher=True)
    first, second = (Client(headers={"authorization": f"Token {make_token(ruth)}"}) for _ in range(2))
    answers = [client.get("/api/v1/studies/").status_code for client in (first, second, first, second)]
    assert answers == [200, 200, 200, TOO_MANY]
    other = Client(headers={"authorization": f"Token {make_token(make_user())}"})
    assert other.get("/api/v1/studies/").status_code == 200


def test_password_mails_are_limited(settings: Settings) -> None:
    settings.SENDS_MAIL, settings.PASSWORD_MAILS_PER_HOUR = True, 2
    answers = [Client().post("/password/forgotten/", {"email": "x@example.org"}).status_code for _ in range(3)]
    assert answers == [302, 302, TOO_MANY]


# --- counting --------------------------------------------------------------------------------------------------------
def test_many_at_once_are_counted_exactly() -> None:
    with ThreadPoolExecutor(8) as threads:
        waits = list(threads.map(lambda _: seconds_to_wait(ONCE_IN_A_WHILE, "somebody"), range(40)))
    assert sum(wait == 0 for wait in waits) == 5
    assert seconds_to_wait(ONCE_IN_A_WHILE, "somebody else") == 0


def test_a_window_that_is_over_is_forgotten() -> None:
    short = Limit("test", 1, 1)
    for _ in range(3):
        seconds_to_wait(short, "somebody")
    time.sleep(1.1)
    assert seconds_to_wait(short, "somebody") == 0


def test_no_address_is_kept_in_clear_and_a_broken_file_shuts_nobody_out(settings: Settings) -> None:
    file = Path(settings.DATA_DIR) / FILE_NAME
    seconds_to_wait(ONCE_IN_A_WHILE, "203.0.113.77")
    assert b"203.0.113.77" not in file.read_bytes()
    file.write_bytes(b"no database" * 1000)
    assert [seconds_to_wait(ONCE_IN_A_WHILE, "203.0.113.77") for _ in range(9)] == [0] * 9
