"""A study of rankings, best and worst, or votes is released like any other, and its bundle verifies."""

import io
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from annotations.models import Dimension, Study
from annotations.questions import ALIGNMENT, BEST_WORST, RANKING, Preset
from annotations.services.raters.my_data import withdraw
from annotations.services.rating import Answer, submit
from annotations.services.studies import create_study, open_study
from tests.annotations.cards.test_orderings import everything
from tests.annotations.test_pairs import images
from tests.annotations.test_preferences import cards, ranked_study, shown, voted_study
from tests.factories import make_rater, make_user

pytestmark = pytest.mark.django_db
Levels = Callable[[int, int], Sequence[int | None]]
"""Number of the rater and of the card → a level for each image from left to right."""


def turning(rater: int, card: int) -> Sequence[int]:
    return [(place + rater * card) % 3 for place in range(3)]


def ordered_study(n_prompts: int, n_raters: int, levels: Levels, *presets: Preset) -> Study:
    images(n_prompts, 3)
    kind = Study.ItemKind.PROMPT
    study = Study(title="Order", owner=make_user(researcher=True), seed=5, item_kind=kind, raters_per_item=n_raters)
    create_study(study=study, dimensions=[Dimension(**one.fields()) for one in presets], selection=everything())
    open_study(study=study)
    return answered(study, n_raters, levels)


def answered(study: Study, n_raters: int, levels: Levels) -> Study:
    questions = list(study.dimensions.all())
    for r in range(n_raters):
        for i, card in enumerate(cards(make_rater(study, name=f"räter {r}"))):
            given = levels(r, i)
            submit(
                assignment=card,
                answers=[
                    Answer(question.pk, image.pk, level)
                    for question in questions
                    for image, level in zip(shown(card), given, strict=True)
                ],
                answered_at=timezone.now(),
            )
    return study


def without_one_rater() -> Study:
    study = ordered_study(4, 3, turning, RANKING)
    withdraw(rater=study.raters.order_by("pk")[0], now=timezone.now())
    return study


def copied() -> Study:
    """Another study of the same images with the same question."""
    first = ordered_study(4, 2, turning, RANKING)
    study = Study(title=first.title, owner=first.owner, seed=6, item_kind=first.item_kind, raters_per_item=2)
    create_study(study=study, dimensions=[Dimension(**RANKING.fields())], selection=everything())
    open_study(study=study)
    return answered(study, 2, lambda rater, card: turning(rater, card + 1))


def called(name: str) -> Callable[[], Study]:
    """A study of ratings whose question is called after ranks."""

    def made() -> Study:
        study = ordered_study(4, 2, turning, ALIGNMENT)
        study.dimensions.update(name=name)
        return study

    return made


STUDIES: dict[str, Callable[[], Study]] = {
    "one ranking": lambda: ordered_study(1, 1, turning, RANKING),
    "two rankings": lambda: ordered_study(2, 1, turning, RANKING),
    "eight rankings": lambda: ordered_study(4, 2, turning, RANKING),
    "many rankings": lambda: ordered_study(20, 5, turning, RANKING),
    "all tied": lambda: ordered_study(4, 2, lambda *_: [0, 0, 0], RANKING),
    "all unable": lambda: ordered_study(4, 2, lambda *_: [None, None, None], RANKING),
    "a rater withdrew": without_one_rater,
    "a copy": copied,
    "rankings and ratings": lambda: ordered_study(4, 2, turning, RANKING, ALIGNMENT),
    "best and worst": lambda: ranked_study(BEST_WORST),
    "votes": voted_study,
    "ratings called ranks": called("rank_overall"),
}


@pytest.mark.parametrize("of", STUDIES)
def test_its_bundle_verifies(of: str, client: Client, tmp_path: Path) -> None:
    study = STUDIES[of]()
    client.force_login(study.owner)

    response = client.get(f"/study/{study.token}/export/release.zip")

    assert response.status_code == 200
    path = tmp_path / "release.zip"
    path.write_bytes(b"".join(response.streaming_content))  # type: ignore[attr-defined]
    assert zipfile.ZipFile(path).testzip() is None
    said = io.StringIO()
    call_command("verify", str(path), stdout=said)
    assert said.getvalue().startswith("equal: all ")


def test_the_files_for_analyze_of_a_ranking_study_are_read_with_their_questions(client: Client, tmp_path: Path) -> None:
    study = STUDIES["eight rankings"]()
    call_command("export_study", study.token, out=tmp_path / "files", stdout=io.StringIO())
    folder = tmp_path / "files" / "analyze"
    call_command(
        *("analyze", "--ratings", str(folder / "ratings.csv"), "--questions", str(folder / "questions.csv")),
        *("--out", str(tmp_path / "report"), "--quick"),
        stdout=io.StringIO(),
    )
    assert (tmp_path / "report" / "report.json").exists()
