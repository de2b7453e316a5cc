import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from annotations.stats.comparison.group_sequential import group_sequential, spending_bounds
from annotations.stats.comparison.sequential import ConfidenceSequence, confidence_sequence, tuning


def slow_betting(d: list[float], bound: float, alpha: float) -> list[tuple[float, float]]:
    """Hedged capital, one mean and one prompt at a time; the same grid of 401 means."""
    grid = [-1 + 2 * k / 400 for k in range(401)]
    up, down, alive = [1.0] * 401, [1.0] * 401, [True] * 401
    seen, spread, bounds = 0.0, 1.0, []
    for i, value in enumerate(d, start=1):
        x = value / bound
        bet = np.sqrt(2 * np.log(2 / alpha) / (spread / i * i * np.log(i + 1)))
        for k, m in enumerate(grid):
            own = min(bet, 0.75 / (1 + abs(m)))
            up[k] *= 1 + own * (x - m)
            down[k] *= 1 - own * (x - m)
            alive[k] = alive[k] and (up[k] + down[k]) / 2 < 1 / alpha
        seen += x
        spread += (x - seen / (i + 1)) ** 2
        kept = [m for m, ok in zip(grid, alive, strict=True) if ok]
        bounds.append((max(-1, kept[0] - 1 / 200) * bound, min(1, kept[-1] + 1 / 200) * bound))
    return bounds


@settings(max_examples=10, deadline=None)
@given(st.lists(st.integers(-4, 4), min_size=1, max_size=60))
def test_betting_equals_its_definition(values: list[int]) -> None:
    got = confidence_sequence(np.array(values, dtype=float), bound=4)
    slow = slow_betting([float(v) for v in values], 4.0, 0.05)
    lows = np.maximum.accumulate([low for low, _ in slow])
    highs = np.minimum.accumulate([high for _, high in slow])
    assert got.low == pytest.approx(lows, abs=1e-6)
    assert got.high == pytest.approx(highs, abs=1e-6)


def stopped(kind: str, draw: np.ndarray) -> list[ConfidenceSequence]:
    return [confidence_sequence(row, bound=4, kind=kind) for row in draw]


@pytest.mark.slow
def test_the_error_rate_holds_however_often_one_looks() -> None:
    """250 null studies of 300 very skewed differences, looked at after every prompt: at most 5% stop."""
    rng = np.random.default_rng(4)
    # Mean 0: 0.05 · 1.6 = 0.4 · 0.2
    draw = rng.choice([-0.2, 0.0, 1.6], p=[0.4, 0.55, 0.05], size=(250, 300))
    errors = [one.stopped_at is not None for one in stopped("bounded", draw)]
    assert np.mean(errors) <= 0.05
    # A paired t test looked at as often is wrong several times as often: the reason for all this.
    t = draw.cumsum(axis=1) / np.sqrt(np.maximum((draw**2).cumsum(axis=1), 1e-9))
    assert np.mean((np.abs(t[:, 19:]) > 1.96).any(axis=1)) > 0.2


def test_the_asymptotic_sequence_holds_for_symmetric_differences() -> None:
    rng = np.random.default_rng(6)
    draw = np.clip(np.rint(rng.normal(0, 0.8, (400, 600)) * 5) / 5, -4, 4)
    errors = np.mean([one.stopped_at is not None for one in stopped("asymptotic", draw)])
    assert errors <= 0.05 + 4 * np.sqrt(0.05 * 0.95 / 400)


def test_a_real_difference_is_found_and_named() -> None:
    rng = np.random.default_rng(1)
    d = np.clip(np.rint(rng.normal(0.4, 0.8, 400) * 5) / 5, -4, 4)
    for kind in ("bounded", "asymptotic"):
        got = confidence_sequence(d, bound=4, kind=kind)
        assert got.decision == "refined"
        assert got.stopped_at is not None
        assert got.stopped_at < 200
        assert got.low[-1] < 0.4 < got.high[-1]
        back = confidence_sequence(-d, bound=4, kind=kind)
        assert back.decision == "baseline"
        assert back.stopped_at == got.stopped_at


def test_no_difference_stays_undecided() -> None:
    got = confidence_sequence(np.zeros(100), bound=4)
    assert got.decision == "undecided"
    assert got.stopped_at is None
    empty = confidence_sequence(np.zeros(0), bound=4)
    assert empty.reason
    assert empty.decision == "undecided"


def test_no_look_before_the_first() -> None:
    got = confidence_sequence(np.tile([0.9, 1.1], 60), bound=4, kind="asymptotic", first_look=100)
    assert np.isinf(got.low[:99]).all()
    assert got.stopped_at == 100


def test_tuning_is_tightest_where_it_was_aimed() -> None:
    t = np.arange(1, 400)
    rho2 = tuning(100, 0.05) ** 2
    half = np.sqrt(2 * (t * rho2 + 1) / (t**2 * rho2) * np.log(np.sqrt(t * rho2 + 1) / 0.05))
    for other in (0.7, 1.4):
        r = rho2 * other
        assert half[99] < np.sqrt(2 * (100 * r + 1) / (100**2 * r) * np.log(np.sqrt(100 * r + 1) / 0.05))
    # Against the fixed-n interval, 1.96/√n.
    assert half[99] / (1.96 / 10) == pytest.approx(1.5, abs=0.1)


def test_malformed_arguments() -> None:
    with pytest.raises(ValueError, match="beyond ±4"):
        confidence_sequence(np.array([5.0]), bound=4)
    with pytest.raises(ValueError, match="missing"):
        confidence_sequence(np.array([np.nan]), bound=4)
    with pytest.raises(ValueError, match="alpha"):
        confidence_sequence(np.array([1.0]), bound=4, alpha=1.5)


def test_published_group_sequential_bounds() -> None:
    # Five equal looks, two-sided 5%, as printed by the program of Reboussin, DeMets, Kim and Lan (2000) and ldbounds.
    looks = [0.2, 0.4, 0.6, 0.8, 1.0]
    assert spending_bounds(looks) == pytest.approx([4.8769, 3.3570, 2.6803, 2.2898, 2.0310], abs=1e-4)
    pocock = spending_bounds(looks, spending="pocock")
    assert pocock == pytest.approx([2.4380, 2.4268, 2.4102, 2.3966, 2.3860], abs=1e-4)


def test_one_look_is_the_fixed_test() -> None:
    assert spending_bounds([1.0]) == pytest.approx([1.959963984540054])


def test_group_sequential_spends_five_percent() -> None:
    """8,000 Brownian motions at the looks: the share that leaves the bounds is alpha within 4 standard errors."""
    rng = np.random.default_rng(9)
    looks = np.array([0.25, 0.5, 1.0])
    z = rng.normal(size=(8000, 3)) * np.sqrt(np.diff(np.concatenate(([0], looks))))
    z = z.cumsum(axis=1) / np.sqrt(looks)
    crossed = (np.abs(z) > spending_bounds(looks.tolist())).any(axis=1)
    assert abs(crossed.mean() - 0.05) < 4 * np.sqrt(0.05 * 0.95 / 8000)


def test_looks_use_the_paired_t_test_and_stay_crossed() -> None:
    d = np.random.default_rng(2).normal(0.5, 1, 120)
    got = group_sequential(d, [50, 100, 150], planned=150)
    assert [look.n for look in got] == [50, 100]
    assert got[0].crossed == (got[0].p <= got[0].nominal_p)
    assert got[1].crossed
    for bad in ([100, 50], [0, 10], [50, 200]):
        with pytest.raises(ValueError, match="ascend"):
            group_sequential(d, bad, planned=150)
