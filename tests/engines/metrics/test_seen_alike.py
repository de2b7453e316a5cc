"""Odd words about a picture never cost the picture, and everybody sees the same pixels."""

import io
import struct
import zlib
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from exchange.images import CONVERTED, ON_WHITE, SCALED, TURNED, check_image, shown_rendition
from exchange.rejects import BadFile
from generation.engines.metrics.image_input import as_seen, read_image
from tests.exchange.pictures import encoded, opened

CASES = Path(__file__).resolve().parents[2] / "data" / "files"
RED, GREEN = (250, 0, 0), (10, 200, 30)
FORMATS = ("PNG", "JPEG", "WEBP")

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:PIL")


def halves() -> Image.Image:
    """40 × 24: the left half red, the right half green."""
    image = Image.new("RGB", (40, 24), RED)
    image.paste(GREEN, (20, 0, 40, 24))
    return image


def exif_block(*entries: tuple[int, int, bytes]) -> bytes:
    """An EXIF block whose first directory has these (tag, type, four bytes of value), however odd."""
    directory = struct.pack("<H", len(entries))
    for tag, kind, value in entries:
        directory += struct.pack("<HHI", tag, kind, 1) + value.ljust(4, b"\0")[:4]
    return b"Exif\0\0II*\0" + struct.pack("<I", 8) + directory + struct.pack("<I", 0)


ORIENTATION_6 = (0x0112, 3, struct.pack("<H", 6))


def seen_alike(content: bytes) -> tuple[np.ndarray, list[str]]:
    """The pixels that raters and metrics see, after comparing them, and the notes."""
    image, notes = read_image(content)
    rendition = opened(shown_rendition(content))
    assert image.mode == rendition.mode == "RGB"
    np.testing.assert_array_equal(np.asarray(image), np.asarray(rendition))
    checked = check_image(content)
    assert (checked.width, checked.height) == image.size
    return np.asarray(image).astype(int), notes


def assert_near(pixel: np.ndarray, colour: tuple[int, int, int]) -> None:
    np.testing.assert_allclose(pixel, colour, atol=4)  # JPEG and lossy WebP


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("dpi", [None, (72, 72)])
@pytest.mark.parametrize(
    "odd",
    [
        (0x0128, 2, b"2\0"),  # ResolutionUnit as text
        (0x0128, 5, b"\xff\xff\xff\xff"),  # as a rational that lies outside
        (0x011A, 2, b"72\0"),  # XResolution as text
        (0x010F, 2, b"\0"),  # an empty Make
        (0x8769, 4, struct.pack("<I", 10**9)),  # a pointer to nowhere
        (0xFFFF, 99, b"????"),
    ],
)
def test_odd_tags_do_not_keep_a_picture_from_being_turned(
    kind: str, dpi: tuple[int, int] | None, odd: tuple[int, int, bytes]
) -> None:
    options = {"dpi": dpi} if dpi and kind != "WEBP" else {}
    content = encoded(halves(), kind, exif=exif_block(ORIENTATION_6, odd), **options)
    pixels, notes = seen_alike(content)
    assert pixels.shape == (40, 24, 3)
    assert_near(pixels[5, 12], RED)
    assert_near(pixels[35, 12], GREEN)
    assert notes == [TURNED]


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("block", [b"Exif\0\0not a TIFF at all", b"Exif\0\0II*\0", b"Exif\0\0MM\0*\0\0\0\x08\xff\xff"])
def test_a_block_that_cannot_be_read_turns_nothing(kind: str, block: bytes) -> None:
    options = {} if kind == "WEBP" else {"dpi": (300, 300)}
    pixels, notes = seen_alike(encoded(halves(), kind, exif=block, **options))
    assert pixels.shape == (24, 40, 3)
    assert_near(pixels[12, 5], RED)
    assert notes == []


@pytest.mark.parametrize("stated", [0, 1, 9, 77])
def test_an_orientation_that_turns_nothing_is_not_noted(stated: int) -> None:
    pixels, notes = seen_alike(encoded(halves(), exif=exif_block((0x0112, 3, struct.pack("<H", stated)))))
    assert (pixels.shape, notes) == ((24, 40, 3), [])


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(FORMATS), st.binary(min_size=1, max_size=80), st.booleans())
@example("PNG", exif_block(ORIENTATION_6)[6:], True)
def test_no_bytes_of_metadata_cost_the_picture(kind: str, block: bytes, begins_well: bool) -> None:
    block = exif_block(ORIENTATION_6)[:14] + block if begins_well else block
    pixels, _ = seen_alike(encoded(halves(), kind, exif=b"Exif\0\0" + block))
    assert sorted(pixels.shape) == [3, 24, 40]


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(FORMATS), st.binary(max_size=200), st.binary(max_size=60))
def test_no_profile_and_no_packet_costs_the_picture(kind: str, profile: bytes, packet: bytes) -> None:
    options: dict[str, object] = {"icc_profile": profile}
    if kind != "PNG":
        options["xmp"] = b"<x:xmpmeta tiff:Orientation='6'>" + packet
    seen_alike(encoded(halves(), kind, **options))


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_a_flipped_byte_of_a_turned_photo_is_seen_alike_or_refused(data: st.DataObject) -> None:
    exif = exif_block(ORIENTATION_6, (0x011A, 5, b"\x1a\0\0\0"))
    content = bytearray(encoded(halves(), "JPEG", exif=exif, dpi=(72, 72)))
    content[data.draw(st.integers(0, 140))] = data.draw(st.integers(0, 255))
    with suppress(BadFile):
        check_image(bytes(content))
        seen_alike(bytes(content))


