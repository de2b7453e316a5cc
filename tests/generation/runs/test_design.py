"""The page that designs a run: presets, a matrix of one's own, what it would take, and what cannot be."""

import re
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from generation import availability, tasks
from generation.models import Decomposition, ModelCall, Prompt, Run
from generation.recipes.matrix.experiments import EXPERIMENTS
from generation.recipes.matrix.matrix import Matrix
from tests.factories import make_prompt, make_prompt_set, make_user
from tests.generation.runs.planned_runs import finish, make_run, steps_of, tiny_matrix

pytestmark = pytest.mark.django_db


@pytest.fixture
def researcher() -> User:
    return make_user("ruth", researcher=True)


@pytest.fixture
def page(client: Client, researcher: User) -> Client:
    client.force_login(researcher)
    return client


@pytest.fixture(autouse=True)
def _no_messages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks.plan_run, "apply_async", lambda **_: None)


def text_of(page: Client, name: str, *args: Any, **query: str) -> str:
    response = page.get(reverse(name, args=args), query)
    assert response.status_code == 200
    return " ".join(response.content.decode().split())


def sent(page: Client, **changes: Any) -> dict[str, Any]:
    """What a browser would send of the small preset's form, with changes."""
    form = page.get(reverse("run-new"), {"preset": "tiny"}).context["form"]
    values = {field.name: field.value() for field in form}
    kept = {name: value for name, value in values.items() if value is not None and value is not False}
    return {**kept, "action": "start", **changes}


@pytest.fixture
def prompts() -> list[Prompt]:
    prompt_set = make_prompt_set("animals")
    return [
        make_prompt(f"Animal {i} reads.", prompt_set=prompt_set, category="functional" if i < 6 else "other")
        for i in range(8)
    ]


@pytest.mark.parametrize("key", list(EXPERIMENTS))
def test_every_preset_fills_the_form(page: Client, prompts: list[Prompt], key: str) -> None:
    response = page.get(reverse("run-new"), {"preset": key})
    experiment = EXPERIMENTS[key]
    assert set(response.context["form"]["methods"].value()) == set(experiment.methods)
    assert experiment.category in (response.context["form"]["category"].value(), "")
    text = response.content.decode()
    assert len(re.findall(r'<a [^>]*aria-current="true"', text)) == 1
    assert all(f'value="{method}" checked' in text for method in experiment.methods)


def test_best_of_four_is_offered_and_never_chosen_for_anybody(page: Client, prompts: list[Prompt]) -> None:
    text = text_of(page, "run-new")
    assert 'value="best-of-four">' in text
    assert 'value="best-of-four" checked' not in text
    assert "scores by the same metric are inflated" in text


def test_the_small_preset_can_be_started_as_it_is(page: Client, prompts: list[Prompt], researcher: User) -> None:
    response = page.post(reverse("run-new"), sent(page))
    run = Run.objects.get()
    assert response.headers["Location"] == reverse("run", args=[run.pk])
    assert (run.name, run.owner, run.state) == ("Try the machinery", researcher, "planning")
    assert list(run.prompts.all()) == prompts[:4]
    assert run.plan == EXPERIMENTS["tiny"].matrix()


def test_prompts_of_a_category_at_random_are_the_same_for_the_same_number(page: Client, prompts: list[Prompt]) -> None:
    given = {"category": "Functional", "take": "random", "n_prompts": "3", "choice_seed": "5", "n_new_seeds": "2"}
    for _ in range(2):
        page.post(reverse("run-new"), sent(page, **given))
    first, second = Run.objects.all()
    assert set(first.prompts.all()) == set(second.prompts.all()) < set(prompts[:6])
    assert first.matrix == second.matrix
    assert len(first.plan.seeds) == 3


def test_methods_of_ones_own(page: Client, prompts: list[Prompt]) -> None:
    page.post(reverse("run-new"), sent(page, methods=["baseline"], own_k="1, 3", own_rounds="2", own_mode="switch"))
    assert [method.label for method in Run.objects.get().plan.methods] == [
        *("baseline", "DetailScribe switch 1, 2 rounds", "DetailScribe switch 3, 2 rounds")
    ]


