"""Whatever a client sends, the API answers JSON with a status below 500, and nothing is stored of what it refuses."""

import base64
import copy
import http.client
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
from django.contrib.auth.models import User
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from evalsite.api.reading import MOST_LEVELS
from evalsite.requests.bodies import RequestBodies
from generation.models import Run
from generation.recipes.matrix import methods
from tests.factories import (
    make_image,
    make_matrix,
    make_prompt,
    make_prompt_set,
    make_run,
    make_study,
    make_token,
    make_user,
)

pytestmark = pytest.mark.django_db
RUNS, IMPORTS, STUDIES = "/api/v1/runs/", "/api/v1/imports/", "/api/v1/studies/"


@pytest.fixture
def ruth() -> User:
    return make_user("ruth", researcher=True)


@pytest.fixture
def api(ruth: User) -> Client:
    token = make_token(ruth)
    return Client(headers={"authorization": f"Token {token}"}, raise_request_exception=False)


def said(response: Any, *statuses: int) -> Any:
    """The answer's JSON, once its status and type are as they should be."""
    assert response.status_code in statuses, (response.status_code, response.content[:200])
    is_refusal = response.status_code >= 300
    assert response.headers["Content-Type"] == ("application/problem+json" if is_refusal else "application/json")
    return json.loads(response.content)


# --- bodies ----------------------------------------------------------------------------------------------------------
def nested(n: int, left: str = "[", right: str = "]") -> str:
    return left * n + right * n


BODIES = {
    "not JSON": "{",
    "Python": "{'a': 1}",
    "two values": "{}{}",
    "lists 100,000 deep": nested(100_000),
    "objects 100,000 deep": '{"a":' * 100_000 + "1" + "}" * 100_000,
    "lists too deep to walk, not to parse": nested(900),
    "one level too deep": '{"matrix": ' + nested(MOST_LEVELS) + "}",
    "a list": "[]",
    "a number": "1",
    "nothing": "null",
    "NaN": '{"first": NaN}',
    "Infinity": '{"first": -Infinity}',
    "beyond a float": '{"first": 1e999}',
    "beyond 64 bits": '{"matrix": {"seeds": [9223372036854775808]}}',
    "beyond any digits": '{"first": ' + "9" * 5_000 + "}",
    "half a surrogate pair": '{"prompt_set": "\\ud800"}',
    "half a surrogate pair as a name": '{"\\udfff": 1}',
    "NUL": '{"name": "a\\u0000b"}',
    "a repeated key": '{"name": "a", "name": "b"}',
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES.keys())
def test_a_body_that_nothing_can_be_made_of(body: str, api: Client) -> None:
    said(api.post(RUNS, body, content_type="application/json"), 400)
    assert not Run.objects.exists()


@pytest.mark.parametrize("body", [b"\xff", "{}".encode("utf-16"), b"\0", b'"\xed\xa0\x80"'])
def test_a_body_that_is_not_utf_8(body: bytes, api: Client) -> None:
    said(api.generic("POST", RUNS, body, content_type="application/json"), 400)


def test_a_byte_order_mark_and_blanks_do_no_harm(api: Client) -> None:
    found = said(api.generic("POST", RUNS, b"\xef\xbb\xbf {} \n", content_type="application/json"), 400)
    assert found == {
        "type": "urn:evalsite:problem:invalid",
        "title": "Bad Request",
        "status": 400,
        "detail": "prompt_set: This field is required.",
        "cure": "",
        "errors": [{"field": "prompt_set", "detail": "This field is required.", "cure": "Send this field."}],
    }


ODD = st.sampled_from(
    [None, True, 0, -1, 2**31, 2**63 - 1, 1.5, -0.0, 1e308, "", " ", "x" * 10_000, "\u202e", "1e999", [], [[]], {}]
) | st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


