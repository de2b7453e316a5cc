"""Preferences and rankings from stored answers to the results page, the paper's table and the files."""

import csv
import html
import io
import json
import re
import shlex
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from annotations.kinds.base import field_name
from annotations.models import Assignment, Dimension, Rater, Study
from annotations.queries.preferences import preferences
from annotations.queries.reports import document_of
from annotations.questions import ALIGNMENT, BEST_WORST, PREFERENCE, RANKING, Preset
from annotations.reports.votes.tables import PREFERENCE_TABLES
from annotations.services.exclusions import exclude_rater
from annotations.services.raters.my_data import erase
from annotations.services.rating import Answer, reserve, submit
from annotations.services.studies import create_study, open_study
from annotations.stats.preferences.rankings import Rankings
from annotations.stats.preferences.votes import LOSES, TIE, WINS, Votes
from exchange.export import csv_chunks
from generation.models import Image, Method, Prompt
from tests.annotations.cards.test_orderings import everything
from tests.annotations.test_pairs import images
from tests.factories import make_rater, make_user

pytestmark = pytest.mark.django_db
STRONG, MIDDLE, WEAK = "a strong one", "middling, with a comma", "weak"


def made(preset: Preset, kind: str, *, n_prompts: int = 8, k: int = 3) -> Study:
    prompts, methods = images(n_prompts, 3)
    for at, prompt in enumerate(prompts):
        Prompt.objects.filter(pk=prompt.pk).update(category="people" if at % 2 else "text, and more")
    for method, name in zip(methods, (STRONG, MIDDLE, WEAK), strict=True):
        Method.objects.filter(pk=method.pk).update(name=name)
    study = Study(title="Who wins?", owner=make_user(researcher=True), seed=3, item_kind=kind, raters_per_item=k)
    create_study(study=study, dimensions=[Dimension(**preset.fields())], selection=everything())
    open_study(study=study)
    return study


def shown(card: Assignment) -> list[Image]:
    """The images as the rater sees them, from left to right."""
    by_slot = list(card.item.images.select_related("method").order_by("item_images__slot"))
    return [by_slot[int(slot)] for slot in card.shown_order.split(",")]


def cards(rater: Rater) -> list[Assignment]:
    while reserve(rater=rater):
        pass
    return list(rater.assignments.select_related("item").order_by("sequence"))


def vote(card: Assignment, level: int) -> None:
    question = card.study.dimensions.get()
    submit(assignment=card, answers=[Answer(question.pk, None, level)], answered_at=timezone.now())


def prefer(card: Assignment, order: tuple[str, ...]) -> int:
    """The answer of somebody who likes the methods in this order: the side on which the better one is."""
    names = [image.method.name for image in shown(card)]
    return names.index(min(names, key=order.index))


def voted_study() -> Study:
    """Three raters like the methods in one order; every seventh card is a tie, every ninth the other way round."""
    study = made(PREFERENCE, Study.ItemKind.PAIR)
    for r in range(3):
        for i, card in enumerate(cards(make_rater(study, name=f"räter {r}"))):
            side = prefer(card, (STRONG, MIDDLE, WEAK))
            vote(card, 2 + (i + r) % 3 if (i + r) % 7 == 6 else 1 - side if (i + 2 * r) % 5 == 4 else side)
    return study


def ranked_study(preset: Preset) -> Study:
    study = made(preset, Study.ItemKind.PROMPT)
    (question,) = study.dimensions.all()
    for r in range(3):
        for i, card in enumerate(cards(make_rater(study, name=f"räter {r}"))):
            order = [(STRONG, MIDDLE, WEAK), (MIDDLE, STRONG, WEAK), (STRONG, WEAK, MIDDLE)][
                (i + r) % 3 if i % 2 else 0
            ]
            levels = [order.index(image.method.name) for image in shown(card)]
            if preset is RANKING and (i + r) % 5 == 4:
                levels = [min(level, 1) for level in levels]
            answers = [Answer(question.pk, image.pk, level) for image, level in zip(shown(card), levels, strict=True)]
            submit(assignment=card, answers=answers, answered_at=timezone.now())
    return study


