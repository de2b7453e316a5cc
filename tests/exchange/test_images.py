"""Images from outside: taken by content, refused with the cure, shown as nothing but pixels."""

import hashlib
import io
import struct
import warnings
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms, ImageDraw
from PIL.PngImagePlugin import PngInfo

from exchange.images import MAX_SIDE, check_image, shown_pixels, shown_rendition
from exchange.rejects import BadFile

from .pictures import encoded, opened, picture, with_odd_exif

RED, BLUE, WHITE = (255, 0, 0), (0, 0, 255), (255, 255, 255)


def refusal(data: bytes | Path, **options: int) -> str:
    with pytest.raises(BadFile) as caught:
        check_image(data, **options)
    assert caught.value.reject.cure
    return str(caught.value)


def declaring(width: int, height: int) -> bytes:
    """A PNG whose header declares this size, with hardly any pixels behind it."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 64)) + chunk(b"IEND", b"")
    )


# Pillow warns from 89 million pixels on; we refuse from 64 million on, warned or not.
pytestmark = pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")


class TestCheck:
    @pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
    def test_taken_by_content_whatever_the_name(self, kind: str, tmp_path: Path) -> None:
        content = picture(kind=kind)
        path = tmp_path / "image.txt"
        path.write_bytes(content)
        for data in (content, path):
            checked = check_image(data)
            assert (checked.format, checked.width, checked.height, checked.n_bytes) == (kind, 8, 6, len(content))
            assert checked.sha256 == hashlib.sha256(content).hexdigest()

    def test_size_is_as_shown(self) -> None:
        exif = Image.Exif()
        exif[0x0112] = 6
        checked = check_image(picture((8, 6), "JPEG", exif=exif))
        assert (checked.width, checked.height) == (6, 8)

    @pytest.mark.parametrize(
        ("content", "what"),
        [
            (picture(kind="GIF"), "a GIF"),
            (picture(kind="BMP"), "a BMP"),
            (picture(kind="TIFF"), "a TIFF"),
            (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "an SVG"),
            (b"<!DOCTYPE html><script>", "HTML"),
            (b"\0\0\0\x1cftypavif", "AVIF"),
            (b"hello", "not an image that can be read"),
            (b"", "empty"),
        ],
    )
    def test_other_formats_are_named(self, content: bytes, what: str) -> None:
        assert what in refusal(content)

    @pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
    def test_cut_short_anywhere(self, kind: str) -> None:
        noise = Image.fromarray(np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8))
        content = encoded(noise, kind)
        for share in (0.05, 0.3, 0.6, 0.9):
            refusal(content[: int(len(content) * share)])

    def test_flipped_bits_in_a_png(self) -> None:
        content = bytearray(picture((64, 64)))
        content[60] ^= 0xFF
        assert "damaged" in refusal(bytes(content))

    def test_bombs_are_seen_from_the_header(self) -> None:
        for width, height in ((10_000, 10_000), (16_000, 16_000), (60_000, 60_000), (2**31 - 1, 2**31 - 1)):
            words = refusal(declaring(width, height))
            assert "too large" in words
            assert "64 million pixels" in words
        assert "too large" in refusal(picture((20, 20)), max_pixels=399)
        assert "too large" in refusal(declaring(MAX_SIDE + 1, 1))

    def test_zero_size(self) -> None:
        refusal(declaring(0, 5))

    def test_too_many_bytes(self, tmp_path: Path) -> None:
        path = tmp_path / "i.png"
        path.write_bytes(picture())
        assert "more than" in refusal(path, max_bytes=20)
        assert "more than" in refusal(path.read_bytes(), max_bytes=20)

    @pytest.mark.parametrize("kind", ["PNG", "WEBP"])
    def test_animations(self, kind: str) -> None:
        frames = [Image.new("RGB", (4, 4), colour) for colour in ("red", "blue")]
        assert "animated" in refusal(encoded(frames[0], kind, save_all=True, append_images=frames[1:]))

    def test_a_path_that_is_not_there(self, tmp_path: Path) -> None:
        assert "cannot be read" in refusal(tmp_path / "none.png")


class TestShown:
    @pytest.mark.parametrize("kind", ["PNG", "WEBP"])
    def test_pixels_are_kept_exactly_and_always_in_the_same_container(self, kind: str) -> None:
        noise = Image.fromarray(np.random.default_rng(1).integers(0, 255, (33, 47, 3), dtype=np.uint8))
        shown = shown_rendition(encoded(noise, kind, **({"lossless": True} if kind == "WEBP" else {})))
        assert shown[:4] + shown[8:12] == b"RIFFWEBP"
        assert shown[12:16] == b"VP8L"
        np.testing.assert_array_equal(np.asarray(opened(shown)), np.asarray(noise))

    def test_the_same_pixels_from_any_file_give_the_same_bytes(self) -> None:
        image = opened(picture())
        text = PngInfo()
        text.add_text("parameters", "method: refined, seed 7")
        plain = shown_rendition(encoded(image))
        assert shown_rendition(encoded(image, pnginfo=text, dpi=(300, 300))) == plain
        assert shown_rendition(encoded(image, "WEBP", lossless=True, xmp=b"<x>secret</x>")) == plain
        assert shown_rendition(encoded(image, compress_level=0)) == plain

    def test_no_metadata_is_left(self) -> None:
        exif = Image.Exif()
        exif[0x010E] = "made by method X"
        srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
        for kind in ("PNG", "JPEG", "WEBP"):
            shown = shown_rendition(picture(kind=kind, exif=exif, icc_profile=srgb))
            assert b"method X" not in shown
            assert not {"exif", "icc_profile", "xmp"} & set(opened(shown).info)

    @pytest.mark.parametrize("orientation", range(1, 9))
    def test_orientation_is_applied(self, orientation: int) -> None:
        exif = Image.Exif()
        exif[0x0112] = orientation
        image = Image.new("RGB", (8, 4), WHITE)
        ImageDraw.Draw(image).rectangle((0, 0, 3, 1), RED)  # the upper left quarter as stored
        shown = opened(shown_rendition(encoded(image, exif=exif)))
        corners = {
            (0, 0): "upper left", (shown.width - 1, 0): "upper right",
            (0, shown.height - 1): "lower left", (shown.width - 1, shown.height - 1): "lower right",
        }  # fmt: skip
        red = [name for corner, name in corners.items() if shown.getpixel(corner) == RED]
        # TIFF 6.0, tag 274: where row 0 and column 0 of the stored pixels lie when shown.
        expected = [
            "upper left", "upper right", "lower right", "lower left",
            "upper left", "upper right", "lower right", "lower left",
        ]  # fmt: skip
        assert red == [expected[orientation - 1]]
        assert shown.size == ((4, 8) if orientation >= 5 else (8, 4))

    def test_other_colour_spaces_become_srgb(self) -> None:
        lab_profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
        image = Image.new("RGB", (2, 2), (200, 30, 30))
        # A profile of another mode than the picture's cannot be applied: the colours stay.
        assert opened(shown_rendition(encoded(image, icc_profile=lab_profile))).getpixel((0, 0)) == (200, 30, 30)
        assert opened(shown_rendition(encoded(image, icc_profile=b"broken"))).getpixel((0, 0)) == (200, 30, 30)
        converted = opened(shown_rendition(encoded(image, icc_profile=swapped_profile()))).getpixel((0, 0))
        assert isinstance(converted, tuple)
        assert converted[2] > 180 > 60 > converted[0], "the profile says that the first channel is blue"

    def test_transparency_lies_on_white(self) -> None:
        image = Image.new("RGBA", (3, 1), (*RED, 255))
        image.putpixel((1, 0), (*RED, 0))
        image.putpixel((2, 0), (0, 0, 0, 128))
        shown = opened(shown_rendition(encoded(image)))
        assert shown.mode == "RGB"
        assert [shown.getpixel((x, 0)) for x in range(3)] == [RED, WHITE, (127, 127, 127)]

    def test_palettes_with_and_without_transparency(self) -> None:
        shown = opened(shown_rendition(picture(mode="P")))
        assert (shown.getpixel((0, 0)), shown.getpixel((7, 5))) == (RED, BLUE)
        index = opened(picture(mode="P")).getpixel((0, 0))
        shown = opened(shown_rendition(picture(mode="P", transparency=index)))
        assert (shown.getpixel((0, 0)), shown.getpixel((7, 5))) == (WHITE, BLUE)

    def test_16_bit_grey_is_scaled(self) -> None:
        image = Image.fromarray(np.array([[0, 257 * 100, 65535]], dtype=np.uint16))
        shown = opened(shown_rendition(encoded(image)))
        assert [shown.getpixel((x, 0)) for x in range(3)] == [(0, 0, 0), (100, 100, 100), (255, 255, 255)]

    def test_every_16_bit_level_goes_to_the_nearest_of_8_bits(self) -> None:
        levels = np.arange(65536, dtype=np.uint16).reshape(256, 256)
        shown = np.asarray(opened(shown_rendition(encoded(Image.fromarray(levels)))))[..., 0]
        assert np.array_equal(shown, np.rint(levels.astype(float) / 257))

    @pytest.mark.parametrize(
        ("mode", "kind"), [("L", "PNG"), ("1", "PNG"), ("LA", "PNG"), ("CMYK", "JPEG"), ("L", "JPEG")]
    )
    def test_every_mode_becomes_rgb(self, mode: str, kind: str) -> None:
        shown = opened(shown_rendition(picture(mode=mode, kind=kind)))
        assert (shown.mode, shown.size) == ("RGB", (8, 6))

    def test_refuses_what_the_check_refuses(self) -> None:
        with pytest.raises(BadFile):
            shown_rendition(declaring(10_000, 10_000))
        with pytest.raises(BadFile):
            shown_rendition(picture()[:-30])


def swapped_profile() -> bytes:
    """An sRGB profile whose red and blue primaries are exchanged: rXYZ and bXYZ change names in the tag table."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return profile.replace(b"rXYZ", b"tXYZ", 1).replace(b"bXYZ", b"rXYZ", 1).replace(b"tXYZ", b"bXYZ", 1)


def test_pictures_helper_is_not_a_tautology() -> None:
    assert Image.open(io.BytesIO(picture())).getpixel((0, 0)) == RED


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_odd_metadata_are_reported_by_us_and_warn_of_nothing(kind: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert check_image(with_odd_exif(kind)).has_odd_metadata
        shown_pixels(with_odd_exif(kind))
        assert not check_image(picture((8, 6), kind)).has_odd_metadata
