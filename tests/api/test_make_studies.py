"""Studies by API from the design to the results: made, opened, rated by a front end of one's own, extended, closed."""

import hashlib
import hmac
import json
import threading
import time
from base64 import b64decode, b64encode
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from annotations.models import Delivery, Extension, Item, Rater, Study, Webhook
from annotations.models.participation import RaterPlan
from annotations.questions import PREFERENCE
from annotations.services.hooks.addresses import Unreachable, post
from annotations.tasks import tend_studies
from evalsite.models import ApiToken
from generation.models import Image
from tests.annotations.audits.audit_rows import make_audited_study
from tests.api.problems import by_field
from tests.factories import make_image, make_method, make_prompt, make_prompt_set, make_study, make_token, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def ruth() -> User:
    return make_user("ruth", researcher=True)


class Api:
    """A program: JSON in, JSON out."""

    def __init__(self, key: str = "") -> None:
        self.client = Client(headers={"authorization": f"Token {key}"} if key else {})

    def __call__(self, method: str, address: str, body: Any = None, *, status: int = 200) -> Any:
        path = address if address.startswith(("/", "http")) else f"/api/v1/{address}"
        response = self.client.generic(method, path, json.dumps(body), content_type="application/json")
        assert response.status_code == status, response.content
        return json.loads(response.content) if response.content else None


@pytest.fixture
def api(ruth: User) -> Api:
    return Api(make_token(ruth))


@pytest.fixture
def images(ruth: User) -> list[Image]:
    """Two methods' images of three prompts, in the set “scenes”."""
    prompt_set = make_prompt_set("scenes", owner=ruth)
    methods = [make_method("sdxl"), make_method("flux")]
    prompts = [make_prompt(f"scene {n}", prompt_set=prompt_set) for n in range(3)]
    return [make_image(prompt=prompt, method=method) for prompt in prompts for method in methods]


PAIRS = {
    "title": "Which one?",
    "prompt_sets": ["scenes"],
    "methods": ["sdxl", "flux"],
    "item_kind": "pair",
    "raters_per_item": 2,
    "questions": [{"preset": "preference"}],
    "consent": "I agree.",
}


@pytest.mark.usefixtures("images")
@pytest.mark.parametrize(
    "asked", [{"preset": "preference"}, {"question": "Which?", "kind": "nominal", "about": "item", "names_sides": True}]
)
def test_a_question_about_sides_can_word_them_freely(api: Api, asked: dict[str, Any]) -> None:
    levels = [{"value": "1", "label": "links"}, {"value": "2", "label": "rechts"}]
    study = api("POST", "studies/", PAIRS | {"questions": [asked | {"levels": levels}]}, status=201)
    assert study["dimensions"][0]["parameters"] == {"names_sides": True}

    unmarked = {"question": "Which?", "kind": "nominal", "about": "item", "levels": levels}
    problem = api("POST", "studies/", PAIRS | {"questions": [unmarked]}, status=400)
    assert "names_sides" in json.dumps(problem)


