"""An image is made again from its page: asked for once, made by one worker, and compared with the original."""

import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from io import BytesIO
from threading import Barrier
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.storage import default_storage
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from kombu.exceptions import OperationalError
from PIL import Image as Picture
from pytest_django import Settings

from generation import dispatch, tasks
from generation.models import Image, Reproduction, Run
from generation.recipes.matrix.methods import BASELINE, Drawing, renoised
from generation.services import reproduction_runs
from generation.services.runs.claiming import MOST_TRIES
from tests.factories import make_image, make_prompt, make_prompt_set, make_user
from tests.generation.asking_again import ask, made_again, overwrite, text_of, with_engine
from tests.generation.runs.planned_runs import tiny_matrix

pytestmark = pytest.mark.django_db(transaction=True)
SIDE = 32
State = Reproduction.State


class Killed(BaseException):
    """What ends a worker at once, as the operating system does."""


@pytest.fixture(autouse=True)
def sent(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, str]]:
    """Ids and queues of messages: they are noted and go nowhere."""
    messages: list[tuple[int, str]] = []

    def note(*, args: tuple[int], queue: str, retry: bool) -> None:
        messages.append((args[0], queue))

    monkeypatch.setattr(tasks.reproduce_image, "apply_async", note)
    return messages


@pytest.fixture
def baseline() -> Image:
    """An image that a finished run has drawn with the real engine's tiny weights; another was refined from it."""
    prompt_set = make_prompt_set()
    matrix = tiny_matrix()
    matrix = replace(
        matrix, methods=(BASELINE, renoised(1)), metrics={}, drawing=Drawing(n_steps=2, width=SIDE, height=SIDE)
    )
    prompts = [make_prompt("A fox stirs a red pot.", prompt_set=prompt_set).pk]
    run = dispatch.start_run(name="small", owner=None, prompt_set=prompt_set, prompts=prompts, matrix=matrix)
    dispatch.work_here(run=run)
    assert (run.state, run.message, Image.objects.count()) == (Run.State.DONE, "", 2)
    return Image.objects.get(round=0)


@pytest.fixture
def researcher() -> User:
    return make_user("ruth", researcher=True)


@pytest.fixture
def page(client: Client, researcher: User) -> Client:
    client.force_login(researcher)
    return client


class TestPage:
    def test_a_click_has_it_made_again_and_the_page_shows_how_near_it_came(
        self, page: Client, baseline: Image, sent: list[tuple[int, str]]
    ) -> None:
        refined = Image.objects.get(round=1)
        images = list(Image.objects.order_by("pk").values())
        assert "Make it again now" in text_of(page, refined)

        response = page.post(reverse("image-again", args=[refined.pk]))

        assert response.headers["Location"] == reverse("image", args=[refined.pk]) + "#again"
        (asked,) = Reproduction.objects.all()
        assert sent == [(asked.pk, "gpu")]
        waiting = text_of(page, refined)
        assert "waiting It starts when a worker is free." in waiting
        assert "requested by ruth" in waiting
        assert "Make it again now" not in waiting
        assert "Make it once more" not in waiting

        tasks.reproduce_image(asked.pk)

        text = text_of(page, refined)
        assert "done Bit-equal: every pixel is the same." in text
        assert "The images that it started from" in text
        assert f"{baseline.method.name} : Bit-equal" in text
        assert "requested by ruth" in text
        assert "Make it once more" in text
        assert list(Image.objects.order_by("pk").values()) == images

    def test_the_part_is_asked_for_anew_until_there_is_a_verdict(self, page: Client) -> None:
        image = make_image()
        asked = ask(image)
        url = reverse("image-again", args=[image.pk])
        htmx = {"HX-Request": "true"}
        part = page.get(url, headers=htmx).content.decode()
        assert f'hx-get="{url}"' in part
        assert f'href="{url}"' in part
        assert "<html" not in part
        assert page.get(url).headers["Location"] == reverse("image", args=[image.pk]) + "#again"

        reproduction_runs.claim(reproduction_id=asked.pk)
        assert "It is being made again." in page.get(url, headers=htmx).content.decode()
        Reproduction.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
        tasks.reproduce_image(asked.pk)
        part = page.get(url, headers=htmx).content.decode()
        assert "imported" in part
        assert "hx-get" not in part

    def test_asking_again_while_it_is_under_way_gets_a_notice(self, page: Client, sent: list[tuple[int, str]]) -> None:
        image = make_image()
        first = ask(image)
        response = page.post(reverse("image-again", args=[image.pk]), follow=True)
        assert "It is already being made again." in response.content.decode()
        assert [row.pk for row in Reproduction.objects.all()] == [first.pk]
        assert sent == [(first.pk, "gpu")]

    def test_the_latest_verdict_is_shown(self, page: Client) -> None:
        image = make_image()
        assert made_again(image).state == State.FAILED
        newest = ask(image)
        assert newest.pk == Reproduction.objects.order_by("pk").last().pk  # type: ignore[union-attr]
        assert "waiting" in text_of(page, image)

    def test_it_is_for_researchers(self, client: Client) -> None:
        image = make_image()
        url = reverse("image-again", args=[image.pk])
        assert client.post(url).headers["Location"].startswith("/sign-in/")
        client.force_login(make_user("anna"))
        assert client.post(url).status_code == 403
        assert client.get(url, headers={"HX-Request": "true"}).status_code == 403
        assert not Reproduction.objects.exists()

    def test_an_image_that_is_not_there(self, page: Client) -> None:
        assert page.post(reverse("image-again", args=[999_999])).status_code == 404


