"""Existing human ratings into a study: new ones are added, contradictions are refused, people's answers are kept."""

import gc
import tracemalloc
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db.models import F

from annotations.models import Assignment, Dimension, Item, Rater, Response, Study
from annotations.services.imports.ratings import import_ratings
from exchange.rejects import BadFile, RejectLog
from generation.models import Image, MetricScore, PromptSet
from generation.queries.importers import Counts, Source
from tests.factories import make_answer, make_rater, make_study, make_user

pytestmark = pytest.mark.django_db
ITEMS = [f"i{n}" for n in range(4)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rows = "".join(f"{key},a fox number {n // 2},m{n % 2}\n" for n, key in enumerate(ITEMS))
    (tmp_path / "items.csv").write_text("item,prompt,method\n" + rows)
    return tmp_path


def ratings(folder: Path, *rows: str, name: str = "ratings.csv") -> Source:
    path = folder / name
    path.write_text("item,rater,dimension,value\n" + "".join(f"{row}\n" for row in rows), encoding="utf-8")
    return Source(name, path)


def import_items(folder: Path) -> None:
    call_command("import_items", str(folder / "items.csv"), prompt_set="s", verbosity=0)


def run(source: Source, log: RejectLog | None = None, **options: object) -> Counts:
    study = Study.objects.first()
    owner = study.owner if study else User.objects.get_or_create(username="owner")[0]
    given: dict[str, object] = {"study": "s", "owner": owner, "scales": ["1-5"], "prompt_set": "s"}
    return import_ratings(source, log=RejectLog() if log is None else log, **given | options)  # type: ignore[arg-type]


def shape(log: RejectLog) -> list[tuple[int | None, str]]:
    return sorted((reject.row or 0, reject.field) for reject in log.first)


def test_the_dsg_ratings_come_with_items_and_metrics_and_come_once(dsg_tifa160: Path) -> None:
    make_user("owner")
    for _ in range(2):
        call_command(
            "import_ratings",
            str(dsg_tifa160 / "ratings.csv"),
            items=str(dsg_tifa160 / "items.csv"),
            metrics=str(dsg_tifa160 / "metrics.csv"),
            study="DSG",
            owner="owner",
            scale=["1-5"],
            verbosity=0,
        )
        study = Study.objects.get()
        assert (study.state, study.raters_per_item, study.items.count()) == (Study.State.CLOSED, 7, 800)
        assert dict(Dimension.objects.values_list("name", "id")).keys() == {"consistency", "consistency_tifa"}
        answers = Response.objects.filter(is_current=True)
        assert answers.filter(dimension__name="consistency").count() == 3_995
        assert answers.filter(dimension__name="consistency_tifa").count() == 1_600
        assert MetricScore.objects.count() == 15_200
    assert set(Rater.objects.values_list("kind", flat=True)) == {Rater.Kind.IMPORTED}
    assert sum(a.level + 1 for a in answers.filter(dimension__name="consistency") if a.level is not None) / 3_995 == (
        pytest.approx(3.865332, abs=1e-6)
    )
    item = Item.objects.get(key="mini-dalle|tifa160_143")
    assert (item.wanted, item.taken, item.assignments.count()) == (7, 7, 7)


def test_every_rater_raises_what_an_item_wants_and_has(folder: Path) -> None:
    import_items(folder)
    run(ratings(folder, "i0,ann,match,5", "i0,ben,match,4", "i1,ann,match,1"))
    assert dict(Item.objects.values_list("key", "wanted")) == {"i0": 2, "i1": 1}
    assert not Item.objects.exclude(taken=F("wanted")).exists()
    assert list(Rater.objects.order_by("name").values_list("name", "kind", "next_sequence")) == [
        ("ann", "imported", 2),
        ("ben", "imported", 1),
    ]
    assert set(Assignment.objects.values_list("state", flat=True)) == {"answered"}
    response = Response.objects.get(assignment__item__key="i1")
    assert (response.level, response.image, response.active_ms) == (0, Image.objects.get(key="i1"), None)


def test_two_dimensions_of_one_rater_are_one_assignment(folder: Path) -> None:
    import_items(folder)
    run(ratings(folder, "i0,ann,match,5", "i0,ann,Text quality,0.5"), scales=["1-5", "Text quality=0,0.5,1"])
    assert Assignment.objects.count() == 1
    quality = Dimension.objects.get(name="text-quality")
    assert ([level["value"] for level in quality.levels], quality.question) == (["0", "0.5", "1"], "Text quality")
    run(ratings(folder, "i0,ann,Text quality,0.5"), scales=["1-5"])
    assert Response.objects.count() == 2


def test_bad_values_are_refused_with_row_field_value_and_cure(folder: Path) -> None:
    import_items(folder)
    log = RejectLog()
    counts = run(
        ratings(
            folder,
            "i0,ann,match,41",
            "i0,ben,match,",
            "i0,cid,match,2.5",
            "i0,,match,3",
            "i9,ann,match,3",
            "i1,ann,match,unable to answer",
            "i1,ben,match,4.0",
        ),
        log,
    )
    assert (counts.n_created, counts.n_unchanged, counts.n_missing) == (2, 0, 1)
    assert shape(log) == [(2, "value"), (4, "value"), (5, "rater"), (6, "item")]
    slip = next(reject for reject in log.first if reject.row == 2)
    assert (slip.file, slip.value) == ("ratings.csv", "41")
    assert "4 and 1 typed together" in slip.problem
    assert all(reject.cure for reject in log.first)
    unable = Response.objects.get(assignment__rater__name="ann")
    assert (unable.level, unable.is_unable) == (None, True)


def test_a_second_answer_is_refused_with_both_rows_named(folder: Path) -> None:
    import_items(folder)
    log = RejectLog()
    counts = run(ratings(folder, "i0,ann,match,5", "i0,ann,match,5", "i0,ann,match,4"), log)
    assert (counts.n_created, counts.n_unchanged) == (1, 1)
    assert [(reject.row, reject.problem.split(" for ")[0]) for reject in log.first] == [(4, "row 2 has 5")]
    run(ratings(folder, "i0,ann,match,3", name="later.csv"), log)
    assert log.first[-1].problem.startswith("the study has 5")
    assert Response.objects.get().level == 4


def test_rows_far_apart_are_compared_too(folder: Path) -> None:
    import_items(folder)
    rows = ["i0,ann,match,5", "i1,ann,match,5", "i2,ann,match,5", "i0,ann,match,5", "i1,ann,match,2", "i2,ben,match,1"]
    source = ratings(folder, *rows)
    dry_log, log = RejectLog(), RejectLog()
    dry = run(source, dry_log, dry_run=True, rows_at_once=2)
    assert not Study.objects.exists()
    assert not Rater.objects.exists()
    real = run(source, log, rows_at_once=2)
    assert (dry.n_created, dry.n_unchanged, dry.made) == (real.n_created, real.n_unchanged, real.made)
    assert dry_log.first == log.first
    assert (real.n_created, real.n_unchanged, shape(log)) == (4, 1, [(6, "value")])
    assert "row 3 has 5" in log.first[0].problem


def test_a_trial_run_of_everything_at_once_says_what_the_real_one_does(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make_user("owner")
    source = ratings(folder, *(f"{key},ann,match,3" for key in ITEMS), "i9,ann,match,3")
    (folder / "metrics.csv").write_text("item,metric,value\ni0,clip,0.5\ni9,clip,1\n")
    said = []
    for dry_run in (True, False):
        call_command(
            "import_ratings",
            str(source.content),
            items=str(folder / "items.csv"),
            metrics=str(folder / "metrics.csv"),
            study="s",
            owner="owner",
            scale=["1-5"],
            dry_run=dry_run,
        )
        captured = capsys.readouterr()
        said.append((captured.out.split(", in ")[0], captured.out.rpartition(": ")[2], captured.err.splitlines()[0]))
        assert Study.objects.exists() == PromptSet.objects.exists() == (not dry_run)
    assert said[0][0] == said[1][0]
    assert "9 rows new, 0 unchanged, 2 refused" in said[0][0]
    assert said[0][1] == said[1][1]


def test_nobody_answers_in_a_persons_place(folder: Path) -> None:
    study = make_study(title="s", n_items=2)
    rater = make_rater(study, name="ann")
    first, second = study.items.order_by("position")
    make_answer(first, rater, level=4)
    log = RejectLog()
    rows = (f"{first.key},ann,alignment,5", f"{second.key},ann,alignment,5", f"{second.key},bot,alignment,2")
    counts = run(ratings(folder, *rows), log)
    assert (counts.n_created, counts.n_unchanged) == (1, 1)
    assert shape(log) == [(3, "rater")]
    second.refresh_from_db()
    assert (second.wanted, second.taken) == (4, 1)
    assert study.raters_per_item == Study.objects.get().raters_per_item


def test_a_study_of_people_gets_no_new_question_by_a_slip(folder: Path) -> None:
    study = make_study(title="s", n_items=1)
    log = RejectLog()
    run(ratings(folder, f"{study.items.get().key},bot,alignmnt,5"), log)
    assert shape(log) == [(2, "dimension")]
    assert '"alignment"' in log.first[0].problem
    assert study.dimensions.count() == 1


def test_a_scale_that_contradicts_the_studys_stops_the_import(folder: Path) -> None:
    study = make_study(title="s", n_items=1)
    with pytest.raises(BadFile, match="has the levels 1, 2, 3, 4, 5, declared are 1, 2, 3"):
        run(ratings(folder, f"{study.items.get().key},bot,alignment,2"), scales=["alignment=1-3"])
    assert not Response.objects.exists()


def test_a_file_that_cannot_be_read_leaves_no_empty_study(folder: Path) -> None:
    make_user("owner")
    with pytest.raises(CommandError, match='"rater", "value" are missing'):
        call_command("import_ratings", str(folder / "items.csv"), study="s", owner="owner", scale=["1-5"], verbosity=0)
    assert not Study.objects.exists()


def test_times_are_kept_where_the_file_has_them(folder: Path) -> None:
    import_items(folder)
    path = folder / "timed.csv"
    path.write_text("item,rater,dimension,value,answered_at,active_ms\ni0,ann,match,5,2024-05-01T12:00:00+02:00,4321\n")
    run(Source("timed.csv", path))
    response = Response.objects.get()
    assert (response.answered_at.isoformat(), response.active_ms) == ("2024-05-01T10:00:00+00:00", 4321)


def test_items_are_laid_in_a_balanced_order_whatever_the_files_order(folder: Path) -> None:
    rows = "".join(f"x{n:02},a fox number {n % 10},m{n // 10}\n" for n in range(20))
    (folder / "items.csv").write_text("item,prompt,method\n" + rows)
    import_items(folder)
    run(ratings(folder, *(f"x{n:02},ann,match,3" for n in range(20))))
    methods = Item.objects.order_by("position").values_list("images__method__name", flat=True)
    assert sorted(Item.objects.values_list("position", flat=True)) == list(range(20))
    for stop in range(2, 21, 2):
        assert abs(list(methods[:stop]).count("m0") - stop / 2) <= 1


def test_memory_does_not_grow_with_the_ratings(folder: Path) -> None:
    """Four times as many ratings may take 24 bytes per rating, 1,200 per rater, and a batch's fluctuation more."""
    import_items(folder)

    def peak(n_raters: int, name: str) -> int:
        source = ratings(folder, *(f"{key},{name}{r},match,3" for r in range(n_raters) for key in ITEMS), name=name)
        gc.collect()  # what earlier tests left would be taken for ours
        gc.freeze()  # next to a large heap, Python collects garbage so seldom that it would count too
        tracemalloc.start()
        run(source, rows_at_once=1_000)
        _now, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        gc.unfreeze()
        return most

    peak(500, "warm")
    few, many = peak(500, "few"), peak(2_000, "many")
    assert Response.objects.count() == 12_000
    assert many - few < 6_000 * 24 * 3 + 1_500 * 1_200 + 2**20


def test_a_question_without_order_is_imported_as_one(folder: Path) -> None:
    import_items(folder)
    rows = [f"{item},{rater},choice,{n % 3 + 1}" for n, item in enumerate(ITEMS) for rater in ("ann", "ben")]
    run(ratings(folder, *rows), scales=["1-5", "choice=nominal:1,2,3"])

    dimension = Dimension.objects.get()
    assert dimension.kind == Dimension.Kind.NOMINAL
    assert [level["value"] for level in dimension.levels] == ["1", "2", "3"]


def test_a_rater_named_almost_like_an_earlier_one_is_reported_before_anything_is_written(folder: Path) -> None:
    import_items(folder)
    run(ratings(folder, "i0,Ann,match,4", "i0,bob,match,4"))
    later = ratings(folder, "i1,ann,match,4", "i1,bob,match,4", name="later.csv")
    for dry_run in (True, False):
        log = RejectLog()
        run(later, log, dry_run=dry_run)
        (warning,) = log.warnings
        assert warning.startswith("later.csv, rater: these names differ only in case")
        assert 'count as different: "Ann", "ann" (with U+0061 LATIN SMALL LETTER A at the start' in warning
        assert warning.endswith('Here already: "Ann".')
    assert set(Rater.objects.values_list("name", flat=True)) == {"Ann", "ann", "bob"}
    again = RejectLog()
    run(ratings(folder, "i2,bob,match,4"), again)
    assert again.warnings == []