@pytest.mark.usefixtures("images")
def test_from_the_design_to_answers_with_names(api: Api, ruth: User) -> None:
    study = api("POST", "studies/", PAIRS | {"open": True, "seed": 5}, status=201)
    token = study["token"]
    assert (study["state"], study["n_wanted"], study["owner"]) == ("open", 6, "ruth")
    assert [question["name"] for question in study["dimensions"]] == [PREFERENCE.name]
    assert api("GET", "studies/?state=open&title=Which one%3F")["results"][0]["token"] == token

    # somebody joins by the link alone, with a front end of their own
    invitation = study["invitation"].rstrip("/").rpartition("/")[2]
    stranger = Api()
    assert stranger("GET", f"join/{invitation}/")["consent"] == "I agree."
    assert "consent" in by_field(stranger("POST", f"join/{invitation}/", {"consent": False}, status=400))
    joined = stranger("POST", f"join/{invitation}/", {"consent": True, "name": "anna"}, status=201)
    assert ApiToken.objects.get(name="made by joining a study").scopes == ["rate"]
    anna = Api(joined["token"])
    assert anna("GET", f"rate/{token}/")["n_total"] == 3
    seen: list[str] = []
    while cards := anna("GET", f"rate/{token}/cards/?n=2"):
        seen.append(json.dumps(cards))
        card = cards[0]
        assert anna.client.get(card["images"][1]["url"]).headers["Content-Type"] == "image/webp"
        (question,) = card["questions"]
        assert [option["label"] for option in question["options"][:2]] == ["left", "right"]
        address = f"rate/{token}/cards/{card['token']}/"
        assert "answers" in by_field(anna("POST", address, {"answers": {}}, status=400))
        assert "language" in by_field(anna("POST", address, {"answers": {}, "language": "tlh"}, status=400))
        answer = {"answers": {question["fields"][0]: "0"}, "active_ms": 900, "language": "de"}
        outcomes = [anna("POST", address, answer)["outcome"] for _ in range(2)]
        assert outcomes == ["saved", "unchanged"]
    assert len(seen) == 3
    told = "".join(seen)
    hidden = ["sdxl", "flux", "method", "seed", "slot", "sha256", *map(str, Item.objects.values_list("key", flat=True))]
    assert [word for word in hidden if word in told] == []
    for address in ("studies/", f"studies/{token}/", "images/", "question-presets/"):
        anna("GET", address, status=403)

    answers = api("GET", f"studies/{token}/responses/")["results"]
    assert {(row["rater_name"], row["label"]) for row in answers} == {("anna", "left")}
    # the study's words have no German translation, so that its questions were read as they were written
    assert {(row["language"], row["is_further"], row["probability"]) for row in answers} == {("en", False, 1.0)}
    assert {row["preferred_method"] for row in answers} <= {"sdxl", "flux"}
    assert all(row["preferred_method"] and row["prompt"].startswith("scene") for row in answers)
    (rater,) = api("GET", f"studies/{token}/raters/")["results"]
    excluded = api("POST", f"studies/{token}/raters/{rater['id']}/exclude/", {"reason": "a test"})
    assert excluded["excluded_reason"] == "a test"
    assert api("POST", f"studies/{token}/raters/{rater['id']}/include/")["excluded_at"] is None
    assert api("POST", f"studies/{token}/close/")["state"] == "closed"
    assert anna("GET", f"rate/{token}/cards/") == []


@pytest.mark.usefixtures("images")
def test_what_is_wrong_with_a_design_is_said_by_field_and_nothing_is_made(api: Api) -> None:
    wrong: dict[str, tuple[Any, str]] = {
        "methods": (["sdxl", "dalle"], "“dalle”"),
        "prompt_sets": ([], ""),
        "raters_per_item": (0, ""),
        "item_kind": ("triple", ""),
        "budget": (1, "each needs 2"),
        "questions.0.levels": ([{"question": "How?", "kind": "ordinal", "levels": [{"value": "x", "label": "y"}]}], ""),
        "questions.0.question": ([{"kind": "ordinal"}], "ready-made"),
        "title": ("", ""),
    }
    for field, (value, words) in wrong.items():
        problem = api("POST", "studies/", PAIRS | {field.partition(".")[0]: value}, status=400)
        assert words in str(by_field(problem)[field]), problem
    problem = api("POST", "studies/", PAIRS | {"item_kind": "image"}, status=400)
    assert "needs two images" in problem["detail"]
    assert not Study.objects.exists()
    auditor = make_user()
    Api(make_token(auditor))("POST", "studies/", PAIRS, status=403)


@pytest.mark.usefixtures("images")
def test_a_draft_is_designed_anew_until_it_has_opened(api: Api) -> None:
    token = api("POST", "studies/", PAIRS, status=201)["token"]
    image = PAIRS | {"item_kind": "image", "questions": [{"preset": "acceptance"}, {"preset": "alignment"}]}
    changed = api("PUT", f"studies/{token}/", image | {"raters_per_item": 5, "open": True})
    assert (changed["token"], changed["state"], changed["n_wanted"]) == (token, "open", 30)
    assert [question["name"] for question in changed["dimensions"]] == ["acceptance", "alignment"]
    api("PUT", f"studies/{token}/", PAIRS, status=409)
    archive = api.client.get(f"/api/v1/studies/{token}/exports/study.zip")
    assert archive.headers["Content-Type"] == "application/zip"


@pytest.mark.usefixtures("images")
def test_who_must_prepare_on_the_page_does_not_begin_elsewhere(api: Api) -> None:
    study = api("POST", "studies/", PAIRS | {"open": True}, status=201)
    joined = Api()("POST", f"join/{study['invitation'].split('/')[-2]}/", {"consent": True}, status=201)
    Rater.objects.update(must_prepare=True)
    refused = Api(joined["token"])("GET", f"rate/{study['token']}/cards/", status=409)
    assert refused["type"].endswith(":page-first")
    plan = RaterPlan.objects.create(study=Study.objects.get(), content_warning="Blood.")
    assert plan.content_warning
    refused = Api()("POST", f"join/{study['invitation'].split('/')[-2]}/", {"consent": True}, status=400)
    assert "in a browser" in refused["detail"]


