"""The quality page and registered rules: careless raters show, and only registered rules are applied."""

import numpy as np
import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.utils import timezone
from scipy.stats import ttest_1samp

from annotations import dispatch
from annotations.kinds.base import Answer
from annotations.models import Assignment, Rater, Response, Study
from annotations.queries.raters.quality import Work, signals, work_of
from annotations.queries.raters.rules import Rule, declared_rule
from annotations.reports.documents.conversion import from_json
from annotations.reports.documents.study import StudyDocument
from annotations.reports.study.sections.exclusion_notes import exclusion_notes
from annotations.services.exclusions import exclude_rater
from annotations.services.raters.rules import apply_rules, register_rules
from annotations.services.rating import reserve, submit
from annotations.views.cards import images_as_shown
from tests.annotations.raters.test_checks import make_checked_study
from tests.factories import make_rater, make_study

pytestmark = pytest.mark.django_db
SHARES = {"gold_share": 15, "repeat_share": 15}


def rate(rater: Rater, answer: dict[str, int], *, ms: int = 9000) -> None:
    """Answer everything: gold at one level, the rest by the item, or at one level where `rest` says so."""
    held = Assignment.with_checks.filter(rater=rater, state="leased").order_by("sequence")
    while reserve(rater=rater) or held.exists():
        for card in held.all():
            level = answer["gold"] if card.purpose in ("gold", "check") else answer.get("rest", card.item_id % 5)
            dimension = card.study.dimensions.get()
            (image,) = images_as_shown(card)
            submit(
                assignment=card,
                answers=[Answer(dimension.pk, image, level)],
                answered_at=timezone.now(),
                active_ms=ms * (1 + card.sequence % 7) + card.sequence,
            )


def by_key(study: Study, rater: Rater) -> dict[str, object]:
    return {one.key: one for one in signals(work_of(study, [rater])[rater.pk])}


def test_a_careful_rater_passes_and_a_careless_one_stands_out() -> None:
    study = make_checked_study(30, **SHARES)
    careful, careless = make_rater(study), make_rater(study)
    rate(careful, {"gold": 0})
    rate(careless, {"gold": 4, "rest": 2}, ms=300)

    good, bad = by_key(study, careful), by_key(study, careless)

    assert good["gold"].text == "4/4"  # type: ignore[attr-defined]  # a Signal
    assert [one for one in good.values() if one.stands_out] == []  # type: ignore[attr-defined]  # a Signal
    assert bad["gold"].text == "0/4"  # type: ignore[attr-defined]  # a Signal
    assert {key for key, one in bad.items() if one.stands_out} >= {"gold", "speed", "straight"}  # type: ignore[attr-defined]  # a Signal
    assert all(one.reason for one in (*good.values(), *bad.values()))  # type: ignore[attr-defined]  # a Signal


def test_the_page_has_a_row_per_rater_and_no_score(client: Client) -> None:
    study = make_checked_study(12, **SHARES)
    rate(make_rater(study, name="anna"), {"gold": 0})
    client.force_login(study.owner)

    page = client.get(f"/study/{study.token}/raters/quality/").content.decode()

    assert "anna" in page
    assert "Gold items answered right" in page
    assert "suspicion" not in page.lower()


@pytest.mark.parametrize("n", [2, 8])
def test_queries_do_not_grow_with_the_raters(client: Client, n: int, django_assert_max_num_queries) -> None:  # type: ignore[no-untyped-def]  # a fixture of pytest-django
    study = make_checked_study(8, **SHARES)
    study.items.update(wanted=20)
    for _ in range(n):
        rate(make_rater(study), {"gold": 0})
    client.force_login(study.owner)
    with django_assert_max_num_queries(20):
        client.get(f"/study/{study.token}/raters/quality/")


def test_rules_are_registered_in_a_draft_alone_and_the_report_states_them(client: Client) -> None:
    study = make_study(state=Study.State.DRAFT, exclusion_rule="Robots are excluded.")
    client.force_login(study.owner)
    client.post(f"/study/{study.token}/raters/quality/rules/", {"gold_limit": 70, "gold_fewest": 5})
    study.refresh_from_db()

    assert declared_rule(Study.objects.get(pk=study.pk)) == (
        "Robots are excluded. Raters who answer fewer than 70% of at least 5 gold items right are excluded."
    )
    Study.objects.filter(pk=study.pk).update(state=Study.State.OPEN)
    with pytest.raises(ValidationError, match="fit the answers"):
        register_rules(study=study, rules=[], by=None)


def test_a_rule_needs_to_know_from_how_many_on_it_judges(client: Client) -> None:
    study = make_study(state=Study.State.DRAFT)
    client.force_login(study.owner)

    page = client.post(f"/study/{study.token}/raters/quality/rules/", {"gold_limit": 70}).content.decode()

    assert "Give the number from which the rule applies." in page


