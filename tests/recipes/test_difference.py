"""How different two images are said to be: by hand, and against SSIM's definition written out window by window."""

from io import BytesIO
from math import exp, inf, isnan, log10

import numpy as np
import pytest
from PIL import Image

from generation.recipes.difference import SCALE_WEIGHTS, difference, ms_ssim


def png(levels: np.ndarray) -> bytes:
    file = BytesIO()
    Image.fromarray(levels.astype(np.uint8)).save(file, "PNG")
    return file.getvalue()


def noisy(seed: int, side: int = 24, channels: int = 3) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (side, side, channels)).astype(np.float64)


def test_the_same_pixels_in_two_files_are_bit_equal() -> None:
    levels = noisy(1)
    other = BytesIO()
    Image.fromarray(levels.astype(np.uint8)).save(other, "PNG", compress_level=0)
    assert other.getvalue() != png(levels)
    found = difference(png(levels), other.getvalue())
    assert (found.bit_equal, found.max_level, found.share_differing, found.psnr) == (True, 0, 0, inf)
    assert found.structural_distance == pytest.approx(0, abs=1e-12)
    assert found.as_json()["psnr"] is None


def test_one_level_in_one_pixel_is_found() -> None:
    levels = np.full((20, 25, 3), 100.0)
    other = levels.copy()
    other[3, 4, 2] = 101
    found = difference(png(levels), png(other))
    # One of 20 · 25 pixels; a squared difference of 1 in one of 20 · 25 · 3 levels.
    assert not found.bit_equal
    assert found.max_level == 1
    assert found.share_differing == 1 / 500
    assert found.psnr == pytest.approx(10 * log10(255**2 * 1500))
    assert 0 < found.structural_distance < 0.01


def test_black_and_white_are_as_far_apart_as_can_be() -> None:
    found = difference(png(np.zeros((12, 12, 3))), png(np.full((12, 12, 3), 255.0)))
    assert (found.max_level, found.share_differing, found.psnr) == (255, 1, 0)
    # Luminance: C1 / (255² + C1) with C1 = (0.01 · 255)², so 0.0001 / 1.0001; contrast: 1, as neither has any.
    assert found.structural_distance == pytest.approx(1 - 0.0001 / 1.0001)


def test_an_alpha_channel_that_differs_is_a_difference() -> None:
    clear, solid = np.full((12, 12, 4), 90.0), np.full((12, 12, 4), 90.0)
    solid[:, :, 3] = 255
    assert difference(png(clear), png(solid)).max_level == 165
    assert difference(png(solid), png(solid[:, :, :3])).bit_equal


def test_two_sizes_are_said_and_nothing_is_made_up() -> None:
    found = difference(png(noisy(1, 16)), png(noisy(1, 17)))
    assert not found.bit_equal
    assert isnan(found.max_level)
    assert isnan(found.structural_distance)
    assert found.reason == "the images are of two sizes, 16 × 16 and 17 × 17"


def test_an_image_smaller_than_the_window_has_no_structural_distance() -> None:
    found = difference(png(noisy(1, 10)), png(noisy(2, 10)))
    assert isnan(found.structural_distance)
    assert "shorter than 11" in found.reason
    assert found.max_level > 100
    assert found.as_json()["structural_distance"] is None


def slow_factors(one: np.ndarray, other: np.ndarray) -> tuple[float, float]:
    """SSIM of one channel as Wang et al. 2004 define it, window by window: mean l·c·s, and mean c·s."""
    bell = [exp(-((i - 5) ** 2) / (2 * 1.5**2)) for i in range(11)]
    weights = np.array([[a * b for a in bell] for b in bell])
    weights /= weights.sum()
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    whole, structure = [], []
    for top in range(one.shape[0] - 10):
        for left in range(one.shape[1] - 10):
            x, y = one[top : top + 11, left : left + 11], other[top : top + 11, left : left + 11]
            mx, my = (weights * x).sum(), (weights * y).sum()
            vx, vy = (weights * (x - mx) ** 2).sum(), (weights * (y - my) ** 2).sum()
            both = (weights * (x - mx) * (y - my)).sum()
            structure.append((2 * both + c2) / (vx + vy + c2))
            whole.append(structure[-1] * (2 * mx * my + c1) / (mx**2 + my**2 + c1))
    return float(np.mean(whole)), float(np.mean(structure))


def test_ms_ssim_is_its_definition() -> None:
    one = noisy(3, 47, channels=2)
    other = np.clip(one + np.random.default_rng(4).normal(0, 40, one.shape), 0, 255)
    slow = []
    for channel in range(2):
        x, y, value = one[:, :, channel], other[:, :, channel], 1.0
        # 47 → 23 → 11: three scales.
        for scale, weight in enumerate(SCALE_WEIGHTS[:3]):
            if scale:
                n = len(x) // 2
                x, y = (z[: 2 * n, : 2 * n].reshape(n, 2, n, 2).mean(axis=(1, 3)) for z in (x, y))
            value *= slow_factors(x, y)[0 if scale == 2 else 1] ** (weight / sum(SCALE_WEIGHTS[:3]))
        slow.append(value)
    assert ms_ssim(one, other) == pytest.approx(np.mean(slow), abs=1e-12)


def test_more_noise_is_further_away_and_order_does_not_matter() -> None:
    one = np.kron(noisy(5, 6), np.ones((8, 8, 1)))
    noise = np.random.default_rng(6).normal(0, 1, one.shape)
    near, far = (np.clip(one + size * noise, 0, 255) for size in (2, 40))
    assert ms_ssim(one, near) > ms_ssim(one, far) > 0
    assert ms_ssim(one, far) == pytest.approx(ms_ssim(far, one), abs=1e-12)
    assert ms_ssim(one, 255 - one) < 0.1
