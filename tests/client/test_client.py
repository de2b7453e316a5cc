"""The Python client against a real server: pushed, asked, answered and read, by both clients and a generated one."""

import asyncio
import importlib
import json
import shutil
import subprocess
import sys
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image as PillowImage

from annotations.models import Item, Study
from annotations.services.hooks.signatures import signed_headers
from evalsite_client import AsyncEvalsite, Evalsite, Picture, Problem
from evalsite_client.webhooks import NotOurs, verified
from generation.models import Image, Method, PromptSet
from tests.client.raters import answer_all
from tests.factories import tiny_png

ROOT = Path(__file__).resolve().parents[2]
PROMPTS = ["a red cube", "a blue ball", "two dogs"]


def samples(step: int) -> list[Picture]:
    return [Picture(tiny_png(100 * step + n), prompt=prompt, seed=n) for n, prompt in enumerate(PROMPTS)]


def test_from_a_training_step_to_a_data_frame(live_site: str, key: str, tmp_path: Path) -> None:
    pillow = PillowImage.new("RGB", (8, 8), "red")
    (tmp_path / "b.png").write_bytes(tiny_png(7))
    with Evalsite(live_site, key) as site:
        given = [(PROMPTS[0], pillow), (PROMPTS[1], tmp_path / "b.png"), (PROMPTS[2], tiny_png(8))]
        first = site.push_images("run", given, method="step 1")
        again = site.push_images("run", given, method="step 1")
        assert ([one.is_new for one in first], [one.is_new for one in again]) == ([True] * 3, [False] * 3)
        site.push_images("run", samples(2), method="step 2")
        assert site.push_scores("clip", {first[0].sha256: 0.25}, prompt_set="run").n_created == 1
        assert [row["scores"][0]["value"] for row in site.images(prompt_set="run", method="step 1")[:1]] == [0.25]
        pair: dict[str, Any] = {"item_kind": "pair", "seed": 1}
        study = site.ask(
            "Which?",
            of="run",
            methods=["step 1", "step 2"],
            questions=["preference"],
            ratings=2,
            budget=5,
            within=timedelta(hours=2),
            key="run/2",
            **pair,
        )
        assert (study.state.state, study.state.n_wanted) == ("open", 4)
        with pytest.raises(TimeoutError, match="0 of 4"):
            study.wait(timeout=timedelta(0))
        for name in ("anna", "bob"):
            assert answer_all(live_site, study.invitation, code="0", name=name) == 2
        frame = study.wait(every_s=0.1).data_frame()
        assert sorted(frame["rater"].unique()) == ["anna", "bob"]
        assert set(frame["label"]) == {"left"}
        assert set(frame["preferred_method"]) <= {"step 1", "step 2"}
        assert str(frame["answered_at"].dtype).endswith("UTC]")
        assert study.results(every_s=0.1)["title"] == "Which?"
        assert study.close().state.state == "closed"
        assert [row["token"] for row in site.studies(state="closed")] == [study.token]
        # a later step joins the study, whose old items stay
        before = list(Item.objects.order_by("position").values())
        site.push_images("run", samples(3), method="step 3")
        record = site.study(study.token).add_methods(["step 3"], note="a later step", key="run/3")
        assert (record["methods"], record["n_items"]) == (["step 3"], 4)
        assert list(Item.objects.order_by("position").values())[: len(before)] == before
        assert study.add_methods(["step 3"], note="a later step", key="run/3") == record


def test_a_hundred_workers_make_one_study(live_site: str, key: str) -> None:
    with Evalsite(live_site, key) as site:

        def work(worker: int) -> tuple[str, int]:
            pushed = site.push_images("run", samples(1), method="step 1")
            study = site.ask("Step 1", of="run", methods=["step 1"], within=timedelta(hours=1), key="run/1")
            return study.token, pushed[worker % 3].id

        with ThreadPoolExecutor(25) as workers:
            found = list(workers.map(work, range(100)))
        assert len({token for token, _image in found}) == 1
        assert len({image for _token, image in found}) == 3
        assert (Study.objects.count(), Item.objects.count(), Image.objects.count()) == (1, 3, 3)
        assert (PromptSet.objects.count(), Method.objects.count()) == (1, 1)
        with pytest.raises(Problem) as refused:
            site.ask("Step 2", of="run", methods=["step 1"], key="run/1")
        assert (refused.value.status, refused.value.kind) == (422, "idempotency-key-reused")


def test_awaited_it_does_the_same(live_site: str, key: str) -> None:
    async def script() -> list[dict[str, Any]]:
        async with AsyncEvalsite(live_site, key) as site:
            await asyncio.gather(*(site.push_images("run", samples(1), method="step 1") for _ in range(5)))
            assert (await site.push_prompts("run", ["another"])).n_created == 1
            study = await site.ask("Step 1", of="run", methods=["step 1"], ratings=1, key="k")
            await asyncio.to_thread(answer_all, live_site, study.invitation)
            await study.wait(every_s=0.1)
            return await study.answers()

    with ThreadPoolExecutor(1) as thread:  # a browser test before may have left an event loop in this one
        answers = thread.submit(asyncio.run, script()).result()
    assert sorted(row["prompt"] for row in answers) == sorted(PROMPTS)
    assert {(row["method"], row["label"]) for row in answers} == {("step 1", "matches exactly")}