def test_applying_the_rules_excludes_who_breaks_them_with_the_reason() -> None:
    study = make_checked_study(20, **SHARES)
    Study.objects.filter(pk=study.pk).update(state=Study.State.DRAFT)
    register_rules(study=study, rules=[Rule("gold", 70, 3)], by=None)
    Study.objects.filter(pk=study.pk).update(state=Study.State.OPEN)
    study = Study.objects.get(pk=study.pk)
    careful, careless = make_rater(study), make_rater(study)
    rate(careful, {"gold": 0})
    rate(careless, {"gold": 4})

    assert apply_rules(study=study, by=study.owner, now=timezone.now()) == [careless]

    careless.refresh_from_db()
    assert careless.excluded_reason == "registered rule: 0 of 4 gold items right (0%)"
    assert apply_rules(study=study, by=study.owner, now=timezone.now()) == []
    assert Response.objects.filter(assignment__rater=careless).exists()


def test_too_few_checks_break_no_rule() -> None:
    assert Rule("gold", 70, 5).broken_by(Work(gold=[False] * 4)) == ""
    assert Rule("gold", 70, 5).broken_by(Work(gold=[False] * 5)) != ""
    assert Rule("fast", 50, 2).broken_by(Work(milliseconds=[1, 2], n_fast=2)) != ""
    assert Rule("fast", 50, 2).broken_by(Work(milliseconds=[1, 2], n_fast=1)) == ""


def test_one_careless_rater_in_five_is_found_with_the_stated_error_rates() -> None:
    """Simulated panels: careful raters pass gold with 95%, careless ones by chance (2 of 5 levels are right)."""
    rng = np.random.default_rng(13)
    rule, n_gold = Rule("gold", 70, 10), 20
    careful = [Work(gold=list(rng.random(n_gold) < 0.95)) for _ in range(800)]
    careless = [Work(gold=list(rng.random(n_gold) < 0.4)) for _ in range(200)]

    wrongly = sum(bool(rule.broken_by(work)) for work in careful) / len(careful)
    found = sum(bool(rule.broken_by(work)) for work in careless) / len(careless)

    # Exact binomials: P(X ≤ 13 | 20, 0.95) < 0.0001, P(X ≤ 13 | 20, 0.4) = 0.9935.
    assert wrongly <= 0.005
    assert found >= 0.97


def test_the_report_states_each_comparison_without_and_with_the_excluded() -> None:
    study = make_study(n_items=12, k=3, n_methods=2)
    first, second = sorted({image.method.name for item in study.items.all() for image in item.images.all()})
    for name, lifted in (("anna", 1), ("berta", 1), ("cleo", -3)):
        rater = make_rater(study, name=name)
        while reserve(rater=rater):
            for card in rater.assignments.filter(state="leased"):
                (image,) = card.item.images.all()
                level = 3 + (lifted if image.method.name == second else 0)
                answer = Answer(study.dimensions.get().pk, image.pk, max(0, level))
                submit(assignment=card, answers=[answer], answered_at=timezone.now())
    exclude_rater(rater=study.raters.get(name="cleo"), reason="slept", by=None)

    snapshot = dispatch.find_report(study=study, comparisons=[(first, second)], user=study.owner).snapshot

    assert snapshot is not None
    (found,) = snapshot.results["with_excluded"]
    # Without cleo every prompt differs by 1; with her by (1 + 1 - 3) / 3.
    assert found["without"]["value"] == pytest.approx(1.0)
    assert found["with_them"]["value"] == pytest.approx(-1 / 3)
    document = from_json(StudyDocument, snapshot.results)
    assert any("With the excluded raters" in line and "−0.33" in line for line in exclusion_notes(document))


def test_a_registered_rule_keeps_the_rate_of_false_findings() -> None:
    """2,000 simulated studies without any difference, 20% of raters careless: what the rule leaves is tested at 5%."""
    rng = np.random.default_rng(21)
    n_studies, n_prompts, n_raters, n_gold = 2000, 40, 10, 20
    rule = Rule("gold", 70, 10)
    is_careless = np.arange(n_raters) < n_raters // 5
    rejected, n_left_out = 0, []
    for _ in range(n_studies):
        right = rng.random((n_raters, n_gold)) < np.where(is_careless, 0.4, 0.95)[:, None]
        kept = np.array([not rule.broken_by(Work(gold=one.tolist())) for one in right])
        n_left_out.append(int((~kept).sum()))
        quality = rng.normal(0, 1, (n_prompts, 1, 1)) + rng.normal(0, 0.7, (n_prompts, 2, 1))
        careful = np.clip(np.round(2 + quality + rng.normal(0, 0.8, (n_prompts, 2, n_raters))), 0, 4)
        levels = np.where(is_careless, rng.integers(0, 5, (n_prompts, 2, n_raters)), careful)
        difference = np.diff(levels[:, :, kept].mean(axis=2), axis=1)[:, 0]
        rejected += ttest_1samp(difference, 0).pvalue < 0.05

    assert 0.04 <= rejected / n_studies <= 0.06
    assert 1.9 <= np.mean(n_left_out) <= 2.1  # the two careless ones