class TestVerdict:
    def test_a_changed_file_is_reported_with_how_much_it_differs(self, page: Client, baseline: Image) -> None:
        with baseline.file.open("rb") as file, Picture.open(file) as picture:
            changed = picture.convert("RGB")
        red, green, blue = changed.getpixel((5, 5))  # type: ignore[misc]
        changed.putpixel((5, 5), (red, green, blue + 3 if blue < 128 else blue - 3))
        stream = BytesIO()
        changed.save(stream, "PNG")
        overwrite(baseline, stream.getvalue())

        row = made_again(baseline)

        assert (row.state, row.is_equal) == (State.DONE, False)
        # one pixel of 32 × 32 is 100 / 1024 %
        assert re.search(
            r"done It differs by at most 3 of 255 in 0\.0977 % of the pixels; 1 − MS-SSIM [0-9.e-]+\.",
            text_of(page, baseline),
        )

    def test_an_original_of_another_size_is_reported(self, page: Client, baseline: Image) -> None:
        stream = BytesIO()
        Picture.new("RGB", (8, 16)).save(stream, "PNG")
        overwrite(baseline, stream.getvalue())
        made_again(baseline)
        assert "It differs: the images are of two sizes, 8 × 16 and 32 × 32." in text_of(page, baseline)

    def test_a_file_that_is_no_longer_an_image_is_reported(self, page: Client, baseline: Image) -> None:
        overwrite(baseline, b"spoilt")
        assert made_again(baseline).state == State.FAILED
        assert "The stored file can no longer be read as an image." in text_of(page, baseline)

    def test_a_file_that_is_gone_leaves_nothing_to_compare_with(self, page: Client, baseline: Image) -> None:
        default_storage.delete(baseline.file.name or "")
        row = made_again(baseline)
        assert (row.state, row.is_equal, row.difference) == (State.DONE, None, None)
        assert "there is nothing to compare it with" in text_of(page, baseline)

    def test_an_imported_image_says_so(self, page: Client) -> None:
        image = make_image()
        assert made_again(image).state == State.FAILED
        text = text_of(page, image)
        assert "It could not be made again, because: It was imported" in text
        assert "Make it once more" not in text

    def test_what_is_missing_on_the_worker_is_reported_with_its_cure(self, page: Client, baseline: Image) -> None:
        baseline.provenance["spec"]["options"] = {"model": "somebody/weights", "revision": "0" * 40}
        baseline.save()
        assert made_again(baseline).state == State.FAILED
        text = text_of(page, baseline)
        assert "sd3 cannot run here. Missing:" in text
        assert "hf download somebody/weights" in text

    def test_an_ancestor_that_is_gone_is_reported(self, page: Client, baseline: Image) -> None:
        refined = Image.objects.get(round=1)
        refined.provenance["start"]["image"] = 999_999
        refined.save()
        made_again(refined)
        assert "An image that it started from is no longer on this site." in text_of(page, refined)