@pytest.mark.usefixtures("images")
def test_a_budget_buys_whole_items_and_a_deadline_closes(api: Api) -> None:
    design = PAIRS | {"budget": 5, "open": True, "closes_at": (timezone.now() + timedelta(hours=1)).isoformat()}
    study = api("POST", "studies/", design, status=201)
    assert study["n_wanted"] == 4  # two items, two raters each; the fifth answer would be alone
    tend_studies()
    assert api("GET", f"studies/{study['token']}/")["state"] == "open"
    late = {"closes_at": (timezone.now() - timedelta(seconds=1)).isoformat(), "title": "New"}
    changed = api("PATCH", f"studies/{study['token']}/", late)
    assert (changed["title"], changed["consent"]) == ("New", "I agree.")
    tend_studies()
    assert api("GET", f"studies/{study['token']}/")["state"] == "closed"
    refused = api("PATCH", f"studies/{study['token']}/", {"exclusion_rule": "later"}, status=400)
    assert "exclusion_rule" in by_field(refused)
    invitation = api("PATCH", f"studies/{study['token']}/invitation/", {"most_raters": 3, "joining_code": "sesame"})
    assert (invitation["most_raters"], invitation["joining_code"], invitation["n_people"]) == (3, "sesame", 0)
    assert api("POST", f"studies/{study['token']}/invitation/")["link"] != invitation["link"]


def test_members_and_an_audit(api: Api, ruth: User) -> None:
    study = make_audited_study(n_images=2, owner=ruth)
    make_user("mona")
    member = api("POST", f"studies/{study.token}/members/", {"username": "mona", "role": "researcher"}, status=201)
    assert "username" in str(api("POST", f"studies/{study.token}/members/", {"role": "auditor"}, status=400))
    assert len(api("GET", f"studies/{study.token}/members/")) == 1
    api("DELETE", f"studies/{study.token}/members/{member['id']}/", status=204)
    api("GET", f"studies/{study.token}/audit/", status=404)
    plan = api("POST", f"studies/{study.token}/audit/", {"auditors_per_image": 1}, status=201)
    assert (plan["state"], plan["auditors_per_image"]) == ("draft", 1)
    assert api("POST", f"studies/{study.token}/audit/open/")["state"] == "open"
    api("POST", f"studies/{study.token}/audit/auditors/", {"username": "mona"}, status=201)
    assert [row["username"] for row in api("GET", f"studies/{study.token}/audit/auditors/")] == ["mona"]
    assert api("GET", f"studies/{study.token}/critic/?partly=right") == {"results": None}
    api("POST", f"studies/{study.token}/audit/", {}, status=400)
    assert api("POST", f"studies/{study.token}/audit/close/")["state"] == "closed"


# --- a living benchmark ----------------------------------------------------------------------------------------------
@pytest.mark.parametrize("kind", ["image", "pair"])
def test_a_method_joins_an_old_study_whose_items_stay(kind: str, api: Api, images: list[Image]) -> None:
    design = PAIRS | {"item_kind": kind} | ({} if kind == "pair" else {"questions": [{"preset": "alignment"}]})
    token = api("POST", "studies/", design | {"open": True}, status=201)["token"]
    old = list(Item.objects.filter(study__token=token).order_by("position").values())
    new = make_method("sana")
    address = f"studies/{token}/extensions/"
    assert "no image" in api("POST", address, {"methods": ["sana"]}, status=400)["detail"]
    for image in images[:4:2]:
        make_image(prompt=image.prompt, method=new)
    make_image(method=new)  # of another prompt
    tried = api("POST", address, {"methods": ["sana"], "note": "first try"}, status=201)
    assert (tried["first_position"], tried["n_items"]) == (len(old), 2 if kind == "image" else 4)
    assert "already" in api("POST", address, {"methods": ["sana"]}, status=400)["detail"]
    assert "“none”" in api("POST", address, {"methods": ["none"]}, status=400)["detail"]
    items = Item.objects.filter(study__token=token).order_by("position")
    assert list(items.values())[: len(old)] == old
    assert all(item.images.filter(method=new).count() == 1 for item in items[len(old) :])
    make_image(prompt=images[0].prompt, method=make_method("third"))
    api("POST", address, {"methods": ["third"]}, status=201)
    assert [row["methods"] for row in api("GET", address)] == [["sana"], ["third"]]
    make_image(prompt=images[0].prompt, method=make_method("fourth"))
    with pytest.raises(CommandError, match="could join: fourth"):
        call_command("add_methods", token, "--method", "fifth")
    call_command("add_methods", token, "--method", "fourth", "--note", "by command")
    assert [row["note"] for row in api("GET", address)] == ["first try", "", "by command"]
    assert Extension.objects.get(note="first try").added_by == User.objects.get(username="ruth")


