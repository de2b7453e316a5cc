"""What a metric sees of an image file: what any viewer would show, prepared as torchvision prepares it for CLIP."""

import numpy as np
import pytest
from PIL import Image

from generation.engines.metrics.image_input import constant_batches, middle_square, pixel_values, read_image
from generation.recipes.contract import EngineError
from tests.engines.pictures import as_file, picture


def test_a_plain_image_is_read_as_it_is() -> None:
    image, notes = read_image(as_file(picture(1)))
    assert (image.mode, notes) == ("RGB", [])
    assert image.tobytes() == picture(1).tobytes()


def test_a_turned_photograph_is_seen_upright() -> None:
    original = picture(2, 30, 20)
    lying = original.rotate(90, expand=True)
    exif = Image.Exif()
    exif[0x0112] = 6  # "turn it by 90° clockwise"
    image, notes = read_image(as_file(lying, exif=exif))
    assert image.tobytes() == original.tobytes()
    assert notes == ["turned as its EXIF orientation says"]


def test_transparent_parts_are_white() -> None:
    clear = picture(3).convert("RGBA")
    clear.putalpha(0)
    image, notes = read_image(as_file(clear))
    assert image.getextrema() == ((255, 255), (255, 255), (255, 255))
    assert notes == ["its transparent parts were laid on white"]


def test_an_opaque_alpha_channel_changes_nothing() -> None:
    image, notes = read_image(as_file(picture(4).convert("RGBA")))
    assert (image.tobytes(), notes) == (picture(4).tobytes(), [])


@pytest.mark.parametrize("data", [b"", b"no image", as_file(picture(5))[:100]])
def test_a_broken_file_is_refused_with_a_cure(data: bytes) -> None:
    with pytest.raises(EngineError, match="cannot be read") as caught:
        read_image(data)
    assert (caught.value.scope, caught.value.cure) == ("step", "Draw or import it again.")


@pytest.mark.parametrize("size", [(64, 64), (100, 61), (61, 100), (33, 47)])
def test_images_are_prepared_as_torchvision_does_for_clip(size: tuple[int, int]) -> None:
    from generation.engines.torchvision_schema import prepare

    prepare()
    from torchvision import transforms

    usual = transforms.Compose(
        [
            transforms.Resize(32, interpolation=transforms.InterpolationMode.BICUBIC),
            transforms.CenterCrop(32),
            transforms.ToTensor(),
            transforms.Normalize((0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)),
        ]
    )
    square, notes = middle_square(picture(6, *size), 32)
    np.testing.assert_allclose(pixel_values(square), usual(picture(6, *size)).numpy(), atol=1e-6)
    assert bool(notes) == (size[0] != size[1])


def test_every_batch_has_the_same_size_and_every_item_its_turn() -> None:
    assert list(constant_batches([1, 2, 3, 4, 5], 2)) == [([1, 2], 2), ([3, 4], 2), ([5, 5], 1)]
    assert list(constant_batches([], 4)) == []