class TestWorkers:
    def test_called_twice_it_is_made_once(self, monkeypatch: pytest.MonkeyPatch, baseline: Image) -> None:
        drawn: list[int] = []
        with_engine(monkeypatch, lambda: drawn.append(1))
        row = made_again(baseline)
        ended_at = row.ended_at
        tasks.reproduce_image(row.pk)
        row.refresh_from_db()
        assert (row.state, row.is_equal, row.ended_at, len(drawn)) == (State.DONE, True, ended_at, 1)

    def test_one_that_another_worker_has_is_left_to_it(self) -> None:
        asked = ask(make_image())
        assert reproduction_runs.claim(reproduction_id=asked.pk) is not None
        assert reproduction_runs.claim(reproduction_id=asked.pk) is None
        tasks.reproduce_image(asked.pk)
        asked.refresh_from_db()
        assert asked.state == State.RUNNING

    def test_a_dead_workers_is_taken_over(
        self, monkeypatch: pytest.MonkeyPatch, baseline: Image, sent: list[tuple[int, str]]
    ) -> None:
        def die() -> None:
            raise Killed

        asked = ask(baseline)
        with monkeypatch.context() as patch:
            with_engine(patch, die)
            with pytest.raises(Killed):
                tasks.reproduce_image(asked.pk)
        asked.refresh_from_db()
        assert asked.state == State.RUNNING
        sent.clear()
        tasks.resume_runs()
        assert sent == []  # its lease still holds

        Reproduction.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
        tasks.resume_runs()
        tasks.resume_runs()

        assert sent == [(asked.pk, "gpu")]
        tasks.reproduce_image(asked.pk)
        asked.refresh_from_db()
        assert (asked.state, asked.is_equal, asked.n_tries) == (State.DONE, True, 2)

    def test_a_worker_that_was_taken_for_dead_writes_nothing_more(
        self, monkeypatch: pytest.MonkeyPatch, baseline: Image
    ) -> None:
        with_engine(monkeypatch, lambda: Reproduction.objects.update(claim="another worker"))
        row = made_again(baseline)
        assert (row.state, row.claim, row.report) == (State.RUNNING, "another worker", [])

    def test_the_lease_is_renewed_while_an_engine_loads(
        self, monkeypatch: pytest.MonkeyPatch, settings: Settings, baseline: Image
    ) -> None:
        settings.GENERATION_LEASE_SECONDS = 1
        seen: list[Any] = []

        def load_slowly() -> None:
            first = Reproduction.objects.get().lease_until
            give_up = timezone.now() + timedelta(seconds=20)
            while (now := Reproduction.objects.get().lease_until) == first and timezone.now() < give_up:
                pass
            seen.append((first, now))

        with_engine(monkeypatch, load_slowly)
        assert made_again(baseline).is_equal is True
        ((first, renewed),) = seen
        assert renewed > first

    def test_one_that_ends_every_worker_is_given_up(self, page: Client, sent: list[tuple[int, str]]) -> None:
        image = make_image()
        asked = ask(image)
        sent.clear()
        past = timezone.now() - timedelta(seconds=1)
        Reproduction.objects.update(state=State.RUNNING, claim="dead", lease_until=past, n_tries=MOST_TRIES)
        tasks.resume_runs()
        assert sent == []
        asked.refresh_from_db()
        assert asked.state == State.FAILED
        assert f"The worker died {MOST_TRIES} times while making it." in text_of(page, image)

    def test_a_fault_of_the_site_is_reported_and_re_raised(
        self, monkeypatch: pytest.MonkeyPatch, page: Client, baseline: Image
    ) -> None:
        def break_down() -> None:
            raise ZeroDivisionError

        asked = ask(baseline)
        with_engine(monkeypatch, break_down)
        with pytest.raises(ZeroDivisionError):
            tasks.reproduce_image(asked.pk)
        assert "The site failed (ZeroDivisionError), not the record." in text_of(page, baseline)

    def test_an_image_that_is_deleted_meanwhile_leaves_nothing(
        self, monkeypatch: pytest.MonkeyPatch, baseline: Image
    ) -> None:
        refined = Image.objects.filter(parent=baseline)
        asked = ask(refined.get())
        with_engine(monkeypatch, refined.delete)
        tasks.reproduce_image(asked.pk)
        assert not Reproduction.objects.exists()


class TestMessages:
    def test_it_is_sent_after_the_commit_alone(self, sent: list[tuple[int, str]]) -> None:
        with transaction.atomic():
            asked = ask(make_image())
            assert sent == []
        assert sent == [(asked.pk, "gpu")]

    def test_a_lost_one_is_sent_again_once_in_a_while(self, sent: list[tuple[int, str]]) -> None:
        lost, fresh = ask(make_image()), ask(make_image())
        sent.clear()
        Reproduction.objects.filter(pk=lost.pk).update(lease_until=timezone.now() - timedelta(seconds=1))
        tasks.resume_runs()
        tasks.resume_runs()
        assert sent == [(lost.pk, "gpu")]
        fresh.refresh_from_db()
        assert fresh.state == State.WAITING

    def test_a_broker_that_does_not_answer_delays_it_alone(
        self, monkeypatch: pytest.MonkeyPatch, sent: list[tuple[int, str]]
    ) -> None:
        def refuse(**options: object) -> None:
            raise OperationalError

        with monkeypatch.context() as patch:
            patch.setattr(tasks.reproduce_image, "apply_async", refuse)
            asked = ask(make_image())
            tasks.resume_runs()
        assert sent == []
        tasks.resume_runs()
        assert sent == [(asked.pk, "gpu")]


def test_of_many_who_ask_at_the_same_moment_one_makes_it(sent: list[tuple[int, str]]) -> None:
    image = make_image()
    together = Barrier(4)

    def click(_n: int) -> int:
        together.wait()
        try:
            return ask(image).pk
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as people:
        asked = set(people.map(click, range(4)))
    assert asked == {Reproduction.objects.get().pk}
    assert len(sent) == 1


def test_the_database_itself_lets_no_image_be_made_twice_at_once() -> None:
    image = make_image()
    ask(image)
    with pytest.raises(IntegrityError), transaction.atomic():
        Reproduction.objects.create(image=image, lease_until=timezone.now())