def test_what_is_refused_names_row_field_and_cure(live_site: str, key: str) -> None:
    with Evalsite(live_site, key) as site:
        with pytest.raises(Problem, match="row 2, image") as refused:
            site.push_images("run", [(PROMPTS[0], tiny_png(1)), (PROMPTS[1], b"no picture")])
        assert refused.value.errors[0]["cure"]
        with pytest.raises(Problem, match="There is no “run”"):
            site.ask("T", of="run", methods=["dalle"])
    assert not Image.objects.exists()
    with Evalsite(live_site, "wrong") as stranger, pytest.raises(Problem) as refused:
        stranger.studies()
    assert refused.value.status == 401


def test_only_fresh_messages_of_the_site_itself_are_taken() -> None:
    secret, body = "whsec_c2VjcmV0", json.dumps({"type": "study.completed"}).encode()
    now = int(time.time())
    headers = signed_headers(secret=secret, message="m", body=body, timestamp=now)
    assert verified(body, headers, secret)["type"] == "study.completed"
    old = signed_headers(secret=secret, message="m", body=body, timestamp=now - 600)
    changed, other = (body + b" ", headers, secret), (body, headers, "whsec_b3RoZXI=")
    for wrong in (changed, other, (body, old, secret), (body, {}, secret)):
        with pytest.raises(NotOurs):
            verified(*wrong)


# --- a client made from the description ------------------------------------------------------------------------------
BINARY = (
    "image/png",
    "image/jpeg",
    "image/webp",
    "text/csv",
    "application/jsonl",
    "application/x-ndjson",
    "application/zip",
)


@pytest.fixture
def generated(live_site: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A package that openapi-python-client writes from the description that the site gives."""
    description = tmp_path / "openapi.json"
    description.write_bytes(httpx.get(f"{live_site}/api/v1/schema/").content)
    config = {"package_name_override": "generated_client", "post_hooks": []}
    overrides = dict.fromkeys((*BINARY, "application/vnd.apache.parquet"), "application/octet-stream")
    (tmp_path / "config.yml").write_text(json.dumps(config | {"content_type_overrides": overrides}))
    command = [
        *(Path(sys.executable).with_name("openapi-python-client"), "generate", "--meta", "none"),
        *("--path", description, "--config", tmp_path / "config.yml", "--output-path", tmp_path / "generated_client"),
    ]
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "WARNING" not in done.stdout, done.stdout
    monkeypatch.syspath_prepend(tmp_path)
    yield importlib.import_module("generated_client")
    for name in [name for name in sys.modules if name.partition(".")[0] == "generated_client"]:
        del sys.modules[name]


def test_a_generated_client_does_what_ours_does(live_site: str, key: str, generated: Any) -> None:
    client = generated.AuthenticatedClient(base_url=live_site, token=key, prefix="Token")

    def call(group: str, name: str, **arguments: Any) -> Any:
        module = importlib.import_module(f"generated_client.api.{group}.{name}")
        answer = module.sync_detailed(client=client, **arguments)
        assert 200 <= answer.status_code < 300, answer.content
        return answer.parsed

    def model(name: str, **values: Any) -> Any:
        return getattr(importlib.import_module("generated_client.models"), name).from_dict(values)

    prompts = [{"prompt": prompt, "key": f"p{n}"} for n, prompt in enumerate(PROMPTS)]
    added = call("prompts", "prompts_create", body=model("NewPromptsRequest", prompt_set="run", prompts=prompts))
    assert (added.n_created, added.n_unchanged) == (3, 0)
    with Evalsite(live_site, key) as site:  # how files are sent in a list is where generated clients differ
        site.push_images("run", samples(1), method="step 1")
    design = {"title": "Step 1", "prompt_sets": ["run"], "methods": ["step 1"], "raters_per_item": 1, "open": True}
    body = model("NewStudyRequest", **design)
    made = [call("studies", "studies_create", body=body, idempotency_key="run/1") for _ in range(2)]
    assert made[0].token == made[1].token
    assert answer_all(live_site, made[0].invitation) == 3
    page = call("studies", "studies_responses_list", token=made[0].token)
    assert {(row.method, row.label) for row in page.results} == {("step 1", "matches exactly")}
    study = call("studies", "studies_retrieve", token=made[0].token)
    assert (study.n_answered, study.n_wanted) == (3, 3)
    assert call("studies", "studies_close_create", token=made[0].token).state == "closed"
    assert len(call("images", "images_list", prompt_set="run").results) == 3


@pytest.mark.slow
def test_it_is_a_distribution_of_its_own(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "-w", str(tmp_path)]
    copied = tmp_path / "source"
    shutil.copytree(ROOT / "evalsite_client", copied)
    done = subprocess.run([*command, str(copied)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    (wheel,) = tmp_path.glob("evalsite_client-*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert {"evalsite_client/__init__.py", "evalsite_client/py.typed", "evalsite_client/flows.py"} <= set(names)
    alone = [sys.executable, "-I", "-c", f"import sys; sys.path.insert(0, {str(wheel)!r}); import evalsite_client"]
    assert subprocess.run(alone, capture_output=True, check=False).returncode == 0
