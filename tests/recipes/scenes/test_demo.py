"""The demo study's rates against the ones it is built with: exact binomial bounds at a fixed seed."""

import numpy as np
import pytest
from scipy.stats import binom, mannwhitneyu

from generation.recipes.scenes.critic import CRITIC, MAX_REFINED_WORDS, RECALL, WRONG_IMAGE_CRITIC, refined_prompt
from generation.recipes.scenes.demo import (
    METRIC_CORRELATIONS,
    QUALITY_MEAN,
    QUALITY_SD,
    DemoStudy,
    demo,
)
from generation.recipes.scenes.errors import (
    BREAK_PROBABILITY,
    ERROR_COUNT_PROBABILITIES,
    MEND_IF_CLAIMED,
    MEND_IF_NOT_CLAIMED,
    refined_errors,
)
from generation.recipes.scenes.scene import stream


@pytest.fixture(scope="module")
def study() -> DemoStudy:
    return demo(2, 500)


def within(successes: int, trials: int, probability: float) -> bool:
    """Inside the central 99.9% of the exact binomial distribution."""
    low, high = binom.interval(0.999, trials, probability)
    return bool(low <= successes <= high)


@pytest.mark.slow
def test_the_number_of_baseline_errors_has_its_distribution(study: DemoStudy) -> None:
    counts = [len(image.errors) for image in study.images[::2]]
    for number, probability in enumerate(ERROR_COUNT_PROBABILITIES):
        assert within(counts.count(number), len(counts), probability)


def test_the_critic_finds_errors_at_its_recall(study: DemoStudy) -> None:
    n_errors = sum(len(image.errors) for image in study.images[::2])
    right = sum(claim.is_right for critique in study.critiques for claim in critique.claims)
    assert within(right, n_errors, RECALL)


def test_the_critic_is_right_at_its_precision(study: DemoStudy) -> None:
    claims = [claim for critique in study.critiques for claim in critique.claims]
    assert within(sum(claim.is_right for claim in claims), len(claims), 0.75)


def test_claims_tell_the_truth_about_the_truth(study: DemoStudy) -> None:
    for image, critique in zip(study.images[::2], study.critiques, strict=True):
        true = {error.same_as for error in image.errors}
        assert critique.image_key == critique.shown_image_key == image.key
        assert critique.critic == CRITIC
        named = [claim.error.same_as for claim in critique.claims if claim.error is not None]
        assert len(named) == len(set(named))
        assert set(named) <= true
        for claim in critique.claims:
            assert claim.is_right == (claim.error is not None)
            assert 0 <= claim.confidence <= 1
        spoiled = {error.about for error in image.errors}
        assert all(claim.is_right or claim.about not in spoiled for claim in critique.claims)


def test_claims_make_a_numbered_list(study: DemoStudy) -> None:
    for critique in study.critiques:
        assert [claim.rank for claim in critique.claims] == list(range(1, len(critique.claims) + 1))
        if critique.claims:
            assert critique.text.splitlines() == [f"{claim.rank}. {claim.text}" for claim in critique.claims]
        else:
            assert critique.text == "Nothing in this picture contradicts the prompt."


def test_confidence_is_mildly_informative(study: DemoStudy) -> None:
    claims = [claim for critique in study.critiques for claim in critique.claims]
    right = [claim.confidence for claim in claims if claim.is_right]
    wrong = [claim.confidence for claim in claims if not claim.is_right]
    area = mannwhitneyu(right, wrong).statistic / (len(right) * len(wrong))
    assert 0.68 < area < 0.85


def test_the_refined_prompt_begins_with_the_original_and_has_at_most_70_words(study: DemoStudy) -> None:
    for prompt, critique in zip(study.prompts, study.critiques, strict=True):
        assert critique.refined_prompt.startswith(prompt.text)
        assert len(critique.refined_prompt.split()) <= 70
        assert (critique.refined_prompt == prompt.text) == (not critique.claims)