class TestVotes:
    def test_left_and_right_become_methods_whatever_the_side(self) -> None:
        study = made(PREFERENCE, Study.ItemKind.PAIR)
        rater = make_rater(study)
        expected: Counter[tuple[str, str]] = Counter()
        for card in cards(rater):
            left, right = (image.method.name for image in shown(card))
            vote(card, 0)  # always the left one
            expected[left, right] += 1

        votes = preferences(study, list(study.dimensions.all()))[study.dimensions.get().pk]

        assert isinstance(votes, Votes)
        assert list(votes.methods) == [STRONG, MIDDLE, WEAK]
        assert votes.n == 24
        won = Counter(
            (votes.methods[first if outcome == WINS else second], votes.methods[second if outcome == WINS else first])
            for first, second, outcome in zip(votes.first, votes.second, votes.outcome, strict=True)
        )
        assert won == expected
        assert {
            int(side * (1 if outcome == WINS else -1)) for side, outcome in zip(votes.side, votes.outcome, strict=False)
        } == {1}

    def test_ties_have_their_names_and_excluded_raters_do_not_count(self) -> None:
        study = voted_study()
        bot = make_rater(study, name="bot")
        Study.objects.filter(pk=study.pk).update(raters_per_item=4)
        study.items.update(wanted=4)
        for card in cards(bot):
            vote(card, 0)
        exclude_rater(rater=bot, reason="always left", by=study.owner)

        votes = preferences(study, list(study.dimensions.all()))[study.dimensions.get().pk]

        assert isinstance(votes, Votes)
        assert votes.tie_kind is not None
        assert votes.n == 72
        assert list(votes.tie_kinds) == ["both good", "both bad", "unsure"]
        ties = votes.tie_kind[votes.outcome == TIE]
        assert len(ties)
        assert set(ties.tolist()) <= {0, 1, 2}
        assert (votes.tie_kind[votes.outcome != TIE] == -1).all()
        assert set(votes.outcome.tolist()) == {WINS, LOSES, TIE}

    def test_a_study_of_scales_alone_has_none_and_asks_for_none(self, django_assert_num_queries: Any) -> None:
        study = made(ALIGNMENT, Study.ItemKind.IMAGE)
        dimensions = list(study.dimensions.all())
        with django_assert_num_queries(0):
            assert preferences(study, dimensions) == {}


class TestRankings:
    def test_places_become_ranks_of_methods(self) -> None:
        study = ranked_study(RANKING)

        rankings = preferences(study, list(study.dimensions.all()))[study.dimensions.get().pk]

        assert isinstance(rankings, Rankings)
        assert not rankings.is_best_worst
        assert rankings.n == 24
        on_screen = {
            (card.item.prompt_id, card.rater_id, image.method.name): place
            for card in Assignment.objects.filter(study=study)
            for place, image in enumerate(shown(card))
        }
        assert rankings.shown is not None
        assert rankings.prompt is not None
        assert rankings.rater is not None
        for prompt, rater, methods, places in zip(
            rankings.prompt, rankings.rater, rankings.item, rankings.shown, strict=True
        ):
            found = {(prompt, rater, rankings.methods[code]): at for code, at in zip(methods, places, strict=True)}
            assert found.items() <= on_screen.items()
        firsts, n = rankings.firsts()
        assert n.tolist() == [24, 24, 24]
        assert firsts[0] == firsts.max()

    def test_best_and_worst(self) -> None:
        rankings = preferences(study := ranked_study(BEST_WORST), list(study.dimensions.all())).popitem()[1]

        assert isinstance(rankings, Rankings)
        assert rankings.is_best_worst
        assert rankings.n == 24
        assert {tuple(sorted(row)) for row in rankings.rank.tolist()} == {(1, 2, 3)}

    def test_unable_is_not_a_ranking(self) -> None:
        study = made(RANKING, Study.ItemKind.PROMPT)
        question = study.dimensions.get()
        card = cards(make_rater(study))[0]
        answers = [Answer(question.pk, image.pk, None) for image in shown(card)]
        submit(assignment=card, answers=answers, answered_at=timezone.now())
        rankings = preferences(study, [question])[question.pk]
        assert isinstance(rankings, Rankings)
        assert rankings.n == 0


STUDIES = [
    pytest.param(voted_study, "votes", id="votes"),
    pytest.param(lambda: ranked_study(RANKING), "rankings", id="rankings"),
    pytest.param(lambda: ranked_study(BEST_WORST), "best-worst", id="best and worst"),
]


def test_a_clear_winner_is_not_called_low_agreement(client: Client) -> None:
    """Of two methods one gets most votes of every rater: alpha is near 0 although nobody answers at random."""
    study = made(PREFERENCE, Study.ItemKind.PAIR)
    for r in range(3):
        for i, card in enumerate(cards(make_rater(study, name=f"räter {r}"))):
            side = prefer(card, (STRONG, MIDDLE, WEAK))
            vote(card, 1 - side if i % 4 == r else side)
    client.force_login(study.owner)
    page = client.get(f"/study/{study.token}/results/").content.decode()
    (dimension,) = (study.snapshots.get().results or {})["dimensions"]
    alpha = next(one for one in dimension["agreement"] if one["statistic"] == "krippendorff_alpha_nominal")
    assert alpha["value"] < 0.4
    assert "A low alpha says nothing against a clear winner" in page
    assert "Raters agree little" not in page
    assert "may have answered at random" not in page
    assert "careful raters are near 0 too" in page
    assert "1 = the image on the left; 2 = the image on the right; 3 = both good" in page
    assert "first image" not in page.split("What people disagree about most")[0]


