"""From what auditors said to the figures about a critic: small audits worked by hand, and the demo's known truth."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from annotations.reports.critic.analysis import CriticResults, analyse_critics
from annotations.reports.critic.audits import distinct_errors
from annotations.reports.critic.data import (
    CLEAN,
    DEFECT,
    FIXED,
    IMPROVED,
    IN_BASELINE,
    IN_BOTH,
    IN_NEITHER,
    IN_REFINED,
    NO_ERROR,
    UNCHANGED,
    UNSURE,
    WORSE,
    Claims,
    CriticData,
    Lists,
    Repairs,
    Verdicts,
    critic_of,
)
from annotations.reports.critic.document import critic_document
from annotations.reports.critic.figures import CriticResult, Options
from annotations.reports.critic.repairs import majority
from annotations.reports.critic.tables import CRITIC_TABLES
from annotations.reports.documents.conversion import to_text
from annotations.reports.page import page as report_page
from annotations.stats.critic.audit import CANNOT_TELL, CRITIC, PARTLY, PLANTED, RIGHT, WRONG, WRONG_IMAGE
from tests.benchmarks.coverage import demo_critic

FAST = Options(n_resamples=200, n_permutations=99)
Row = dict[str, Any]


def codes(rows: list[Row], name: str, default: int = 0) -> np.ndarray:
    return np.array([row.get(name, default) for row in rows], np.int64)


def audited(
    claims: list[Row],
    listed: list[Row] = [],  # noqa: B006 (never changed)
    *,
    n_images: int = 4,
    n_critics: int = 1,
    searches: list[tuple[int, int, bool]] = [],  # noqa: B006
    control: list[int] | None = None,
    more_verdicts: list[tuple[int, int, int]] = [],  # noqa: B006
    **fields: Any,
) -> CriticData:
    """One row per claim (image, verdict by auditor 0, …) and one per listed error (image, auditor, group, own)."""
    verdicts = [(i, 0, row["verdict"]) for i, row in enumerate(claims) if row.get("verdict") is not None]
    verdicts += more_verdicts
    kinds = np.array([row.get("kind", "k") for row in claims], object)
    adjudicated = codes(claims, "adjudicated", -1)
    return CriticData(
        [f"image {i}" for i in range(n_images)],
        ["A", "B"][:n_critics],
        ["x", "y", "z"],
        np.ones((n_critics, n_images), bool),
        np.zeros(n_images, np.int64) if control is None else np.array(control),
        Claims(
            codes(claims, "image"),
            codes(claims, "critic"),
            codes(claims, "source", CRITIC),
            codes(claims, "group", -1),
            np.array([row.get("confidence", np.nan) for row in claims], float),
            np.array([row.get("about", "") for row in claims], object),
            {"kind": kinds},
        ),
        Verdicts(
            np.array([claim for claim, _, _ in verdicts], np.int64),
            np.array([who for _, who, _ in verdicts], np.int64),
            np.array([value for _, _, value in verdicts], np.int64),
            adjudicated,
            np.full(len(verdicts), -1, np.int64),
        ),
        Lists(
            np.array([image for image, _, _ in searches], np.int64),
            np.array([who for _, who, _ in searches], np.int64),
            np.array([first for _, _, first in searches], bool),
            codes(listed, "image"),
            codes(listed, "auditor"),
            codes(listed, "group", -1),
            np.array([row.get("own", True) for row in listed], bool),
            {"kind": np.array([row.get("kind", "k") for row in listed], object)},
        ),
        **fields,
    )


def first_critic(data: CriticData) -> CriticResult:
    return analyse_critics(data, FAST).critics[0]


EXAMPLE: list[Row] = [
    {"image": 0, "verdict": RIGHT, "group": 0},
    {"image": 0, "verdict": RIGHT},
    {"image": 0, "verdict": WRONG},
    {"image": 1, "verdict": RIGHT, "group": 1},
    {"image": 1, "verdict": PARTLY},
    {"image": 2, "verdict": WRONG},
    {"image": 2, "verdict": CANNOT_TELL},
]
EXAMPLE_LISTED: list[Row] = [
    {"image": 0, "group": 0},
    {"image": 1, "group": 1},
    {"image": 0},
    {"image": 3},
    {"image": 3},
]
FIRST = [(i, 0, True) for i in range(4)]


def test_the_worked_example_of_the_methods_page() -> None:
    """docs/methods/critic.md: precision 3.5/6, recall 3.5/7, F1 .538, corrected recall 3.5/9, recall of lists 2/5."""
    row = first_critic(audited(EXAMPLE, EXAMPLE_LISTED, searches=FIRST)).report.overall

    assert row.precision.value == pytest.approx(3.5 / 6)
    assert row.recall.value == pytest.approx(3.5 / 7)
    assert row.f1.value == pytest.approx(2 * (3.5 / 6) * 0.5 / (3.5 / 6 + 0.5))
    assert row.recall_corrected.value == pytest.approx(3.5 / 9)
    assert row.recall_of_lists.value == pytest.approx(2 / 5)


def test_lists_made_after_the_claims_count_for_recall_and_are_not_a_capture() -> None:
    after = [row | {"own": False} for row in EXAMPLE_LISTED]
    late = audited(EXAMPLE, after, searches=[(i, 0, False) for i in range(4)])

    row = first_critic(late).report.overall

    assert row.recall.value == pytest.approx(3.5 / 7)
    assert np.isnan(row.recall_corrected.value)
    assert "not kept apart" in row.recall_corrected.reason

    # A second auditor who lists after the claims adds a missed error to recall, and nothing to the captures.
    both = audited(
        EXAMPLE,
        [*EXAMPLE_LISTED, {"image": 2, "auditor": 1, "own": False}],
        searches=[*FIRST, *((i, 1, False) for i in range(4))],
    )
    row = first_critic(both).report.overall
    assert row.recall.value == pytest.approx(3.5 / 8)
    assert row.recall_corrected.value == pytest.approx(3.5 / 9)


def test_matched_errors_are_one_error_and_unmatched_ones_are_several() -> None:
    listed = [{"image": 3, "auditor": who, "group": 7, "kind": kind} for who, kind in ((0, "not stated"), (1, "count"))]
    data = audited([{"image": 0, "verdict": RIGHT}], listed, searches=[(i, w, True) for i in range(4) for w in (0, 1)])
    found = distinct_errors(data, own=True)
    assert (found.group.tolist(), found.n_lists.tolist(), found.facets["kind"].tolist()) == ([7], [2], ["count"])
    assert first_critic(data).report.overall.recall.value == pytest.approx(1 / 2)

    apart = [row | {"group": -1} for row in listed]
    data = audited([{"image": 0, "verdict": RIGHT}], apart, searches=[(i, w, True) for i in range(4) for w in (0, 1)])
    assert first_critic(data).report.overall.recall.value == pytest.approx(1 / 3)


def test_a_wrong_claim_of_a_listed_error_leaves_it_missed() -> None:
    claims = [{"image": 0, "verdict": WRONG, "group": 3}, {"image": 1, "verdict": RIGHT}]
    row = first_critic(audited(claims, [{"image": 0, "group": 3}], searches=FIRST)).report.overall
    assert (row.precision.value, row.recall.value) == (0.5, 0.5)


def test_an_adjudicator_decides_and_a_tie_stays_open() -> None:
    claims = [{"image": 0, "verdict": RIGHT, "adjudicated": WRONG}, {"image": 1, "verdict": RIGHT}]
    results = analyse_critics(audited(claims, more_verdicts=[(0, 1, WRONG), (1, 1, WRONG)]), FAST)
    settled = critic_document(results, title="", code_version="", made_at="").settled
    assert results.critics[0].report.overall.precision.value == 0.0
    assert (settled.adjudicated, settled.open) == (1, 1)


def test_controls_reach_no_headline_figure() -> None:
    plain = audited(EXAMPLE, EXAMPLE_LISTED, searches=FIRST)
    controls: list[Row] = [
        {"image": 0, "verdict": RIGHT, "source": WRONG_IMAGE},
        {"image": 1, "verdict": WRONG, "source": WRONG_IMAGE},
        {"image": 1, "verdict": RIGHT, "source": PLANTED},
        {"image": 2, "verdict": WRONG, "source": PLANTED},
        {"image": 4, "verdict": WRONG},
        {"image": 5, "verdict": RIGHT, "about": "r1"},
    ]
    with_controls = audited(
        [*EXAMPLE, *controls],
        [*EXAMPLE_LISTED, {"image": 5}],
        n_images=7,
        searches=[(i, 0, True) for i in range(7)],
        control=[0, 0, 0, 0, CLEAN, DEFECT, CLEAN],
        defects={5: ["r1", "e2"]},
    )

    expected, results = first_critic(plain).report.overall, analyse_critics(with_controls, FAST)

    result = results.critics[0]
    for name in ("precision", "recall", "f1", "recall_corrected", "recall_of_lists"):
        assert getattr(result.report.overall, name).value == getattr(expected, name).value, name
    assert (result.floor.value, results.planted.value, result.defects_found.value) == (0.5, 0.5, 0.5)
    assert result.clean is not None
    assert result.clean.false_alarm_rate.value == 0.5
    # Images 0 and 1 have claims of both kinds: 3.5/5 of the critic's are right and 1/2 of the control's.
    assert result.report.above_control is not None
    assert result.report.above_control.difference.value == pytest.approx(3.5 / 5 - 0.5)


def test_false_alarms_on_images_in_which_nobody_found_an_error() -> None:
    # Image 0 has a right claim, 1 a listed error, 2 a wrong claim alone, 3 nothing, 4 an open claim, 5 no search.
    claims = [{"image": i, "verdict": v} for i, v in ((0, RIGHT), (2, WRONG), (2, WRONG), (4, CANNOT_TELL), (5, WRONG))]
    searches = [(i, 0, True) for i in range(5)]
    report = first_critic(audited(claims, [{"image": 1}], n_images=6, searches=searches)).report
    assert (report.false_alarm_rate.value, report.false_alarm_rate.n["images"]) == (0.5, 2)
    assert report.false_claims_per_image.value == 1.0


def test_two_critics_share_one_list_of_errors() -> None:
    # A names errors 0 and 1, B names 1 and an error of its own. Together there are 3, and one that only x listed.
    claims = [
        {"image": 0, "verdict": RIGHT, "group": 0},
        {"image": 0, "verdict": RIGHT, "group": 1},
        {"image": 0, "verdict": RIGHT, "group": 1, "critic": 1},
        {"image": 1, "verdict": RIGHT, "critic": 1},
        {"image": 1, "verdict": WRONG, "critic": 1},
    ]
    data = audited(claims, [{"image": 2}], n_critics=2, searches=FIRST)

    results = analyse_critics(data, FAST)

    [pair] = results.pairs
    assert (pair.figures["precision"].first.value, pair.figures["precision"].second.value) == (
        1.0,
        pytest.approx(2 / 3),
    )
    assert (pair.figures["recall"].first.value, pair.figures["recall"].second.value) == (0.5, 0.5)
    # A critic's own figure knows nothing of the other: 2 named and 1 that an auditor listed.
    assert results.critics[0].report.overall.recall.value == pytest.approx(2 / 3)


def test_a_control_goes_by_its_critics_name() -> None:
    assert critic_of("some critic, wrong image", ["another", "some", "some critic"]) == 2
    assert critic_of("control", ["another", "some"]) == -1
    assert critic_of("control", ["only"]) == 0


class TestRepairs:
    CLAIMS = [
        *({"image": i, "verdict": RIGHT, "kind": "count", "about": "e1"} for i in range(4)),
        {"image": 0, "verdict": WRONG, "kind": "colour", "about": "e2"},
        {"image": 1, "verdict": PARTLY, "kind": "colour", "about": "e2"},
    ]

    def results(self, judged: list[tuple[int, int, int]], **fields: Any) -> CriticResults:
        """judged: (pair, claim, outcome); pair i has baseline i."""
        n_pairs = fields.pop("n_pairs", 4)
        repairs = Repairs(
            pair_image=np.arange(n_pairs) % 4,
            pair_method=np.full(n_pairs, "refined", object),
            pair_is_placebo=fields.pop("placebo", np.zeros(n_pairs, bool)),
            pair=np.array([pair for pair, _, _ in judged], np.int64),
            claim=np.array([claim for _, claim, _ in judged], np.int64),
            outcome=np.array([outcome for _, _, outcome in judged], np.int64),
            on_left=fields.pop("on_left", np.full(len(judged), -1, np.int64)),
            **fields,
        )
        return analyse_critics(replace(audited(self.CLAIMS), repairs=repairs), FAST)

    def test_the_repair_rate_is_of_right_claims_with_a_settled_outcome(self) -> None:
        # Right claims 0–3 and the partly right 5: fixed, fixed, tied, cannot tell, improved. The wrong 4 has no error.
        judged = [(0, 0, FIXED), (1, 1, FIXED), (1, 1, FIXED), (1, 1, WORSE), (2, 2, FIXED), (2, 2, UNCHANGED)]
        judged += [(3, 3, UNSURE), (1, 5, IMPROVED), (0, 4, NO_ERROR)]

        found = self.results(judged).repairs

        assert found is not None
        rates = {(row.facet, row.label): row.rate.value for row in found.rows}
        assert rates["", ""] == pytest.approx(2 / 3)
        assert (rates["kind", "count"], rates["kind", "colour"]) == (1.0, 0.0)
        assert (found.improved.value, found.worse.value, found.n_open) == (pytest.approx(1 / 3), 0.0, 1)
        assert found.outcomes[1][NO_ERROR] == 1

    def test_the_majority_and_cannot_tell(self) -> None:
        cell = np.array([0, 0, 0, 1, 1, 2, 2, 3])
        code = np.array([FIXED, FIXED, WORSE, FIXED, WORSE, UNSURE, WORSE, UNSURE])
        assert majority(cell, code, n_cells=4, n_codes=6, unsure=UNSURE).tolist() == [FIXED, -1, WORSE, UNSURE]

    def test_gains_are_grouped_by_what_claims_said(self) -> None:
        # Lacking in the baseline: e1 on images 0, 1 (named rightly), e2 on 0 (named wrongly), e3 on 0 and 1 (unnamed).
        elements = [(0, "e1", IN_REFINED), (1, "e1", IN_NEITHER), (0, "e2", IN_REFINED), (0, "e3", IN_REFINED)]
        elements += [(1, "e3", IN_NEITHER), (2, "e2", IN_BASELINE), (3, "e2", IN_BOTH)]
        found = self.results(
            [(0, 0, FIXED)],
            element_pair=np.array([pair for pair, _, _ in elements]),
            element=np.array([name for _, name, _ in elements], object),
            answer=np.array([answer for _, _, answer in elements]),
        ).repairs
        assert found is not None
        assert found.gains is not None
        assert (found.gains.gained, found.gains.lost, found.gains.lacking) == ((1, 1, 1), (0, 0, 1), (2, 1, 2))
        assert found.gains.from_right_claims.value == pytest.approx(1 / 3)
        assert [one.value for one in found.gains.mended] == [0.5, 1.0, 0.5]

    def test_placebo_pairs_are_a_yardstick_and_no_repair(self) -> None:
        found = self.results(
            [(0, 0, FIXED), (4, 0, FIXED), (4, 4, UNCHANGED), (5, 1, WORSE), (5, 5, NO_ERROR)],
            n_pairs=6,
            placebo=np.array([False] * 4 + [True] * 2),
            on_left=np.array([0, 1, -1, 1, -1]),
        ).repairs
        assert found is not None
        assert (found.rows[0].rate.value, found.rows[0].rate.n["claims"]) == (1.0, 1)
        assert (found.placebo_differences.value, found.placebo_left.value) == (0.5, 1.0)


def test_anchoring_compares_the_two_orders() -> None:
    # List first: credits 1 and 0, one missed error on two searches; claims first: 1 and 1, none on two.
    claims: list[Row] = [{"image": i, "verdict": v} for i, v in ((0, RIGHT), (1, WRONG), (2, RIGHT), (3, RIGHT))]
    data = audited(claims, [{"image": 0, "group": 5}], searches=[(i, 0, i < 2) for i in range(4)])
    data = replace(data, verdicts=replace(data.verdicts, lists_first=np.array([1, 1, 0, 0])))

    found = analyse_critics(data, FAST).anchoring

    assert found is not None
    assert (found.accepted.lists_first.value, found.accepted.claims_first.value) == (0.5, 1.0)
    assert found.accepted.difference.value == -0.5
    assert (found.missed_listed.lists_first.value, found.missed_listed.claims_first.value) == (0.5, 0.0)

    # An error on a list that a right claim names was not missed by anybody.
    named = replace(data, claims=replace(data.claims, group=np.array([5, -1, -1, -1])))
    found = analyse_critics(named, FAST).anchoring
    assert found is not None
    assert found.missed_listed.lists_first.value == 0.0


def test_only_one_order_has_no_anchoring_to_tell() -> None:
    assert analyse_critics(audited(EXAMPLE, EXAMPLE_LISTED, searches=FIRST), FAST).anchoring is None


def test_the_same_seed_gives_the_same_document_and_every_table_fits_its_columns() -> None:
    data = demo_critic.demo_data(demo_critic.demo(3, 4), demo_critic.PANEL, 3)
    documents = [
        critic_document(analyse_critics(data, replace(FAST, seed=seed)), title="t", code_version="", made_at="")
        for seed in (0, 0, 1)
    ]
    texts = [to_text(one) for one in documents]
    assert texts[0] == texts[1] != texts[2]
    for name, (columns, rows) in CRITIC_TABLES.items():
        filled = list(rows(documents[0]))
        assert {len(row) for row in filled} <= {len(columns)}, name
        assert filled or name in ("critic_differences", "sources")
    page = report_page(documents[0])
    for words in (
        "How far to trust it",
        "Compared with controls",
        "By kind",
        "What refinement repaired",
        "Does seeing",
    ):
        assert words in page


def test_changed_inputs_change_the_hash() -> None:
    data = audited(EXAMPLE, EXAMPLE_LISTED, searches=FIRST)
    other = replace(data, verdicts=replace(data.verdicts, value=data.verdicts.value[::-1].copy()))
    assert data.inputs_hash() == audited(EXAMPLE, EXAMPLE_LISTED, searches=FIRST).inputs_hash() != other.inputs_hash()


def test_nothing_judged_is_undefined_with_reasons_and_no_error() -> None:
    result = first_critic(audited([], n_images=2))
    assert np.isnan(result.report.overall.precision.value)
    assert result.report.overall.precision.reason == "no claim with a verdict"


@pytest.mark.slow
def test_intervals_hold_the_demo_studys_truth() -> None:
    """40 of the seeds of tests/benchmarks/coverage/demo_critic.py: at 95% coverage fewer than 34 has a chance of 1/300.

    The means are within four standard errors of the truth; the standard deviations below are from 60 seeds.
    """
    found = demo_critic.coverage(40)
    spread = {"precision": 0.06, "recall": 0.06, "recall_corrected": 0.06, "repair_rate": 0.05, "floor": 0.03}
    for name, (share, mean) in found.items():
        assert share >= 34 / 40, (name, share)
        assert abs(mean - demo_critic.TRUTH[name]) < 4 * spread[name] / 40**0.5, (name, mean)
