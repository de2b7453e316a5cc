"""The pages of prompts: sets, the prompts of one, and one prompt with its parts, images and wordings."""

import re
from html import unescape

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from generation.models import Decomposition, MetricScore, Prompt, PromptSet
from generation.recipes.matrix.methods import BASELINE, renoised
from tests.factories import make_image, make_method, make_prompt, make_prompt_set, make_user
from tests.generation.runs.run_rows import ADDED, GRAPH, make_family

pytestmark = pytest.mark.django_db


@pytest.fixture
def page(client: Client) -> Client:
    researcher: User = make_user("ruth", researcher=True)
    client.force_login(researcher)
    return client


def markup(page: Client, name: str, *arguments: int, query: str = "") -> str:
    response = page.get(reverse(name, args=arguments) + query)
    assert response.status_code == 200
    return response.content.decode()


def words(html: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", html)).split())


class TestSets:
    def test_with_nothing_there_it_says_what_to_do(self, page: Client) -> None:
        html = markup(page, "prompt-sets")
        assert "No prompts yet" in html
        assert reverse("import-new", args=["prompts"]) in html
        assert "python manage.py demo" in html

    def test_a_set_with_its_counts_licence_and_source(self, page: Client) -> None:
        full = make_prompt_set("Full", licence="CC-BY-4.0", source="a paper")
        make_prompt_set("Bare")
        prompts = [make_prompt(prompt_set=full) for _ in range(3)]
        for _ in range(2):
            make_image(prompt=prompts[0])
        text = words(markup(page, "prompt-sets"))
        assert "Full 3 2 CC-BY-4.0 a paper" in text
        assert "Bare 0 0" in text

    def test_the_queries_do_not_grow(self, page: Client, django_assert_max_num_queries: DjangoAssertNumQueries) -> None:
        for _ in range(12):
            make_image(prompt=make_prompt(prompt_set=make_prompt_set()))
        with django_assert_max_num_queries(6):
            markup(page, "prompt-sets")


class TestSet:
    @pytest.fixture
    def animals(self) -> PromptSet:
        animals = make_prompt_set("Animals")
        make_prompt("A fox stirs a stew.", prompt_set=animals, category="cooking", topic="fox-stew")
        make_prompt("A hen reads.", prompt_set=animals, category="reading", key="h1")
        make_prompt("A cat sails.", prompt_set=animals)
        return animals

    @pytest.mark.parametrize(
        ("query", "shown"),
        [
            ("", {"fox", "hen", "cat"}),
            ("?category=cooking", {"fox"}),
            ("?q=READS", {"hen"}),
            ("?q=stew&category=reading", set()),
            ("?q=h1", {"hen"}),
            ("?page=soup&category=", {"fox", "hen", "cat"}),
        ],
    )
    def test_filter_and_search(self, page: Client, animals: PromptSet, query: str, shown: set[str]) -> None:
        html = markup(page, "prompt-set", animals.pk, query=query)
        assert set(re.findall(r"A (\w+) \w+", html.split("</form>")[-1])) == shown
        assert shown or "No prompts in this set match." in html

    def test_a_strip_of_its_images_and_how_many_there_are(self, page: Client, animals: PromptSet) -> None:
        fox = animals.prompts.get(topic="fox-stew")
        images = [make_image(prompt=fox) for _ in range(8)]
        html = markup(page, "prompt-set", animals.pk)
        assert [int(pk) for pk in re.findall(r"/images/(\d+)/small", html)] == [image.pk for image in images[:6]]
        assert "8 images" in words(html)
        assert "+2" in words(html)
        assert f'href="{reverse("prompt", args=[fox.pk])}"' in html

    def test_prompts_are_paged_and_the_filter_goes_along(self, page: Client, animals: PromptSet) -> None:
        for number in range(30):
            make_prompt(f"Owl number {number}.", prompt_set=animals, category="owls")
        html = markup(page, "prompt-set", animals.pk, query="?category=owls")
        (following,) = re.findall(r'rel="next" href="([^"]+)"', html)
        assert html.count("Owl number") == 24
        after = page.get(reverse("prompt-set", args=[animals.pk]) + unescape(following)).content.decode()
        assert after.count("Owl number") == 6

    def test_the_queries_do_not_grow(
        self, page: Client, animals: PromptSet, django_assert_max_num_queries: DjangoAssertNumQueries
    ) -> None:
        for prompt in Prompt.objects.all():
            for _ in range(7):
                make_image(prompt=prompt)
        with django_assert_max_num_queries(10):
            markup(page, "prompt-set", animals.pk)


class TestPrompt:
    def test_its_parts_are_drawn_and_listed_with_what_is_asked(self, page: Client) -> None:
        family = make_family(renoised(2), BASELINE)
        html = markup(page, "prompt", family.prompt.pk)
        drawing = html.split('<svg class="graph"')[1].split("</svg>")[0]
        assert 'role="img"' in drawing
        assert "What the prompt asks for: fox (red); stew; pot." in drawing
        assert "stirs" in words(drawing)
        assert "r1 the fox stirs the stew Does the fox stir the stew?" in words(html)
        assert "Decomposition: a language model" in words(html)

    def test_the_newest_decomposition_is_the_one_that_is_shown(self, page: Client) -> None:
        prompt = make_prompt(metadata={"decomposition": GRAPH, "difficulty": 3})
        html = markup(page, "prompt", prompt.pk)
        assert "imported with the prompt" in html
        assert "difficulty 3" in words(html)
        newer = {"entities": [{"id": "e1", "text": "lighthouse"}], "relations": []}
        Decomposition.objects.create(prompt=prompt, graph=newer, digest="n", origin="person")
        assert "lighthouse" in markup(page, "prompt", prompt.pk)

    def test_what_cannot_be_drawn_says_why(self, page: Client) -> None:
        prompt = make_prompt(metadata={"decomposition": {"entities": []}})
        html = markup(page, "prompt", prompt.pk)
        assert "cannot be drawn. The decomposition is empty" in words(html)
        assert "Not decomposed yet" in markup(page, "prompt", make_prompt().pk)

    def test_images_are_sorted_by_method_and_seed_with_their_scores(self, page: Client) -> None:
        prompt = make_prompt()
        refined, baseline = make_method("a refined", kind="refined"), make_method("the baseline", kind="baseline")
        for method, seed in ((refined, 9), (baseline, 8), (baseline, 7)):
            image = make_image(prompt=prompt, method=method, seed=seed)
            MetricScore.objects.create(image=image, metric="clip-score", value=seed / 10)
        text = words(markup(page, "prompt", prompt.pk).split('id="images"')[1])
        order = [
            text.index(one) for one in ("the baseline", "seed 7", "0.700", "seed 8", "0.800", "a refined", "seed 9")
        ]
        assert order == sorted(order)

    def test_wordings_by_kind_with_their_origin_and_what_a_refinement_adds(self, page: Client) -> None:
        family = make_family(renoised(2), BASELINE)
        family.prompt.variants.create(kind="spatial", text="A fox, left of a pot.", digest="s", origin="imported")
        html = markup(page, "prompt", family.prompt.pk).split('id="wordings"')[1]
        text = words(html)
        assert text.index("Spatial detail A fox, left of a pot. imported") < text.index("Refined after critique")
        assert f"<ins> {ADDED}</ins>" in html
        assert "a language model · 1 image" in text

    def test_the_queries_do_not_grow(self, page: Client, django_assert_max_num_queries: DjangoAssertNumQueries) -> None:
        prompt = make_prompt()
        for _ in range(15):
            MetricScore.objects.create(image=make_image(prompt=prompt), metric="m", value=1.0)
        with django_assert_max_num_queries(11):
            markup(page, "prompt", prompt.pk)


def test_an_attack_in_the_words_stays_words(page: Client) -> None:
    evil = "\"'><script>evil()</script><svg/onload=evil()>"
    entities = [{"id": "e1", "text": f"fox{evil}", "attributes": [evil]}]
    prompt = make_prompt(evil, category=evil[:90], metadata={evil: evil, "decomposition": {"entities": entities}})
    image = make_image(
        prompt=prompt, method=make_method(evil), provenance={"chosen": 1, "by": evil, "source": {"f": evil}}
    )
    for name, pk in (("prompt-set", prompt.prompt_set_id), ("prompt", prompt.pk), ("image", image.pk)):
        html = markup(page, name, pk)
        assert "evil()" in html
        assert "<script>evil" not in html
        assert "<svg/" not in html