def places(value: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where in a JSON value something else could stand."""
    yield place
    if isinstance(value, dict | list):
        for key in value if isinstance(value, dict) else range(len(value)):
            yield from places(value[key], (*place, key))


def with_replaced(value: Any, place: tuple[Any, ...], new: Any) -> Any:
    if not place:
        return new
    value = copy.copy(value)
    value[place[0]] = with_replaced(value[place[0]], place[1:], new)
    return value


WHOLE = {
    "prompt_set": "set",
    "category": "c",
    "first": 1,
    "name": "n",
    "priority": 1,
    "may_reuse": True,
    "matrix": make_matrix(methods.renoised(2), methods.BEST_OF_FOUR, metrics=("clip-score", "blip-vqa")).as_json(),
}


@pytest.fixture
def a_set(db: None) -> None:
    make_prompt(prompt_set=make_prompt_set("set"), category="c")


@pytest.mark.usefixtures("a_set")
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.sampled_from(list(places(WHOLE))), new=ODD)
def test_a_value_of_the_wrong_kind_anywhere_in_a_run(api: Client, place: tuple[Any, ...], new: Any) -> None:
    body = json.dumps(with_replaced(WHOLE, place, new))
    said(api.post(RUNS, body, content_type="application/json"), 202, 400)


@pytest.mark.usefixtures("a_set")
def test_the_run_that_is_varied_is_taken_as_it_is(api: Client) -> None:
    said(api.post(RUNS, json.dumps(WHOLE), content_type="application/json"), 202)


# --- forms with files ------------------------------------------------------------------------------------------------
def part(head: str, value: str = "x") -> str:
    return f"--B\r\nContent-Disposition: form-data; {head}\r\n\r\n{value}\r\n"


FORMS = {
    "an encoding that nobody knows": part("name*=nobody''%41"),
    "a file's name in such an encoding": part("name=\"table\"; filename*=nobody''%41"),
    "broken base64": part('name="kind"\r\nContent-Transfer-Encoding: base64', "="),
    "NUL in a name": part('name="a\0b"'),
    "NUL in an option": part('name="kind"', "prompts") + part('name="prompt_set"', "a\0b"),
    "NUL in a study's title": part('name="kind"', "ratings") + part('name="study"', "a\0b"),
    "a file for a text": part('name="kind"; filename="k"', "prompts"),
    "more fields than any form has": "".join(part(f'name="f{n}"') for n in range(1_100)),
    "half a part": part('name="kind"')[:-9],
    "nothing": "",
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS.keys())
def test_a_form_that_nothing_can_be_made_of(form: str, api: Client, ruth: User) -> None:
    of_session = Client(raise_request_exception=False, enforce_csrf_checks=True)
    of_session.force_login(ruth)
    for client in (api, of_session):
        body = f"{form}--B--\r\n".encode()
        said(client.generic("POST", IMPORTS, body, content_type="multipart/form-data; boundary=B"), 400, 403)


@pytest.mark.parametrize("boundary", ["", "; boundary=", "; boundary=\xe9", f"; boundary={'x' * 300}"])
def test_a_form_without_a_boundary(boundary: str, api: Client) -> None:
    said(api.generic("POST", IMPORTS, b"--x--", content_type=f"multipart/form-data{boundary}"), 400, 415)


# --- addresses, cursors, methods, headers ----------------------------------------------------------------------------
CURSORS = [
    *("p=abc", "p=", "p=-1", "p=1.5", "p=1e5", "p=٣", "p=9223372036854775808", "p=" + "9" * 5_000),
    *("o=-1", "o=x", "o=" + "9" * 5_000, "r=x", "&" * 2_000),
]


@pytest.fixture
def lists(ruth: User) -> list[str]:
    study, run = make_study(owner=ruth, n_items=2), make_run(owner=ruth)
    return [STUDIES, *(f"{STUDIES}{study.token}/{part}/" for part in ("items", "raters", "responses"))] + [
        f"{RUNS}{run.pk}/{part}/" for part in ("images", "failures")
    ]


@pytest.mark.parametrize("cursor", [*(base64.b64encode(text.encode()).decode() for text in CURSORS), "é", "====", "A"])
def test_a_cursor_that_no_page_gave(cursor: str, api: Client, lists: list[str]) -> None:
    for address in lists:
        said(api.get(f"{address}?cursor={quote(cursor)}"), 200, 404)


@pytest.mark.parametrize(
    "query", ["page_size=x", "page_size=" + "9" * 5_000, "%ff", "a[]=%80", "format=xml", "version=%0d%0a"]
)
def test_odd_questions_are_passed_over(query: str, api: Client, lists: list[str]) -> None:
    for address in (*lists, RUNS, IMPORTS, "/api/v1/schema/"):
        said(api.get(f"{address}?{query}"), 200)


@pytest.mark.parametrize("query", ["?x=%00", "?cursor=a%00"])
def test_nul_in_an_address(query: str, api: Client) -> None:
    for address in (STUDIES + query, f"{STUDIES}a%00b/", f"/api/%00{query}"):
        said(api.get(address), 400)


ADDRESSES = [
    *("/api", "/api/", "/api/v1/", "/api/v2/studies/", "/api/v1/nothing/", "/api/v1/runs/-1/", "/api/v1/runs/1e5/"),
    *(f"{RUNS}{'9' * 30}/", f"{RUNS}{'9' * 5_000}/", f"{IMPORTS}{'9' * 30}/", f"/api/v1/images/{'9' * 30}/file"),
    *(f"{STUDIES}%ff/", f"{STUDIES}%ED%A0%80/", f"{STUDIES}{'x' * 5_000}/", f"{STUDIES}/", "/api/v1/../../"),
    *(f"{STUDIES}x/exports/answers.exe", f"{STUDIES}x/exports/.csv"),
]


@pytest.mark.parametrize("address", ADDRESSES)
def test_an_address_that_leads_nowhere(address: str, api: Client) -> None:
    said(api.get(address), 404)
    said(Client().get(address), 404, 401)
    said(api.post(address, "{}", content_type="application/json"), 404, 405)


def test_an_address_that_lacks_its_slash_is_named_and_keeps_method_and_body(api: Client) -> None:
    for send in (api.get, api.post):
        response = send("/api/v1/runs?page_size=5", content_type="application/json")
        said(response, 308)
        assert response.headers["Location"] == "/api/v1/runs/?page_size=5"


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "TRACE", "PROPFIND", "__CLASS__"])
def test_a_method_that_an_address_does_not_have(method: str, api: Client) -> None:
    response = api.generic(method, STUDIES, b"{}", content_type="application/json")
    said(response, 405)
    assert "GET" in response.headers["Allow"]


@pytest.mark.parametrize(
    "given", ["text/plain", "application/x-www-form-urlencoded", "application/xml", "json", "", ";"]
)
def test_a_type_that_an_address_does_not_take(given: str, api: Client) -> None:
    said(api.generic("POST", RUNS, b"a=1", content_type=given), 415)
    said(api.generic("POST", IMPORTS, b"a=1", content_type=given), 415)


@pytest.mark.parametrize("accept", ["", "text/html", "text/csv", ";", "*/*;q=x", "a/b; x*=nobody''%41", "," * 9_000])
def test_what_is_accepted_is_in_no_answer_s_way(accept: str, api: Client) -> None:
    said(api.get(STUDIES, headers={"accept": accept}), 200)


@pytest.mark.parametrize("host", ["evil.example.org", "a b", "[::1"])
def test_a_host_that_is_not_ours(host: str, api: Client) -> None:
    said(api.get(STUDIES, headers={"host": host}), 400)


@pytest.mark.parametrize("length", [str(7 * 2**20), "-1", "nine", "9" * 30])
def test_a_body_larger_than_any_form(length: str, api: Client) -> None:
    said(api.generic("POST", RUNS, b"{}", content_type="application/json", CONTENT_LENGTH=length), 413)


def test_an_image_whose_file_is_gone(api: Client) -> None:
    image = make_image()
    image.file.storage.delete(image.file.name)
    said(api.get(f"/api/v1/images/{image.pk}/file"), 404)


def test_a_fault_of_the_site_is_json_too_and_reveals_nothing(api: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr("annotations.api.studies.queries.studies_run_by", broken)
    assert "secret" not in said(api.get(STUDIES), 500)["detail"]


# --- before Django ---------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("charset", ["charset=rot13", "charset=utf-16", "charset=nobody", "charset*=nobody''%41"])
def test_an_encoding_that_django_stumbles_over(charset: str) -> None:
    def never(*_: Any) -> Any:
        raise AssertionError("Django was asked")

    statuses: list[str] = []
    environ = {"CONTENT_TYPE": f"application/json; {charset}", "wsgi.input": None, "QUERY_STRING": "a=%41"}
    (body,) = RequestBodies(never)(environ, lambda status, headers: statuses.append(status))
    assert statuses == ["415 Unsupported Media Type"]
    assert "UTF-8" in json.loads(body)["detail"]


@pytest.mark.parametrize("address", [RUNS, "/api/v1/nothing/", "/sign-in/"])
def test_people_who_send_too_much_get_a_reason_and_not_a_broken_pipe(address: str, live_site: str) -> None:
    connection = http.client.HTTPConnection(urlsplit(live_site).netloc)
    connection.request("POST", address, b"x" * 12 * 2**20, {"Content-Type": "application/json"})
    assert connection.getresponse().status in (404, 413)
