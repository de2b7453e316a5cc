"""Paired figures: a critic against its control, two critics, and the size of the exchange test."""

import numpy as np
import pytest

from annotations.stats.critic.audit import CANNOT_TELL, CRITIC, RIGHT, WRONG, WRONG_IMAGE, Audit
from annotations.stats.critic.comparison import above_control, compare_critics, paired_difference
from annotations.stats.critic.sums import precision


def rng():
    return np.random.default_rng(3)


def test_only_images_with_both_kinds_enter():
    audit = Audit(
        3,
        np.array([0, 0, 1, 1, 2, 2]),
        np.array([RIGHT, WRONG, RIGHT, WRONG, WRONG, CANNOT_TELL]),
        source=np.array([CRITIC, WRONG_IMAGE, CRITIC, WRONG_IMAGE, CRITIC, WRONG_IMAGE]),
    )
    result = above_control(audit, rng=rng())
    # Image 2's control claim has no verdict: the pair is incomplete, and its wrong claim must not pull one side down.
    assert (result.first.value, result.second.value, result.difference.value) == (1, 0, 1)
    assert result.difference.n["images"] == 2


def test_no_pair_at_all_is_undefined():
    audit = Audit(2, np.array([0, 1]), np.array([RIGHT, RIGHT]), source=np.array([CRITIC, WRONG_IMAGE]))
    result = above_control(audit, rng=rng())
    assert not result.difference.is_defined
    assert "no image carries both sides" in result.difference.reason
    assert np.isnan(result.p_value)


def test_a_critic_that_does_not_look_is_not_above_its_control():
    image = np.repeat(np.arange(60), 4)
    verdict = rng().choice([RIGHT, WRONG], size=240)
    audit = Audit(60, image, verdict, source=np.tile([CRITIC, CRITIC, WRONG_IMAGE, WRONG_IMAGE], 60))
    result = above_control(audit, rng=rng())
    interval = result.difference.interval("images")
    assert interval.low < 0 < interval.high
    assert result.p_value > 0.05


def test_p_is_never_zero():
    n = 200
    audit = Audit(
        n,
        np.repeat(np.arange(n), 2),
        np.tile([RIGHT, WRONG], n),
        source=np.tile([CRITIC, WRONG_IMAGE], n),
    )
    result = above_control(audit, rng=rng(), n_permutations=99)
    assert result.p_value == pytest.approx(1 / 100)


def test_p_by_counting_every_exchange():
    """Three images: eight exchanges, of which the observed one and its mirror image are as large: p → 2/8."""
    first, second = np.array([[2.0, 2], [1, 1], [2, 2]]), np.array([[0.0, 2], [0, 1], [0, 2]])
    result = paired_difference(
        "share", precision, first, second, method="", rng=rng(), n_resamples=50, n_permutations=20_000
    )
    assert result.p_value == pytest.approx(2 / 8, abs=0.01)


def test_pairing_narrows_the_interval_where_images_differ():
    """Hard and easy images shift both sides: their difference varies much less than either."""
    generator = rng()
    ease = generator.beta(1, 1, 200)
    sums = [np.stack([generator.binomial(6, ease), np.full(200, 6)], axis=1).astype(float) for _ in range(2)]
    result = paired_difference("share", precision, *sums, method="", rng=generator, n_permutations=9)
    alone = result.first.interval("images")
    together = result.difference.interval("images")
    assert together.high - together.low < alone.high - alone.low


def test_exchange_test_has_its_size():
    """300 comparisons without a difference: 5% ± 3.3% (2.6 standard errors) are significant at 5%."""
    generator = np.random.default_rng(99)
    rejected = 0
    for _ in range(300):
        ease = generator.beta(2, 1, 40)
        judged = 1 + generator.poisson(2, (2, 40))
        sums = [np.stack([generator.binomial(n, ease), n], axis=1).astype(float) for n in judged]
        result = paired_difference(
            "share", precision, *sums, method="", rng=generator, n_resamples=30, n_permutations=199
        )
        rejected += result.p_value <= 0.05
    assert 0.017 <= rejected / 300 <= 0.083


def test_two_critics_on_the_same_images():
    first = Audit(4, np.array([0, 1, 2, 3]), np.array([RIGHT, RIGHT, RIGHT, WRONG]), missed_image=np.array([3]))
    second = Audit(4, np.array([0, 1, 2]), np.array([RIGHT, WRONG, WRONG]), missed_image=np.array([1, 2, 3]))
    results = compare_critics(first, second, rng=rng(), n_resamples=200, n_permutations=99)
    assert results["precision"].difference.value == pytest.approx(3 / 4 - 1 / 3)
    assert results["recall"].difference.value == pytest.approx(3 / 4 - 1 / 4)
    swapped = compare_critics(second, first, rng=rng(), n_resamples=200, n_permutations=99)
    assert swapped["f1"].difference.value == pytest.approx(-results["f1"].difference.value)


def test_critics_with_other_images_are_refused():
    one = Audit(2, np.array([0]), np.array([RIGHT]))
    with pytest.raises(ValueError, match="images both saw"):
        compare_critics(one, Audit(3, np.array([0]), np.array([RIGHT])), rng=rng())
