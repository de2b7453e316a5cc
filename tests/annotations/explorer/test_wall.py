"""The wall: which units come first, what they have in common, and that no page's cost grows with the study."""

from collections.abc import ItemsView, Sequence
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from django.db import connection
from django.utils import timezone

from annotations.models import Assignment, ReportSnapshot, Study, UnitTable
from annotations.queries.explorer import wall as walls
from annotations.queries.explorer.frozen import FrozenTable
from annotations.queries.explorer.wall import Wall, WallFilter, explored_report, wall_of
from annotations.queries.reports import inputs_of
from annotations.reports.documents.conversion import from_json
from annotations.reports.documents.study import StudyDocument
from annotations.services.reports import ask_report, build_report, claim, report_now
from generation.models import MetricScore
from tests.factories import make_answer, make_rater, make_study

pytestmark = pytest.mark.django_db

LEVELS: list[list[int | None]] = [[0, 4], [4, 4], [2, 2], [0, 1]]


def rated(levels: Sequence[Sequence[int | None]] = LEVELS) -> Study:
    study = make_study(n_items=len(levels), k=2)
    raters = [make_rater(study) for _ in levels[0]]
    for item, own in zip(study.items.order_by("position"), levels, strict=True):
        for rater, level in zip(raters, own, strict=True):
            make_answer(item, rater, level=level)
    return study


def wall(study: Study, **chosen: object) -> Wall:
    report_now(study=study, comparisons=[])
    snapshot = explored_report(study)
    assert snapshot is not None
    found = wall_of(snapshot, WallFilter(**chosen))  # type: ignore[arg-type] (the tests pass what they test)
    assert found is not None
    return found


def positions(found: Wall) -> list[int]:
    by_key = dict(found.table.snapshot.study.items.values_list("pk", "position"))
    return [by_key[int(found.column("item")[row])] for row in found.rows]


def test_images_on_which_raters_split_come_first_and_those_with_one_answer_last() -> None:
    assert positions(wall(rated([[0, None], *LEVELS]), order=walls.SPLIT)) == [1, 4, 2, 3, 0]


def test_the_lowest_and_the_highest_mean_come_first() -> None:
    study = rated()
    assert positions(wall(study, order=walls.LOW))[0] == 3
    assert positions(wall(study, order=walls.HIGH))[0] == 1


def test_bounds_of_the_mean_are_included() -> None:
    assert sorted(positions(wall(rated(), low=3.0, high=3.0))) == [0, 2]


def test_images_that_a_metric_likes_more_than_people_come_first() -> None:
    study = rated()
    for item, score in zip(study.items.order_by("position"), (0.5, 0.6, 0.1, 0.9), strict=True):
        MetricScore.objects.create(image=item.images.get(), metric="clip", value=score)
    assert positions(wall(study, order=walls.OVER))[0] == 3
    assert positions(wall(study, order=walls.UNDER))[0] == 2
    assert set(positions(wall(study, order=walls.APART))[:2]) == {2, 3}


@pytest.mark.parametrize("order", [walls.APART, walls.OVER, walls.UNDER, walls.LOW, walls.HIGH, walls.SPLIT])
def test_an_order_leaves_no_image_out(order: str) -> None:
    study = rated([[None, None], [3, None], *LEVELS])
    for item in study.items.filter(position__in=[2, 3, 4]):
        MetricScore.objects.create(image=item.images.get(), metric="clip", value=item.position)
    found = wall(study, order=order)
    assert found.chosen.order == order
    assert sorted(positions(found)) == sorted(positions(wall(study)))


def test_where_refinement_hurt_comes_first_and_images_without_a_parent_last() -> None:
    study = rated([[4, 4], [2, 2], [1, 1], [3, 3]])
    images = [item.images.get() for item in study.items.order_by("position")]
    for refined, parent in ((1, 0), (3, 2)):
        images[refined].parent, images[refined].round = images[parent], 1
        images[refined].save()
    found = wall(study, order=walls.HURT)
    assert positions(found) == [1, 3, 0, 2]
    assert positions(wall(study, order=walls.HELPED)) == [3, 1, 0, 2]
    assert found.column("change")[found.rows[0]] == -2.0


