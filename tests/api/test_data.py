"""Prompts, images and scores by API: sent, found again, refused by row, and bound by rights and scopes."""

import json
import threading
from functools import partial
from http.server import HTTPServer, SimpleHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from pytest_django import Settings

from evalsite.accounts.tokens import make_token
from evalsite.models import ApiToken, IdempotentCall
from generation.models import Activity, Image, Method, MetricScore, Prompt, PromptSet
from tests.factories import make_image, make_user, tiny_png

pytestmark = pytest.mark.django_db
SCENES = [{"prompt": "a red cube", "key": "p1", "category": "colour"}, {"prompt": "two dogs", "source": "mine"}]


@pytest.fixture
def ruth() -> User:
    return make_user("ruth", researcher=True)


def program(user: User, *scopes: str) -> Client:
    key = make_token(user=user, name="test", days=1, scopes=scopes or ("read", "data", "studies", "rate"))[1]
    return Client(headers={"authorization": f"Token {key}"})


@pytest.fixture
def api(ruth: User) -> Client:
    return program(ruth)


def send(api: Client, address: str, body: Any, *, status: int = 200, **headers: str) -> Any:
    response = api.post(f"/api/v1/{address}/", json.dumps(body), content_type="application/json", headers=headers)
    assert response.status_code == status, response.content
    return response.json()


def send_images(api: Client, rows: list[dict[str, Any]], *, status: int = 200, name: str = "set", **more: Any) -> Any:
    files = [SimpleUploadedFile(row["file"], tiny_png(len(row["file"]) * 7)) for row in rows if row.get("file")]
    form = {"prompt_set": name, "method": "sdxl", "images": json.dumps(rows), "files": files, **more}
    response = api.post("/api/v1/images/", form)
    assert response.status_code == status, response.content
    return response.json()


def listed(api: Client, address: str) -> list[Any]:
    response = api.get(f"/api/v1/{address}")
    assert response.status_code == 200, response.content
    return list(response.json()["results"])


def test_from_a_set_to_scores(api: Client, ruth: User) -> None:
    made = send(api, "prompt-sets", {"name": " scenes ", "licence": "CC0"}, status=201)
    assert (made["name"], made["owner"], made["licence"]) == ("scenes", "ruth", "CC0")
    assert send(api, "prompt-sets", {"name": "scenes"})["id"] == made["id"]
    assert send(api, "prompts", {"prompt_set": "scenes", "prompts": SCENES}) == {"n_created": 2, "n_unchanged": 0}
    assert send(api, "prompts", {"prompt_set": "scenes", "prompts": SCENES}) == {"n_created": 0, "n_unchanged": 2}
    rows = [
        {"file": "a.png", "prompt_key": "p1", "key": "k1", "seed": 7, "metadata": {"steps": 28}},
        {"file": "bb.png", "prompt": "two dogs", "method": "refined", "parent": "a.png"},
    ]
    first = send_images(api, rows, name="scenes")
    again = send_images(api, rows, name="scenes")
    assert (first["n_created"], again["n_created"], again["n_unchanged"]) == (2, 0, 2)
    assert [row["is_new"] for row in (*first["images"], *again["images"])] == [True, True, False, False]
    assert [row["id"] for row in first["images"]] == [row["id"] for row in again["images"]]
    later = send_images(api, [{"file": "ccc.png", "prompt_key": "p1", "parent": "k1"}], name="scenes")
    refined = Image.objects.get(pk=later["images"][0]["id"])
    assert (refined.parent and refined.parent.key, refined.round, refined.added_by) == ("k1", 1, ruth)
    scores = [{"image": "k1", "metric": "clip", "value": 0.5}]
    assert send(api, "scores", {"prompt_set": "scenes", "scores": scores})["n_created"] == 1
    assert send(api, "scores", {"scores": scores})["n_unchanged"] == 1
    (found,) = listed(api, "images/?key=k1&prompt_set=scenes")
    assert (found["prompt"], found["method"], found["provenance"]["steps"]) == ("a red cube", "sdxl", 28)
    assert [(score["metric"], score["value"]) for score in found["scores"]] == [("clip", 0.5)]
    assert api.get(found["shown_url"]).headers["Content-Type"] == "image/webp"
    assert [row["name"] for row in listed(api, "methods/?prompt_set=scenes")] == ["sdxl", "refined"]
    assert [row["key"] for row in listed(api, "prompts/?prompt_set=scenes&category=colour")] == ["p1"]
    assert listed(api, "prompts/?text=dogs")[0]["metadata"] == {}
    assert [row["value"] for row in listed(api, "scores/?metric=clip&method=sdxl")] == [0.5]
    assert listed(api, "scores/?metric=other") == []
    assert {line.details["kind"] for line in Activity.objects.filter(action="added")} == {"prompts", "images", "scores"}