# --- events ----------------------------------------------------------------------------------------------------------
@pytest.fixture
def receiver() -> Iterator[tuple[str, list[tuple[dict[str, str], bytes]], list[int]]]:
    """(address, messages that came, answers to give) of a real server."""
    came: list[tuple[dict[str, str], bytes]] = []
    answers: list[int] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            came.append(({name.lower(): value for name, value in self.headers.items()}, body))
            self.send_response(answers.pop(0) if answers else 200)
            self.end_headers()
            self.wfile.write(b"noted")

        def log_message(self, *_: Any) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/hook", came, answers
    server.shutdown()
    server.server_close()


def test_events_are_signed_repeated_and_logged(api: Api, ruth: User, receiver: Any, settings: Settings) -> None:
    url, came, answers = receiver
    study = make_study(owner=ruth, n_items=1, k=1, state=Study.State.DRAFT)
    hooks = f"studies/{study.token}/webhooks/"
    for wrong in (url, "https://user:pw@example.org/", "ftp://example.org/", "https://example.org:22/", "https:///x"):
        problem = api("POST", hooks, {"url": wrong, "events": ["study.opened"]}, status=400)
        assert "url" in by_field(problem), wrong
    settings.WEBHOOK_HOSTS = [url.split("/")[2]]
    hook = api("POST", hooks, {"url": url, "events": ["study.opened", "study.completed"]}, status=201)
    assert "secret" not in api("GET", hooks)[0]

    answers.append(500)
    api("POST", f"studies/{study.token}/open/")
    assert tend_studies() == 1
    (line,) = api("GET", f"studies/{study.token}/deliveries/")["results"]
    assert (line["event"], line["state"], line["status"], line["said"]) == ("study.opened", "waiting", 500, "noted")
    assert tend_studies() == 0  # not yet
    Delivery.objects.update(due_at=timezone.now())
    assert tend_studies() == 1
    assert api("GET", f"studies/{study.token}/deliveries/")["results"][0]["state"] == "done"
    (_first, (headers, body)) = came
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    digest = hmac.new(b64decode(hook["secret"].removeprefix("whsec_")), signed, hashlib.sha256).digest()
    assert headers["webhook-signature"] == f"v1,{b64encode(digest).decode()}"
    assert came[0][0]["webhook-id"] == headers["webhook-id"]  # a repeated message can be known as such
    assert json.loads(body)["data"]["study"] == study.token
    Item.objects.update(taken=1)
    tend_studies()
    tend_studies()
    assert [json.loads(body)["type"] for _headers, body in came[2:]] == ["study.completed"]
    again = api("POST", f"studies/{study.token}/deliveries/{line['id']}/send/", status=202)
    answers.append(410)
    tend_studies()
    assert api("GET", hooks)[0]["ended_at"] is not None
    assert Delivery.objects.get(pk=again["id"]).state == "failed"
    api("DELETE", f"{hooks}{hook['id']}/", status=204)


@pytest.mark.worker
def test_a_worker_sends_what_the_api_did(receiver: Any, celery_worker_process: Any) -> None:
    url, came, _answers = receiver
    ruth = make_user("ruth", researcher=True)
    api, study = Api(make_token(ruth)), make_study(owner=ruth, n_items=1, state=Study.State.DRAFT)
    host = url.split("/")[2]
    celery_worker_process(EVALSITE_WEBHOOK_HOSTS=host)
    Webhook.objects.create(study=study, url=url, events=["study.opened"])
    api("POST", f"studies/{study.token}/open/")
    tend_studies.delay()
    end = time.monotonic() + 30
    while not came and time.monotonic() < end:
        time.sleep(0.1)
    assert [json.loads(body)["type"] for _headers, body in came] == ["study.opened"]
    while Delivery.objects.get().state != Delivery.State.DONE and time.monotonic() < end:
        time.sleep(0.1)
    assert (Delivery.objects.get().state, Delivery.objects.get().status) == ("done", 200)


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "[::1]", "169.254.169.254", "10.0.0.1", "[::ffff:10.0.0.1]"]
)
def test_nothing_is_sent_into_a_private_network(host: str) -> None:
    with pytest.raises(Unreachable, match="private network"):
        post(f"https://{host}/", body=b"{}", headers={})