@pytest.mark.parametrize(
    ("changes", "field", "said"),
    [
        ({"name": ""}, "name", "required"),
        ({"methods": []}, "methods", "at least one method"),
        ({"seeds": "7, x"}, "seeds", "“x” is neither a number"),
        ({"seeds": ""}, "seeds", "Give 1 to 1000 seeds."),
        ({"category": "nonsense"}, "category", "functional, other"),
        ({"take": "first", "n_prompts": ""}, "n_prompts", "how many"),
        ({"methods": ["renoise-4"], "n_steps": "4"}, "n_steps", "begins at step 4, but a drawing has 4 steps"),
        ({"methods": ["multi-seed"], "metrics": []}, "metrics", 'chooses by "clip-score"'),
        ({"methods": ["without-decomposition"]}, "critic", "without the decomposition"),
        ({"methods": ["act2i-spatial"]}, "language", "4 prompts have none stored"),
        ({"methods": ["openai-images"]}, "images_endpoint", "EVALSITE_ENDPOINTS"),
        ({"language": "chat"}, "language_endpoint", "EVALSITE_ENDPOINTS"),
        ({"image": "sd3", "image_model": "owner/name"}, "image_revision", "40 hexadecimal digits"),
        ({"image": "diffusers", "image_model": "/weights/sdxl"}, "image", "gives its latents"),
        ({"width": "100"}, "width", "multiple"),
        ({"own_k": "3", "own_rounds": "9"}, "own_rounds", "8"),
    ],
)
def test_what_cannot_be_is_said_at_the_field_that_fixes_it(
    page: Client, prompts: list[Prompt], settings: Settings, changes: dict[str, Any], field: str, said: str
) -> None:
    settings.GENERATION_ENDPOINTS = {}
    response = page.post(reverse("run-new"), sent(page, **changes))
    assert response.status_code == 422
    assert said in str(response.context["form"].errors.get(field)).replace("&quot;", '"'), response.context[
        "form"
    ].errors
    assert not Run.objects.exists()


def test_wordings_that_are_stored_need_no_language_model(page: Client, prompts: list[Prompt]) -> None:
    for prompt in prompts[:4]:
        prompt.variants.create(kind="spatial", text="left of a tree", digest="x")
    page.post(reverse("run-new"), sent(page, methods=["act2i-spatial"]))
    assert Run.objects.get().plan.engines["language"].engine == "rules"


def test_an_endpoint_is_stored_by_its_name_alone(page: Client, prompts: list[Prompt], settings: Settings) -> None:
    settings.GENERATION_ENDPOINTS = {"lab": ("http://lab.example/v1", "sk-secret")}
    given = {"critic": "chat", "critic_endpoint": "lab", "critic_model": "sees", "critic_price_in": "2.5"}
    response = page.post(reverse("run-new"), sent(page, **given))
    run = Run.objects.get()
    assert run.plan.engines["critic"].options == {"endpoint": "lab", "model": "sees", "price_in": 2.5}
    everything = f"{run.matrix} {response.content.decode()} {text_of(page, 'run', run.pk)} {text_of(page, 'run-new')}"
    assert "secret" not in everything
    assert "lab.example" not in everything


def test_every_engine_of_the_form_is_one_that_a_worker_accepts(
    page: Client, prompts: list[Prompt], settings: Settings
) -> None:
    settings.GENERATION_ENDPOINTS = {"lab": ("http://lab.example/v1", "")}
    ends = {f"{role}_endpoint": "lab" for role in ("language", "critic", "judge", "images")}
    models = {f"{role}_model": "m" for role in ("language", "critic", "judge", "images")}
    given = {"language": "chat", "critic": "chat", "metrics": ["clip-score", "image-reward", "blip-vqa", "judge"]}
    chosen = {**ends, **models, **given, "judge_price_in": "1", "judge_price_out": "2"}
    page.post(reverse("run-new"), sent(page, **chosen, methods=["renoise-2", "rewrite", "openai-images"]))
    local = {"language": "local-chat", "language_model": "tiny", "critic": "local-chat", "critic_model": "tiny"}
    page.post(reverse("run-new"), sent(page, **local, image="sd3", image_model="tiny", offload="on"))
    other = {"image": "diffusers", "image_model": "tiny", "methods": ["baseline"], "quantization": "nf4"}
    page.post(reverse("run-new"), sent(page, **other))
    assert Run.objects.count() == 3
    matrices = [Matrix.from_json(run.matrix) for run in Run.objects.all()]
    problems = [part.what for matrix in matrices for part in availability.missing_for(matrix)]
    assert not [problem for problem in problems if "option" in problem.lower()]