def test_every_row_that_cannot_be_taken_is_named_and_nothing_is_saved(api: Client) -> None:
    rows = [
        {"file": "a.png", "prompt": "x"},
        {"file": "missing.png", "prompt": "x"},
        {"file": "bb.png"},
        {"file": "ccc.png", "prompt": "x", "parent": "nobody"},
    ]
    form = {"prompt_set": "set", "images": json.dumps(rows)}
    form["files"] = [SimpleUploadedFile(name, tiny_png(len(name))) for name in ("a.png", "bb.png", "ccc.png")]
    problem = api.post("/api/v1/images/", form).json()
    assert (problem["status"], problem["type"]) == (422, "urn:evalsite:problem:rows-refused")
    places = [(error["row"], error["field"]) for error in problem["errors"]]
    assert places == [(2, "image"), (3, "prompt"), (4, "parent")]
    assert all(error["detail"] and error["cure"] for error in problem["errors"])
    broken = [SimpleUploadedFile("a.png", b"no picture")]
    problem = api.post("/api/v1/images/", {"prompt_set": "set", "images": json.dumps(rows[:1]), "files": broken}).json()
    assert (problem["status"], problem["errors"][0]["row"]) == (422, 1)
    problem = send(api, "images", {"prompt_set": "set", "images": [{"prompt": "x", "seed": "y"}]}, status=400)
    assert problem["errors"][0]["field"] == "images.0.seed"
    assert [model.objects.count() for model in (PromptSet, Prompt, Image)] == [0, 0, 0]
    image = make_image(key="k")
    PromptSet.objects.update(owner=User.objects.get(username="ruth"))
    send(api, "scores", {"scores": [{"image": "k", "metric": "m", "value": 1.0}]})
    rows = [{"image": "k", "metric": "m", "value": 2.0}, {"image": "?", "metric": "m", "value": 2.0}]
    problem = send(api, "scores", {"scores": rows}, status=422)
    assert [error["row"] for error in problem["errors"]] == [1, 2]
    assert MetricScore.objects.get(image=image).value == 1.0


def test_nobody_adds_to_somebody_else_s_set_and_a_token_does_what_its_scopes_say(api: Client, ruth: User) -> None:
    send(api, "prompts", {"prompt_set": "hers", "prompts": SCENES})
    send_images(api, [{"file": "a.png", "prompt_key": "p1", "key": "k"}], name="hers")
    other = program(make_user("otto", researcher=True))
    assert "ruth" in send(other, "prompts", {"prompt_set": "hers", "prompts": SCENES}, status=422)["errors"][0]["cure"]
    assert send(other, "prompt-sets", {"name": "hers"}, status=422)["errors"][0]["field"] == "prompt_set"
    send_images(other, [{"file": "b.png", "prompt": "x"}], name="hers", status=422)
    send(other, "scores", {"scores": [{"image": "k", "metric": "m", "value": 1.0}]}, status=422)
    address = f"prompt-sets/{PromptSet.objects.get().pk}/editors"
    send(other, address, {"username": "otto"}, status=403)
    assert send(api, address, {"username": "otto"})["editors"] == ["otto"]
    send(other, "scores", {"scores": [{"image": "k", "metric": "m", "value": 1.0}]})
    assert Client().get("/api/v1/images/").status_code == 401
    assert program(make_user()).get("/api/v1/images/").status_code == 403

    reader, writer = program(ruth, "read"), program(ruth, "data")
    assert (reader.get("/api/v1/images/").status_code, writer.get("/api/v1/images/").status_code) == (200, 403)
    problem = send(reader, "prompts", {"prompt_set": "hers", "prompts": SCENES}, status=403)
    assert "“data”" in problem["detail"]
    send(writer, "prompts", {"prompt_set": "hers", "prompts": SCENES})
    assert ApiToken.objects.filter(scopes=["data"]).exists()