@pytest.mark.parametrize(("study_of", "table"), STUDIES)
def test_the_page_leads_with_who_wins_and_has_the_papers_table(client: Client, study_of: Any, table: str) -> None:
    study = study_of()
    client.force_login(study.owner)

    page = client.get(f"/study/{study.token}/results/").content.decode()

    document = study.snapshots.get().results or {}
    (dimension,) = document["dimensions"]
    sentence = dimension["preferences"]["sentence"]
    assert html.escape(sentence.rstrip(".")) in page
    assert STRONG in sentence
    assert page.index(html.escape(sentence.rstrip("."))) < page.index('<figure class="plot"')
    strengths = [row["method"] for row in dimension["preferences"]["strengths"]]
    assert strengths[0] == STRONG
    snapshot = study.snapshots.get()
    tex = client.get(f"/study/{study.token}/results/{snapshot.pk}/report.tex").content.decode()
    assert all(name in tex for name in (STRONG, MIDDLE, WEAK))
    # Four prompts in a category are too few for the test of three methods, not for their strengths.
    assert "Method × category is not tested" in page
    assert "at least two categories need 6 prompts or more; people has 4; " in page
    assert "by category" in tex


@pytest.mark.parametrize(("study_of", "table"), STUDIES)
def test_the_printed_command_gives_the_same_figures_from_its_file(
    client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, study_of: Any, table: str
) -> None:
    study = study_of()
    client.force_login(study.owner)
    client.get(f"/study/{study.token}/results/")
    document = document_of(study.snapshots.get())
    page = client.get(f"/study/{study.token}/export/").content.decode()
    commands = re.findall(r"<code>(\S+ manage\.py analyze .*?)</code>", page)
    (command,) = [shlex.split(html.unescape(one))[2:] for one in commands if f"{table}.csv" in one]
    exported = client.get(f"/study/{study.token}/export/{table}.csv")
    assert exported.status_code == 200
    (tmp_path / f"{table}.csv").write_bytes(b"".join(exported.streaming_content))  # type: ignore[attr-defined]
    monkeypatch.chdir(tmp_path)

    call_command(*command, "--quick", stdout=io.StringIO())

    for name, (columns, rows) in PREFERENCE_TABLES.items():
        ours = list(csv.DictReader(io.StringIO("".join(csv_chunks(columns, rows(document))))))
        theirs = list(csv.DictReader((tmp_path / f"report-{table}/{name}.csv").open()))
        assert len(ours) == len(theirs), name
        # There are three methods, so that no pair of them is all that a category has.
        assert bool(ours) == (name != "preferences_by_category"), name
        for mine, other in zip(ours, theirs, strict=True):
            for column, text in mine.items():
                assert same(text, other[column]), (name, column)
    report = json.loads((tmp_path / f"report-{table}/report.json").read_text())
    assert report["warnings"] == []


def test_a_rater_who_decides_is_named_until_they_are_erased(client: Client) -> None:
    study = made(PREFERENCE, Study.ItemKind.PAIR)
    for name, order in (
        ("ann", (STRONG, MIDDLE, WEAK)),
        ("bob", (MIDDLE, STRONG, WEAK)),
        ("cem", (STRONG, WEAK, MIDDLE)),
    ):
        for at, card in enumerate(cards(make_rater(study, name=name))):
            side = prefer(card, order)
            vote(card, 1 - side if at % 6 == 5 else side)
    client.force_login(study.owner)
    page = client.get(f"/study/{study.token}/results/").content.decode()
    fewest = document_of(study.snapshots.get()).dimensions[0].preferences.fewest  # type: ignore[union-attr]
    (named,) = [one.names for one in fewest if one.kind == "raters"]
    assert 1 <= len(named) <= 2
    assert f"of 3 raters ({', '.join(named)}" in page
    erase(rater=study.raters.get(name=named[0]), now=timezone.now())
    stored = json.dumps(study.snapshots.get().results)
    assert f'"{named[0]}"' not in stored
    assert "erased rater" in stored


def same(one: str, other: str) -> bool:
    try:
        return float(one) == pytest.approx(float(other), rel=1e-9, abs=1e-12)
    except ValueError:
        return one == other


def test_the_form_field_of_an_order_names_its_place() -> None:
    assert field_name(Dimension(pk=4), 2) == "d4-2"