def test_of_a_preference_the_refined_image_loses_where_refinement_hurt() -> None:
    study = make_study(n_items=2, k=3, item_kind=Study.ItemKind.PAIR)
    first, second = study.items.order_by("position")
    raters = [make_rater(study) for _ in range(3)]
    # Slot 1 is the refined image. The left one is chosen; for the last rater slot 1 was on the left.
    for rater, order in zip(raters, ("0,1", "0,1", "1,0"), strict=True):
        for item, level in ((first, 0), (second, 1)):
            assignment = make_answer(item, rater, level=level)
            Assignment.objects.filter(pk=assignment.pk).update(shown_order=order)
    found = wall(study, order=walls.HURT)
    assert positions(found) == [0, 1]
    assert found.column("change")[found.rows[0]] == pytest.approx(-1 / 3)


def test_comments_lead_to_their_item() -> None:
    study = rated()
    Assignment.objects.filter(item__position=2).update(flag="the prompt is cut off")
    assert positions(wall(study, has="flagged")) == [2]
    assert positions(wall(study, order=walls.FLAGGED)) == [2, 0, 1, 3]


def test_a_method_that_is_more_frequent_at_the_head_of_the_wall_is_named() -> None:
    study = rated([[0, 4], [2, 2], [0, 4], [2, 2]])
    found = wall(study, order=walls.SPLIT)
    (common,) = found.common(2)
    assert (common.n, common.share, common.share_of_all) == (2, 1.0, 0.5)
    assert common.name == study.items.get(position=0).images.get().method.name


def test_a_name_that_is_not_in_the_study_is_ignored_and_named() -> None:
    found = wall(
        rated(), method="nobody", kind="texture", has="wrong", order="sideways", category="cats", metric="clip"
    )
    assert len(found.rows) == 4
    assert found.chosen == WallFilter(dimension="alignment")
    assert found.ignored == {
        "metric": "clip",
        "order": "sideways",
        "method": "nobody",
        "category": "cats",
        "has": "wrong",
        "kind": "texture",
    }


def test_excluded_raters_are_not_in_the_columns() -> None:
    study = rated()
    rater = study.raters.order_by("-pk").first()
    assert rater is not None
    rater.excluded_at, rater.excluded_reason = timezone.now(), "too fast"
    rater.save()
    assert wall(study).column("counts").sum() == 4


def test_only_the_two_newest_reports_keep_their_columns() -> None:
    study = rated()
    for seed in range(4):
        report_now(study=study, comparisons=[], seed=seed)
    assert study.snapshots.filter(state=ReportSnapshot.State.DONE).count() == 4
    assert UnitTable.objects.values("snapshot").distinct().count() == 2


class Watched(dict[str, Any]):
    """Columns that note whether they are read within a transaction."""

    def __init__(self, columns: dict[str, Any]) -> None:
        super().__init__(columns)
        self.in_transaction: list[bool] = []

    def items(self) -> ItemsView[str, Any]:
        self.in_transaction.append(connection.in_atomic_block)
        return super().items()


@pytest.mark.django_db(transaction=True)
def test_columns_are_compressed_while_others_can_write() -> None:
    """SQLite has one writer: compressing a million ratings' columns in a transaction held up every rater's answer."""
    study = rated()
    document = from_json(StudyDocument, report_now(study=study, comparisons=[]).results)
    columns = Watched({"item": np.arange(4)})
    table = FrozenTable("alignment", {}, columns)
    asked, _is_new = ask_report(study=study, inputs=inputs_of(study, []), comparisons=[], seed=1)
    snapshot = claim(snapshot_id=asked.pk)
    assert snapshot is not None
    build_report(snapshot=snapshot, work_out=lambda snapshot: (document, [table]))

    assert columns.in_transaction == [False]
    assert snapshot.state == ReportSnapshot.State.DONE
    assert snapshot.unit_tables.get().columns.get().name == "item"


def test_a_report_that_fails_keeps_no_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    study = rated()

    def broken(*_args: object, **_options: object) -> None:
        raise ValueError("no")

    monkeypatch.setattr("annotations.services.reports.frozen_tables", broken)
    with pytest.raises(ValueError, match="no"):
        report_now(study=study, comparisons=[])
    assert not UnitTable.objects.exists()


def test_columns_keep_their_numbers() -> None:
    study = rated()
    found = wall(study)
    assert found.column("counts").shape == (4, 5)
    assert found.column("mean").dtype == np.float64
    by_position = {p: float(found.column("mean")[row]) for p, row in zip(positions(found), found.rows, strict=True)}
    assert by_position == {0: 3.0, 1: 5.0, 2: 3.0, 3: 1.5}
    assert timezone.now() - found.table.snapshot.created_at < timedelta(minutes=5)
