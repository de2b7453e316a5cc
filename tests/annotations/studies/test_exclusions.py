"""Excluding a rater, with a reason: out of every figure, in every document, and back again; no answer is lost."""

import csv
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.db import IntegrityError, transaction
from django.db.models import F
from django.test import Client
from django.utils import timezone

from annotations import dispatch
from annotations.models import Assignment, Rater, Response, Study
from annotations.queries.studies import overview
from annotations.services import rating
from annotations.services.exclusions import exclude_rater, include_rater
from annotations.services.exports import TABLES
from annotations.services.imports.ratings import import_ratings
from exchange.rejects import RejectLog
from generation.queries.importers import Source
from tests.factories import make_answer, make_member, make_rater, make_study, make_user

pytestmark = pytest.mark.django_db
REASON = "answered 40 cards in 20 seconds"


def rated_study(n_items: int = 6, **fields: Any) -> Study:
    study = make_study(n_items=n_items, k=4, **fields)
    for r, name in enumerate(("anna", "ben", "cleo")):
        rater = make_rater(study, name=name)
        for i, item in enumerate(study.items.order_by("position")):
            make_answer(item, rater, level=min(4, 1 + 2 * (i % 2) + (i * (r + 1)) % 2 + i // 2 % 2))
    return study


def add_bot(study: Study) -> Rater:
    bot = make_rater(study, name="bot")
    for item in study.items.order_by("position"):
        make_answer(item, bot, level=4, active_ms=500)
    return bot


def results(study: Study) -> dict[str, Any]:
    document = dispatch.find_report(study=study, comparisons=[], user=study.owner).snapshot.results
    assert document is not None
    return document


def signed_in(study: Study) -> Client:
    client = Client()
    client.force_login(study.owner)
    return client


def read_csv(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


class TestFigures:
    def test_every_figure_is_as_if_the_rater_had_never_answered_and_back_again(self) -> None:
        study = rated_study()
        without = results(study)
        bot = add_bot(study)
        with_bot = results(study)
        assert with_bot["dimensions"] != without["dimensions"]

        exclude_rater(rater=bot, reason=REASON, by=study.owner)

        document = results(study)
        assert document["dimensions"] == without["dimensions"]
        assert document["disputed"] == without["disputed"]
        assert document["raters_by_kind"] == without["raters_by_kind"]
        assert document["excluded_raters"] == [{"rater": "bot", "reason": REASON, "n_answers": 6}]

        include_rater(rater=bot, by=study.owner)

        assert results(study)["dimensions"] == with_bot["dimensions"]
        assert results(study)["excluded_raters"] == []

    def test_a_large_study_never_shows_fresh_results_of_other_raters(self, settings: Any) -> None:
        """Results a few minutes old are enough for a study that changes all the time, but not after an exclusion."""
        study = rated_study()
        bot = add_bot(study)
        results(study)
        snapshot = study.snapshots.get()
        assert dispatch.is_enough(snapshot, [], dispatch.queries.inputs_of(study, []).excluded)

        exclude_rater(rater=bot, reason=REASON, by=None)

        assert not dispatch.is_enough(snapshot, [], dispatch.queries.inputs_of(study, []).excluded)

    def test_gallery_and_overview_count_the_others_alone(self) -> None:
        study = rated_study(n_items=2)
        exclude_rater(rater=add_bot(study), reason=REASON, by=None)

        figures = overview(study, timezone.now())

        assert (figures.n_answered, figures.n_wanted, figures.n_raters, figures.n_complete) == (6, 8, 3, 0)
        gallery = signed_in(study).get(f"/study/{study.token}/items/").content.decode()
        assert "3 ratings" in gallery or ">3<" in gallery

    def test_a_reason_is_needed_by_service_page_and_database(self) -> None:
        study = rated_study(n_items=1)
        bot = add_bot(study)

        with pytest.raises(ValidationError):
            exclude_rater(rater=bot, reason="  ", by=None)
        page = signed_in(study).post(f"/study/{study.token}/raters/{bot.pk}/exclude/", {"reason": " "})
        assert "Give the reason" in page.content.decode()
        with pytest.raises(IntegrityError), transaction.atomic():
            Rater.objects.filter(pk=bot.pk).update(excluded_at=timezone.now())
        bot.refresh_from_db()
        assert bot.excluded_at is None


class TestPlaces:
    def test_the_places_go_to_others_and_come_back_as_further_ones(self) -> None:
        study = make_study(n_items=2, k=1)
        bot = make_rater(study, name="bot")
        for item in study.items.all():
            make_answer(item, bot)
        honest = make_rater(study, name="honest")
        assert rating.reserve(rater=honest) == 0

        exclude_rater(rater=bot, reason=REASON, by=None)

        assert rating.reserve(rater=honest) == 2
        for assignment in honest.assignments.all():
            answer(assignment, level=1)
        include_rater(rater=bot, by=None)
        assert list(study.items.values_list("wanted", "taken")) == [(2, 2), (2, 2)]
        assert Response.objects.filter(assignment__study=study).count() == 4

    def test_excluding_twice_and_including_twice_change_nothing_more(self) -> None:
        study = rated_study(n_items=2)
        bot = add_bot(study)

        for _ in range(2):
            exclude_rater(rater=bot, reason=REASON, by=None)
        assert set(study.items.values_list("taken", flat=True)) == {3}
        for _ in range(2):
            include_rater(rater=bot, by=None)
        assert set(study.items.values_list("taken", "wanted")) == {(4, 4)}

    def test_an_excluded_rater_gets_no_card_and_loses_no_answer(self, client: Client) -> None:
        study = make_study(n_items=30, k=1, batch_size=3)
        rater = make_rater(study)
        assert rating.reserve(rater=rater)
        held = list(rater.assignments.all())
        exclude_rater(rater=rater, reason=REASON, by=None)

        outcome = answer(held[0], level=2)
        assert rater.user is not None
        client.force_login(rater.user)
        page = client.get(f"/rate/{study.token}/").content.decode()

        assert outcome == rating.Outcome.SAVED
        assert "No more images for you" in page
        assert rating.reserve(rater=rater) == 0
        assert study.items.filter(taken__gt=0).count() == 0
        include_rater(rater=rater, by=None)
        held[0].refresh_from_db()
        assert held[0].state == Assignment.State.ANSWERED
        assert study.items.get(taken=1) == held[0].item
        assert rating.reserve(rater=rater)

    def test_no_item_ever_has_more_raters_than_it_wants(self) -> None:
        study = rated_study()
        raters = list(study.raters.all())
        for rater in (*raters, *raters[:2]):
            exclude_rater(rater=rater, reason=REASON, by=None)
        newcomer = make_rater(study)
        while rating.reserve(rater=newcomer):
            for assignment in newcomer.assignments.filter(state="leased"):
                answer(assignment, level=0)
        for rater in raters:
            include_rater(rater=rater, by=None)

        assert not study.items.filter(taken__gt=F("wanted")).exists()
        for item in study.items.all():
            assert item.taken == item.assignments.filter(state="answered").count()


def answer(assignment: Assignment, *, level: int) -> rating.Outcome:
    dimension = assignment.study.dimensions.get()
    image = assignment.item.images.all()[0]
    answers = [rating.Answer(dimension.pk, image.pk, level)]
    return rating.submit(assignment=assignment, answers=answers, answered_at=timezone.now())


class TestDocuments:
    @pytest.fixture
    def study(self) -> Study:
        study = rated_study(exclusion_rule="Fewer than 2 seconds per card.")
        exclude_rater(rater=add_bot(study), reason=f"{REASON} & <b>", by=study.owner)
        return study

    def test_page_file_latex_and_table_name_the_rater_the_reason_and_the_number(self, study: Study) -> None:
        client = signed_in(study)
        page = client.get(f"/study/{study.token}/results/").content.decode()
        files = {
            ending: client.get(f"/study/{study.token}/results/{study.snapshots.get().pk}/report.{ending}").content
            for ending in ("html", "tex", "json")
        }
        table = client.get(f"/study/{study.token}/results/{study.snapshots.get().pk}/excluded_raters.csv")

        said = f"bot (6 answers): {REASON} &amp; &lt;b&gt;"
        assert said in page
        assert said in files["html"].decode()
        assert rf"bot (6 answers): {REASON} \& \textless{{}}b\textgreater{{}}" in files["tex"].decode()
        for text in (page, files["html"].decode(), files["tex"].decode()):
            assert "declared before the study opened: Fewer than 2 seconds per card." in text
        assert json.loads(files["json"])["excluded_raters"][0]["n_answers"] == 6
        rows = read_csv(b"".join(table.streaming_content).decode())  # type: ignore[attr-defined]
        assert rows == [{"rater": "bot", "reason": f"{REASON} & <b>", "n_answers": "6"}]

    def test_exports_keep_the_answers_apart(self, study: Study) -> None:
        counting = read_csv("".join(TABLES["answers"].csv(study)))
        every = read_csv("".join(TABLES["answers-all-revisions"].csv(study)))
        raters = {row["rater"]: row for row in read_csv("".join(TABLES["raters"].csv(study)))}

        assert {row["rater"] for row in counting} == {"anna", "ben", "cleo"}
        assert [row["rater"] for row in every].count("bot") == 6
        assert raters["bot"]["excluded_reason"] == f"{REASON} & <b>"
        assert raters["anna"]["excluded_at"] == ""
        api = signed_in(study).get(f"/api/v1/studies/{study.token}/responses/").json()["results"]
        assert len(api) == 18

    def test_analyze_gives_the_same_figures_from_the_exported_files_and_says_the_same(
        self, study: Study, tmp_path: Path
    ) -> None:
        content = signed_in(study).get(f"/study/{study.token}/export/study.zip")
        bundle = zipfile.ZipFile(io.BytesIO(b"".join(content.streaming_content)))  # type: ignore[attr-defined]
        bundle.extractall(tmp_path)
        printed = signed_in(study).get(f"/study/{study.token}/export/").content.decode()
        assert "--excluded-raters analyze/excluded-raters.csv" in printed
        files = tmp_path / "analyze"

        call_command(
            "analyze",
            ratings=files / "ratings.csv",
            items=files / "items.csv",
            excluded_raters=files / "excluded-raters.csv",
            scale=["1-5"],
            out=tmp_path / "out",
            quick=True,
        )

        made = json.loads((tmp_path / "out" / "report.json").read_text())
        on_the_site = results(study)
        assert made["excluded_raters"] == on_the_site["excluded_raters"]
        assert made["dimensions"][0]["agreement"] == on_the_site["dimensions"][0]["agreement"]
        assert "bot (6 answers)" in (tmp_path / "out" / "report.html").read_text()


class TestAnalyzeAlone:
    RATINGS = "item,rater,value\na,r1,1\na,r2,2\na,bot,5\nb,r1,3\nb,r2,3\nb,bot,5\nc,bot,unable\n"

    def analyze(self, folder: Path, excluded: str) -> dict[str, Any]:
        (folder / "ratings.csv").write_text(self.RATINGS)
        (folder / "out.csv").write_text(excluded)
        paths = {"ratings": folder / "ratings.csv", "excluded_raters": folder / "out.csv"}
        call_command("analyze", **paths, scale=["1-5"], out=folder / "out", quick=True, verbosity=0)
        document: dict[str, Any] = json.loads((folder / "out" / "report.json").read_text())
        return document

    def test_ratings_of_the_listed_raters_are_left_out_and_counted(self, tmp_path: Path) -> None:
        document = self.analyze(tmp_path, "rater,reason\nbot,clicks\nnobody,never came\n")

        (dimension,) = document["dimensions"]
        assert (dimension["n_ratings"], dimension["n_raters"], dimension["n_unable"]) == (4, 2, 0)
        assert document["excluded_raters"] == [
            {"rater": "bot", "reason": "clicks", "n_answers": 3},
            {"rater": "nobody", "reason": "never came", "n_answers": 0},
        ]

    @pytest.mark.parametrize("row", ["bot,", ",clicks", "bot,clicks\nbot,again"])
    def test_a_row_without_rater_or_reason_or_twice_is_refused(self, tmp_path: Path, row: str) -> None:
        with pytest.raises(Exception, match=r"out\.csv"):
            self.analyze(tmp_path, f"rater,reason\n{row}\n")


class TestPage:
    def test_a_researcher_excludes_and_includes_with_what_stands_out_in_view(self) -> None:
        study = rated_study()
        bot = add_bot(study)
        results(study)
        client = signed_in(study)

        page = client.get(f"/study/{study.token}/raters/").content.decode()
        client.post(f"/study/{study.token}/raters/{bot.pk}/exclude/", {"reason": REASON})
        after = client.get(f"/study/{study.token}/raters/").content.decode()
        client.post(f"/study/{study.token}/raters/{bot.pk}/include/")

        assert "What stands out" in page
        assert "unusual" in page or "always" in page or "the same" in page
        assert REASON in after
        bot.refresh_from_db()
        assert bot.excluded_at is None

    def test_a_rater_of_another_study_is_out_of_reach(self) -> None:
        study, other = rated_study(n_items=1), rated_study(n_items=1)
        rater = other.raters.first()
        assert rater is not None

        answer = signed_in(study).post(f"/study/{study.token}/raters/{rater.pk}/exclude/", {"reason": REASON})

        assert answer.status_code == 404
        assert not other.raters.filter(excluded_at__isnull=False).exists()

    def test_the_rule_is_fixed_once_the_study_has_opened(self) -> None:
        study = make_study(state="draft", n_items=1)
        client = signed_in(study)
        fields = {"title": study.title, "batch_size": "10", "lease_minutes": "30"}

        client.post(f"/study/{study.token}/settings/", fields | {"exclusion_rule": "Too fast."})
        client.post(f"/study/{study.token}/state/", {"state": "open"})
        client.post(f"/study/{study.token}/settings/", fields | {"exclusion_rule": "Raters who disagree."})

        study.refresh_from_db()
        assert study.exclusion_rule == "Too fast."


def test_an_import_adds_nothing_to_an_excluded_rater(tmp_path: Path) -> None:
    owner = make_user(researcher=True)
    study = make_study(owner=owner, title="Imported", n_items=2, state="closed")
    imported = make_rater(study, name="imported", kind=Rater.Kind.IMPORTED)
    make_answer(study.items.all()[0], imported, level=1)
    exclude_rater(rater=imported, reason=REASON, by=owner)
    rows = "".join(f"{item.key},imported,{study.dimensions.get().name},2\n" for item in study.items.all())
    (tmp_path / "r.csv").write_text("item,rater,dimension,value\n" + rows)
    log = RejectLog()

    counts = import_ratings(Source("r.csv", tmp_path / "r.csv"), study="Imported", owner=owner, log=log)

    assert (counts.n_created, counts.n_unchanged) == (0, 1)
    assert "excluded" in log.first[0].problem
    assert list(study.items.order_by("pk").values_list("taken", flat=True)) == [0, 0]


def test_members_may_exclude_and_others_may_not() -> None:
    study = rated_study(n_items=1)
    bot = add_bot(study)
    client = Client()
    client.force_login(make_user(researcher=True))
    assert client.post(f"/study/{study.token}/raters/{bot.pk}/exclude/", {"reason": REASON}).status_code == 403
    client.force_login(make_member(study))
    assert client.post(f"/study/{study.token}/raters/{bot.pk}/exclude/", {"reason": REASON}).status_code == 302