# --- what it will take -----------------------------------------------------------------------------------------------
def estimate_of(page: Client, **changes: Any) -> str:
    response = page.post(reverse("run-new"), sent(page, **changes), headers={"HX-Request": "true"})
    text = " ".join(response.content.decode().split())
    assert text.startswith('<aside id="live"')
    assert not Run.objects.filter(state="planning").exists()
    return text


def test_the_estimate_counts_what_would_be_made(page: Client, prompts: list[Prompt]) -> None:
    text = estimate_of(page, take="all")
    # 8 prompts: a baseline, and two images refined after one critique of it; three metrics on each.
    for label, n in (("Decompositions", 8), ("Images", 24), ("Critiques", 8), ("Scores", 72)):
        assert f'<th scope="row">{label}</th><td>{n}</td>' in text
    assert "not measured yet" in text


def test_the_estimate_knows_how_long_such_images_took(page: Client, prompts: list[Prompt]) -> None:
    run = make_run(matrix=tiny_matrix(("baseline",)))
    finish(*steps_of(run, "draw"), seconds=12)  # 6 denoising steps: 2 s each
    finish(*steps_of(run, "score"), seconds=1)
    alike = {
        "prompt_set": str(prompts[0].prompt_set_id),
        "methods": ["baseline"],
        "metrics": ["clip-score"],
        "take": "all",
        "n_steps": "10",
    }
    # 8 × (10 × 2 s + 1 s) = 168 s
    assert "about 3 min" in estimate_of(page, **alike)
    assert "not measured yet" in estimate_of(page, **alike, width="128")


def test_the_estimate_knows_prices_and_what_is_stored(page: Client, prompts: list[Prompt], settings: Settings) -> None:
    settings.GENERATION_ENDPOINTS = {"lab": ("http://lab.example/v1", "")}
    given = {"take": "all", "critic": "chat", "critic_endpoint": "lab", "critic_model": "sees"}
    assert "no price given" in estimate_of(page, **given)
    assert "about US$ 0.11" in estimate_of(page, **given, critic_price_in="1", critic_price_out="16")
    ModelCall.objects.create(engine="chat", model="sees", outcome="ok", cost="0.5")
    assert "<td>US$ 4.00</td>" in estimate_of(page, **given)
    rewritten = {**given, "language": "chat", "language_endpoint": "lab", "language_model": "sees"}
    assert "models behind endpoints</th><td>16</td>" in estimate_of(page, **rewritten)
    Decomposition.objects.create(prompt=prompts[0], graph={}, digest="x")
    assert "models behind endpoints</th><td>15</td>" in estimate_of(page, **rewritten)


def test_a_preset_is_counted_before_its_models_are_named(
    page: Client, prompts: list[Prompt], settings: Settings
) -> None:
    settings.GENERATION_ENDPOINTS = {}
    text = text_of(page, "run-new", preset="released-code")
    # 8 prompts: a baseline, four switch steps, and the choice among them by 5 × 8 scores of each metric.
    assert '<th scope="row">Images</th><td>40</td>' in text
    assert '<th scope="row">Choices</th><td>8</td>' in text
    assert '<th scope="row">Calls to models behind endpoints</th><td>16</td>' in text
    assert text.count("No endpoint is known here.") == 2
    assert "<b>Criticised by: Endpoint</b>" in text


def test_refused_methods_are_named_and_the_others_counted(page: Client, prompts: list[Prompt]) -> None:
    text = estimate_of(page, methods=["baseline", "without-decomposition"])
    assert "<b>w/o decomposition T−2</b>" in text
    assert '<th scope="row">Images</th><td>4</td>' in text


def test_without_prompts_the_page_says_where_they_come_from(page: Client) -> None:
    assert reverse("import-new", args=["prompts"]) in text_of(page, "run-new", preset="tiny")