def test_corrections_beyond_70_words_are_dropped_whole() -> None:
    prompt, sentence = "A red circle above a blue square.", "The circle is clearly above the square, not below it."
    refined = refined_prompt(prompt, [sentence] * 12)  # 7 words, then 10 each: six fit into 70
    assert refined == " ".join([prompt] + [sentence] * 6)
    assert len(refined.split()) == 67 <= MAX_REFINED_WORDS


def test_errors_are_fixed_at_the_known_rates(study: DemoStudy) -> None:
    fixed = {True: 0, False: 0}
    totals = {True: 0, False: 0}
    for link, critique in zip(study.links, study.critiques, strict=True):
        claimed = {claim.error.same_as for claim in critique.claims if claim.error is not None}
        for error in (*link.mended, *link.unchanged):
            totals[error.same_as in claimed] += 1
            fixed[error.same_as in claimed] += error in link.mended
    assert within(fixed[True], totals[True], MEND_IF_CLAIMED)
    assert within(fixed[False], totals[False], MEND_IF_NOT_CLAIMED)
    assert within(fixed[True] + fixed[False], totals[True] + totals[False], 0.65)


def test_refining_breaks_something_new_at_the_known_rate(study: DemoStudy) -> None:
    assert {len(link.broken) for link in study.links} == {0, 1}
    assert within(sum(len(link.broken) for link in study.links), len(study.links), BREAK_PROBABILITY)


def test_links_account_for_every_error(study: DemoStudy) -> None:
    images = {image.key: image for image in study.images}
    for link in study.links:
        baseline, refined = images[link.baseline_key], images[link.refined_key]
        assert refined.parent_key == baseline.key
        assert (baseline.round, refined.round) == (0, 1)
        assert set(link.mended) | set(link.unchanged) == set(baseline.errors)
        assert {e.same_as for e in (*link.unchanged, *link.broken)} == {e.same_as for e in refined.errors}


def test_a_claim_counts_as_repaired_when_its_error_was_fixed(study: DemoStudy) -> None:
    outcomes = []
    for link, critique in zip(study.links, study.critiques, strict=True):
        for claim in critique.claims:
            assert link.repaired(claim) == (None if claim.error is None else claim.error in link.mended)
            outcomes.append(link.repaired(claim))
    assert {True, False, None} == set(outcomes)


def test_nothing_claimed_and_nothing_wrong_leaves_a_picture_as_it_was() -> None:
    scene = demo(0, 1).prompts[0].scene
    unbroken = [refined_errors(scene, (), (), stream(0, 96, i)) for i in range(400)]
    assert within(sum(bool(errors) for errors in unbroken), 400, BREAK_PROBABILITY)


def test_the_wrong_image_critic_is_right_only_by_chance(study: DemoStudy) -> None:
    keys = {image.key for image in study.images}
    for control in study.controls:
        assert control.critic == WRONG_IMAGE_CRITIC
        assert control.shown_image_key in keys - {control.image_key}
    claims = [claim for control in study.controls for claim in control.claims]
    floor = sum(claim.is_right for claim in claims) / len(claims)
    assert 0.03 < floor < 0.13


def test_metrics_correlate_with_the_truth_as_stated(study: DemoStudy) -> None:
    quality = np.array([image.quality for image in study.images])
    assert quality.mean() == pytest.approx(QUALITY_MEAN, abs=4 * QUALITY_SD / np.sqrt(len(quality) / 2))
    assert quality.std() == pytest.approx(QUALITY_SD, abs=0.04)
    assert len(study.scores) == 3 * len(quality)
    for metric, correlation in METRIC_CORRELATIONS.items():
        values = [score.value for score in study.scores if score.metric == metric]
        # Fisher's z has a standard error of 1/sqrt(n − 3); 4 of them.
        z = np.arctanh(np.corrcoef(quality, values)[0, 1]) - np.arctanh(correlation)
        assert abs(z) < 4 / np.sqrt(len(values) - 3)


def test_everything_says_that_it_is_simulated(study: DemoStudy) -> None:
    assert all(image.method.startswith("simulated ") for image in (*study.images, *study.placebos))
    assert all(critique.critic.startswith("simulated ") for critique in (*study.critiques, *study.controls))
    assert all(score.metric.startswith("sim_") and "simulated" in score.version for score in study.scores)