def test_addresses_are_fetched_from_allowed_stores_alone(api: Client, live_site: str, settings: Settings) -> None:
    row = {"url": f"{live_site}/static/evalsite/favicon.svg", "prompt": "x"}
    refused = send(api, "images", {"prompt_set": "set", "images": [row]}, status=422)
    assert "EVALSITE_IMAGE_STORES" in refused["errors"][0]["cure"]
    settings.IMAGE_STORES = [f"{live_site}/static/"]
    for path in ("static/../healthz/", "static/%2e%2e/healthz/", "static/nothing.png", "static/evalsite/favicon.svg"):
        body = {"prompt_set": "set", "images": [row | {"url": f"{live_site}/{path}"}]}
        assert send(api, "images", body, status=422)["errors"][0]["row"] == 1
    assert not Image.objects.exists()
    Path(settings.MEDIA_ROOT).mkdir(parents=True, exist_ok=True)
    (Path(settings.MEDIA_ROOT) / "shared.png").write_bytes(tiny_png(5))
    server = HTTPServer(("127.0.0.1", 0), partial(SimpleHTTPRequestHandler, directory=str(settings.MEDIA_ROOT)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    settings.IMAGE_STORES = [f"http://127.0.0.1:{server.server_port}/"]
    row["url"] = f"http://127.0.0.1:{server.server_port}/shared.png"
    assert send(api, "images", {"prompt_set": "set", "images": [row]})["images"][0]["is_new"]
    server.shutdown()
    server.server_close()
    assert Image.objects.get().provenance["url"] == row["url"]


# --- named calls, headers --------------------------------------------------------------------------------------------
def test_a_named_call_has_one_effect_and_one_answer(api: Client) -> None:
    body = {"name": "scenes"}
    first = api.post("/api/v1/prompt-sets/", json.dumps(body), "application/json", headers={"idempotency-key": "k"})
    again = api.post("/api/v1/prompt-sets/", json.dumps(body), "application/json", headers={"idempotency-key": "k"})
    assert (first.status_code, again.status_code, again.content) == (201, 201, first.content)
    assert (first.headers.get("Idempotency-Replayed"), again.headers["Idempotency-Replayed"]) == (None, "true")
    key = {"idempotency-key": "k"}
    assert send(api, "prompt-sets", {"name": "b"}, status=422, **key)["type"].endswith(":idempotency-key-reused")
    send(api, "prompt-sets", {"name": ""}, status=400, **{"idempotency-key": "later"})
    send(api, "prompt-sets", {"name": "c"}, status=201, **{"idempotency-key": "later"})  # a refusal keeps no name
    send(api, "prompt-sets", {"name": "d"}, status=400, **{"idempotency-key": "ä b"})
    assert not PromptSet.objects.filter(name__in="bd").exists()
    call = IdempotentCall.objects.get(key="k")
    IdempotentCall.objects.filter(pk=call.pk).update(status=None)  # its process is still at work
    busy = api.post("/api/v1/prompt-sets/", json.dumps(body), "application/json", headers=key)
    assert (busy.status_code, busy.headers["Retry-After"]) == (409, "1")
    IdempotentCall.objects.filter(pk=call.pk).update(lease_until=call.made_at)  # and that process has died
    assert send(api, "prompt-sets", body, status=200, **key)["name"] == "scenes"
    stranger = Client(headers=key)
    assert stranger.post("/api/v1/prompt-sets/", json.dumps(body), "application/json").status_code == 401


def test_a_form_is_the_same_call_whatever_its_boundaries(api: Client) -> None:
    row = [{"file": "a.png", "prompt": "x"}]
    for boundary in ("one", "two"):
        lines = [f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"' for name in ("prompt_set", "images")]
        body = f"{lines[0]}\r\n\r\nset\r\n{lines[1]}\r\n\r\n{json.dumps(row)}\r\n--{boundary}\r\n".encode()
        body += b'Content-Disposition: form-data; name="files"; filename="a.png"\r\n\r\n' + tiny_png(3)
        body += f"\r\n--{boundary}--\r\n".encode()
        form = f"multipart/form-data; boundary={boundary}"
        response = api.generic(
            "POST", "/api/v1/images/", body, form, headers={"idempotency-key": "step 1".replace(" ", "-")}
        )
        assert response.status_code == 200, response.content
        assert response.json()["n_created"] == 1
    assert Image.objects.count() == 1
    assert Method.objects.get().name == "imported"


def test_what_has_not_changed_is_not_sent_again_and_calls_are_counted(api: Client) -> None:
    first = api.get("/api/v1/prompt-sets/")
    tag = first.headers["ETag"]
    assert api.get("/api/v1/prompt-sets/", headers={"if-none-match": tag}).status_code == 304
    send(api, "prompt-sets", {"name": "new"}, status=201)
    second = api.get("/api/v1/prompt-sets/", headers={"if-none-match": tag})
    assert second.status_code == 200
    assert "no-store" in first.headers["Cache-Control"]  # for browsers; a program may keep what it read
    left = [int(response.headers["RateLimit-Remaining"]) for response in (first, second)]
    assert first.headers["RateLimit-Limit"] == "1200"
    assert left[0] - left[1] in (3, -1197)  # unless a minute ended in between