def test_models_elsewhere_get_what_raters_see() -> None:
    plain = encoded(halves(), "JPEG")
    assert as_seen(plain) == plain
    turned = encoded(halves(), "JPEG", exif=exif_block(ORIENTATION_6))
    sent = as_seen(turned)
    assert sent.startswith(b"\x89PNG")
    np.testing.assert_array_equal(np.asarray(opened(sent)), seen_alike(turned)[0])
    assert as_seen(b"not an image") == b"not an image"


def test_sixteen_bits_of_grey_are_scaled_for_everybody() -> None:
    content = (CASES / "grey16.png").read_bytes()
    levels = np.asarray(Image.open(io.BytesIO(content))).astype(float)
    pixels, notes = seen_alike(content)
    np.testing.assert_array_equal(pixels, np.rint(levels / 257)[..., None].repeat(3, axis=2))
    assert pixels.mean() == pytest.approx(127.5, abs=0.005)
    assert notes == [SCALED]


def test_one_level_of_sixteen_bits_may_be_declared_transparent() -> None:
    image = Image.fromarray(np.array([[0, 257, 65535]], dtype=np.uint16))
    pixels, notes = seen_alike(encoded(image, transparency=257))
    assert pixels[0, :, 0].tolist() == [0, 255, 255]
    assert notes == [SCALED, ON_WHITE]


def test_colours_are_those_of_the_profile_for_everybody() -> None:
    pixels, notes = seen_alike((CASES / "icc_swapped.png").read_bytes())
    assert np.unique(pixels.reshape(-1, 3), axis=0).tolist() == [[30, 30, 220]]
    assert notes == [CONVERTED]


def pictures_of_every_mode() -> dict[str, bytes]:
    image = halves()
    clear = image.convert("RGBA")
    clear.putalpha(Image.linear_gradient("L").resize(image.size))
    text = PngInfo()
    text.add_text("comment", "seed 7")
    sixteen = np.random.default_rng(0).integers(0, 65536, (24, 40, 4), dtype=np.uint16)
    return {
        **{f"{mode} PNG": encoded(image.convert(mode), pnginfo=text) for mode in ("1", "L", "P", "RGB")},
        "LA PNG": encoded(clear.convert("LA")),
        "RGBA PNG": encoded(clear),
        "P with a transparent colour": encoded(image.convert("P"), transparency=0),
        "RGB with a transparent colour": encoded(image, transparency=RED),
        "I;16 PNG": encoded(Image.fromarray(sixteen[..., 0])),
        "16-bit RGB PNG": sixteen_bits(sixteen[..., :3], 2),
        "16-bit RGBA PNG": sixteen_bits(sixteen, 6),
        "16-bit grey and alpha PNG": sixteen_bits(sixteen[..., :2], 4),
        **{f"{mode} JPEG": encoded(image.convert(mode), "JPEG") for mode in ("L", "RGB", "CMYK")},
        "RGB WEBP": encoded(image, "WEBP"),
        "RGBA WEBP": encoded(clear, "WEBP"),
    }


def sixteen_bits(levels: np.ndarray, colour_type: int) -> bytes:
    """A PNG of 16 bits per channel, which Pillow does not write (PNG specification, sections 11.2 and 12.1)."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    height, width, _ = levels.shape
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in levels)
    header = struct.pack(">IIBBBBB", width, height, 16, colour_type, 0, 0, 0)
    parts = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + parts


@pytest.mark.parametrize("name", pictures_of_every_mode())
def test_raters_and_metrics_see_the_same_of_every_kind_of_file(name: str) -> None:
    seen_alike(pictures_of_every_mode()[name])


@pytest.mark.parametrize("orientation", range(1, 9))
def test_raters_and_metrics_see_the_same_whichever_way_it_is_turned(orientation: int) -> None:
    content = encoded(halves(), exif=exif_block((0x0112, 3, struct.pack("<H", orientation))))
    pixels, notes = seen_alike(content)
    assert pixels.shape == ((40, 24, 3) if orientation >= 5 else (24, 40, 3))
    assert notes == ([TURNED] if orientation > 1 else [])
