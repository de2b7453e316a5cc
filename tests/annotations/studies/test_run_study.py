"""One click from a run's images to a study of them."""

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from annotations.models import ItemImage, Study
from generation.models import Image, Run
from generation.recipes.engine_spec import EngineSpec
from generation.recipes.matrix import methods as m
from tests.factories import make_image, make_matrix, make_run, make_user
from tests.generation.small_engines import Workshop

pytestmark = pytest.mark.django_db
CHAT = EngineSpec("chat", {"endpoint": "here", "model": "small talk"})
METHODS = (m.renoised(2), m.MULTI_SEED)


@pytest.fixture
def researcher() -> User:
    return make_user("ruth", researcher=True)


@pytest.fixture
def page(client: Client, researcher: User) -> Client:
    client.force_login(researcher)
    return client


def run_of(*methods: m.MethodSpec, n_prompts: int = 2) -> Run:
    matrix = make_matrix(*methods, metrics=("clip-score",), language=CHAT, critic=CHAT)
    return make_run(matrix=matrix, n_prompts=n_prompts, name="secret experiment")


def test_a_run_becomes_a_draft_of_the_images_that_were_asked_for(page: Client, researcher: User) -> None:
    run = run_of(*METHODS)
    Workshop().work()
    asked = Image.objects.filter(method__parameters__method__label__in=[method.label for method in METHODS])
    # The baselines and the seeds to choose from only led to them.
    assert Image.objects.count() > asked.count() == 4
    make_image(prompt=run.prompts.all()[0], method=asked[0].method)  # of another run

    response = page.post(reverse("study-from-run", args=[run.pk]), follow=True)
    study = Study.objects.get()
    assert response.redirect_chain == [(reverse("study", args=[study.token]), 302)]
    assert "The study was created." in response.content.decode()
    assert (study.state, study.owner) == (Study.State.DRAFT, researcher)
    shown = ItemImage.objects.filter(item__study=study).values_list("image", flat=True)
    assert sorted(shown) == sorted(Image.objects.filter(steps__run=run, pk__in=asked).values_list("pk", flat=True))
    assert study.items.count() == len(shown) == 4


def test_its_title_which_raters_read_names_neither_run_nor_method(page: Client) -> None:
    run = run_of(*METHODS, n_prompts=1)
    Workshop().work()
    page.post(reverse("study-from-run", args=[run.pk]))
    study = Study.objects.get()
    told = f"{study.title} {study.instructions} {study.consent}".lower()
    words = {run.name, *(part for method in METHODS for part in method.label.lower().split())}
    assert not [word for word in words if word in told]
    # The researchers' own notes say where it comes from.
    assert run.name in study.notes


def test_another_click_makes_another_draft_in_an_order_of_its_own(page: Client) -> None:
    run = run_of(m.BASELINE)
    Workshop().work()
    for _ in range(2):
        page.post(reverse("study-from-run", args=[run.pk]))
    first, second = Study.objects.all()
    assert first.token != second.token
    assert first.seed != second.seed


@pytest.mark.parametrize("planned", [True, False])
def test_a_run_without_an_image_goes_back_to_its_page_and_says_so(page: Client, planned: bool) -> None:
    run = make_run(planned=planned)
    response = page.post(reverse("study-from-run", args=[run.pk]), follow=True)
    assert response.redirect_chain == [(reverse("run", args=[run.pk]), 302)]
    assert "This run has no images yet." in response.content.decode()
    assert not Study.objects.exists()


def test_a_run_that_is_not_there(page: Client) -> None:
    assert page.post(reverse("study-from-run", args=[1])).status_code == 404


def test_looking_makes_nothing(page: Client) -> None:
    run = run_of(m.BASELINE)
    Workshop().work()
    assert page.get(reverse("study-from-run", args=[run.pk])).status_code == 405
    assert not Study.objects.exists()


def test_the_run_offers_it_as_soon_as_there_is_an_image(page: Client) -> None:
    run = run_of(m.BASELINE, n_prompts=1)
    action = f'action="{reverse("study-from-run", args=[run.pk])}"'
    assert action not in page.get(reverse("run", args=[run.pk])).content.decode()
    Workshop().work()
    assert action in page.get(reverse("run", args=[run.pk])).content.decode()
