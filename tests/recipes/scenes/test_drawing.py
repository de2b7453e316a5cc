"""The demo's pictures: do the pixels say what the record says?"""

import io
import time

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from generation.recipes.scenes.demo import DemoStudy, demo
from generation.recipes.scenes.drawing import SIZE, draw
from generation.recipes.scenes.errors import SceneError, candidates, located, shown
from generation.recipes.scenes.grammar import write_prompts
from generation.recipes.scenes.layout import lay_out
from generation.recipes.scenes.scene import CATEGORIES, COLOURS, Scene, stream

TOLERANCE = 8
"""Levels by which a sampled colour may differ: shading is flat at mid-height, resampling blurs a little."""


@pytest.fixture(scope="module")
def study() -> DemoStudy:
    return demo(21, 12)


def pixels(png: bytes) -> NDArray[np.int64]:
    return np.asarray(Image.open(io.BytesIO(png)), dtype=np.int64)


def centre_colours(scene: Scene, picture: NDArray[np.int64]) -> dict[str, list[NDArray[np.int64]]]:
    """The colour at the centre of every thing, by entity."""
    return {
        key: [picture[min(round(y * SIZE), SIZE - 1), min(round(x * SIZE), SIZE - 1)] for x, y, _ in spots]
        for key, spots in lay_out(scene).items()
    }


def is_colour(sampled: NDArray[np.int64], colour: str) -> bool:
    return bool(np.abs(sampled - np.array(COLOURS[colour])).max() <= TOLERANCE)


def test_a_picture_is_a_512_pixel_rgb_png_and_the_same_each_time(study: DemoStudy) -> None:
    png = study.images[0].draw()
    picture = Image.open(io.BytesIO(png))
    assert (picture.format, picture.mode, picture.size) == ("PNG", "RGB", (512, 512))
    assert png == study.images[0].draw()


@pytest.mark.slow
def test_centres_have_the_colour_that_the_scene_shows(study: DemoStudy) -> None:
    for image in study.images:
        sampled = centre_colours(image.shows, pixels(image.draw()))
        for entity in (*image.shows.entities, *image.shows.extras):
            shows = [is_colour(colour, entity.colour) for colour in sampled[entity.id]]
            if entity.id in image.shows.absent:
                assert not any(shows), (image.key, entity)
            else:
                assert all(shows), (image.key, entity, sampled[entity.id])
                assert len(shows) == entity.count


@pytest.mark.slow
@pytest.mark.parametrize("category", CATEGORIES)
def test_each_error_changes_the_picture_where_its_box_says(category: str) -> None:
    for index, prompt in enumerate(write_prompts(22, category, 4)):
        right = pixels(draw(prompt.scene))
        for error in candidates(prompt.scene, stream(22, 97, index)):
            changed = np.abs(pixels(draw(shown(prompt.scene, [error]))) - right).max(axis=2) > 24
            x0, y0, x1, y1 = (round(edge * SIZE) for edge in box_of(prompt.scene, error))
            assert changed[y0:y1, x0:x1].sum() >= 60, (prompt.key, error)


def box_of(scene: Scene, error: SceneError) -> tuple[float, float, float, float]:
    box = located(scene, [error])[0].box
    assert box is not None
    return box


@pytest.mark.slow
def test_backgrounds_are_neutral(study: DemoStudy) -> None:
    for image in study.images[::2]:
        corner = pixels(image.draw())[:6, :6].reshape(-1, 3)
        assert np.ptp(corner, axis=1).max() < 30
        assert corner.min() > 150


def test_a_placebo_is_the_baseline_to_the_byte(study: DemoStudy) -> None:
    baselines = {image.key: image for image in study.images}
    assert len(study.placebos) == 3 * 3
    for placebo in study.placebos[:2]:
        assert placebo.parent_key is not None
        assert placebo.draw() == baselines[placebo.parent_key].draw()


@pytest.mark.slow
def test_120_pictures_take_less_than_20_seconds_of_one_core(study: DemoStudy) -> None:
    start = time.process_time()
    for image in study.images[:24]:
        image.draw()
    assert (time.process_time() - start) * 120 / 24 < 20
