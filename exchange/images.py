"""Images from outside: checked by decoding them completely, and shown without any metadata."""

import hashlib
import io
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from PIL import Image, ImageChops, ImageCms

from exchange.rejects import BadFile, bad_file

MAX_PIXELS = 64_000_000
"""Decoded, 64 MP take 256 MB as RGBA."""
MAX_BYTES = 64 * 1024 * 1024
MAX_SIDE = 16_383
"""The longest side of a WebP image, the format in which every image is shown."""

TURNED = "turned as its EXIF orientation says"
ON_WHITE = "its transparent parts were laid on white"
SCALED = "its 16 bits were scaled to 8"
CONVERTED = "its colours were converted to sRGB as its profile says"

Format = Literal["PNG", "JPEG", "WEBP"]

_OTHERS = (
    (b"GIF8", "a GIF"),
    (b"BM", "a BMP"),
    (b"II*\x00", "a TIFF"),
    (b"MM\x00*", "a TIFF"),
    (b"%PDF", "a PDF"),
    (b"PK\x03\x04", "a zip archive"),
    (b"8BPS", "a Photoshop file"),
    (b"\xff\x0a", "a JPEG XL"),
    (b"\x00\x00\x00\x0cJXL ", "a JPEG XL"),
    (b"\x00\x00\x00\x0cjP  ", "a JPEG 2000"),
)


_listening = threading.RLock()
_ORIENTATION = 0x0112
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""EXIF orientation → how the stored pixels are transformed to be shown (TIFF 6.0, tag 274)."""


@dataclass(frozen=True, slots=True)
class CheckedImage:
    """What is known about an image that was decoded completely.

    sha256  of the file's bytes, lower-case hexadecimal
    width, height  in pixels as shown, that is after the EXIF orientation
    has_odd_metadata  its EXIF metadata cannot be read in full, so an orientation may be missed
    """

    sha256: str
    format: Format
    width: int
    height: int
    n_bytes: int
    has_odd_metadata: bool = False


def check_image(
    data: bytes | Path, *, name: str = "", max_pixels: int = MAX_PIXELS, max_bytes: int = MAX_BYTES
) -> CheckedImage:
    """Decodes the image completely and says what it is, whatever its file name.

    PNG, JPEG and WebP with one picture. Raises BadFile for anything else: other formats, damaged or truncated data,
    animations, and images beyond the limits (which are seen from the header, before any pixel is unpacked).
    """
    called = name or (data.name if isinstance(data, Path) else "image")
    content = _content(data, called, max_bytes)
    with _remarks() as remarks, _decoded(content, called, max_pixels) as (image, kind):
        turned = _orientation(image) in (5, 6, 7, 8)
        width, height = (image.height, image.width) if turned else (image.width, image.height)
    return CheckedImage(hashlib.sha256(content).hexdigest(), kind, width, height, len(content), bool(remarks))


def shown_pixels(
    data: bytes | Path, *, name: str = "", max_pixels: int = MAX_PIXELS
) -> tuple[Image.Image, tuple[str, ...]]:
    """The image as people and metrics see it, mode RGB, and a note for each conversion.

    The EXIF orientation is applied, as far as it can be read; 16-bit grey is scaled to 8 bits; colours are converted
    to sRGB where a valid ICC profile says that they are in another space (relative colorimetric, black point
    compensation); transparent images are put on white, so that everybody sees the same pixels on any background.
    Raises BadFile as `check_image` does.
    """
    called = name or (data.name if isinstance(data, Path) else "image")
    with _remarks(), _decoded(_content(data, called, MAX_BYTES), called, max_pixels) as (image, _):
        return _srgb(image)


def shown_rendition(data: bytes | Path, *, name: str = "", max_pixels: int = MAX_PIXELS) -> bytes:
    """The image as a rater's browser gets it: only `shown_pixels`, in a lossless WebP.

    No metadata is left, and the container is always the same, so that neither reveals the origin. The same
    input gives the same bytes. Raises BadFile as `check_image` does.
    """
    pixels, _ = shown_pixels(data, name=name, max_pixels=max_pixels)
    size, raw = pixels.size, pixels.tobytes()
    del pixels  # the encoder needs several times the image's memory, so memory that it does not need is released first
    bare = Image.frombytes("RGB", size, raw)  # a new image, so that no metadata is copied
    del raw
    return _lossless(bare)


def narrowed(rendition: bytes, width: int) -> bytes:
    """A smaller rendition, `width` wide, for screens that cannot show all pixels; also lossless and without metadata.

    A rendition that is not wider than that is unchanged.
    """
    with Image.open(io.BytesIO(rendition)) as image:
        if image.width <= width:
            return rendition
        height = max(1, round(image.height * width / image.width))
        return _lossless(image.convert("RGB").resize((width, height), Image.Resampling.LANCZOS))


def printed(rendition: bytes, width: int) -> bytes:
    """An image for a figure in print: JPEG without metadata, at most `width` pixels wide, colours in full."""
    with Image.open(io.BytesIO(rendition)) as image:
        pixels = image.convert("RGB")
        if pixels.width > width:
            height = max(1, round(pixels.height * width / pixels.width))
            pixels = pixels.resize((width, height), Image.Resampling.LANCZOS)
        target = io.BytesIO()
        pixels.save(target, "JPEG", quality=95, subsampling=0)
        return target.getvalue()


def _lossless(image: Image.Image) -> bytes:
    target = io.BytesIO()
    # The fastest effort: 12 ms at 512 px and 51 ms at 1024 px, where Pillow's default (4) takes 102 and 310 ms for 8 to
    # 16 % fewer bytes, and PNG 77 and 306 ms for 17 % more (docs/decisions/0003-a-room-for-files.md has the table).
    image.save(target, "WEBP", lossless=True, quality=0, method=0)
    return target.getvalue()


def _content(data: bytes | Path, name: str, max_bytes: int) -> bytes:
    if isinstance(data, Path):
        try:
            with data.open("rb") as stream:
                data = stream.read(max_bytes + 1)
        except OSError as error:
            raise bad_file(name, f"cannot be read ({error.strerror})", "check the path") from error
    if len(data) > max_bytes:
        problem = f"the image has more than {max_bytes // 1024 // 1024} MB"
        raise bad_file(name, problem, "save it with fewer pixels or stronger compression")
    return data


def _kind(content: bytes, name: str) -> Format:
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return "PNG"
    if content.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "WEBP"
    if not content:
        raise bad_file(name, "the file is empty", "send it again")
    what = next((what for signature, what in _OTHERS if content.startswith(signature)), "")
    if content[4:8] == b"ftyp":
        what = "an AVIF, HEIC or video file"
    head = content[:512].lstrip()
    if head.startswith((b"<svg", b"<?xml", b"<!DOCTYPE", b"<html")):
        what = "an SVG, XML or HTML file"
    raise bad_file(name, f"this is {what or 'not an image that can be read here'}", "save it as PNG, JPEG or WebP")


@contextmanager
def _remarks() -> Iterator[list[str]]:
    """Pillow's warnings while it decodes. They are about metadata, since it raises errors about pixels.

    Printed, such a warning would not name the file, and would appear only once. Other libraries' warnings pass through.
    Only one thread at a time, because the handling of warnings applies to the whole process.
    """
    found: list[str] = []
    with _listening:
        try:
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                yield found
                found += [str(one.message) for one in caught if _is_of_pillow(one)]
        finally:
            for one in caught:
                if not _is_of_pillow(one):
                    warnings.warn_explicit(one.message, one.category, one.filename, one.lineno)


def _is_of_pillow(warning: warnings.WarningMessage) -> bool:
    return "PIL" in Path(warning.filename).parts


@contextmanager
def _decoded(content: bytes, name: str, max_pixels: int) -> Iterator[tuple[Image.Image, Format]]:
    """The image with all its pixels, and its format. Raises BadFile for everything that is wrong with it."""
    kind = _kind(content, name)
    try:
        with Image.open(io.BytesIO(content), formats=[kind]) as image:
            width, height = image.size
            if width < 1 or height < 1:
                raise bad_file(name, f"the image is {width} × {height} pixels", "send an image with pixels")
            if width * height > max_pixels or max(width, height) > MAX_SIDE:
                raise _too_large(name, f"{width} × {height} pixels", max_pixels)
            # A JPEG may carry a gain map or a preview as a second picture; that is not an animation.
            if kind != "JPEG" and getattr(image, "n_frames", 1) > 1:
                raise bad_file(name, "the image is animated", "save one picture of it as PNG, JPEG or WebP")
            image.load()
            yield image, kind
    except BadFile:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise _too_large(name, "", max_pixels) from error
    except Exception as error:  # a damaged picture, or damaged metadata, causes errors of many kinds
        raise _damaged(name, error) from error


def _too_large(name: str, size: str, max_pixels: int) -> Exception:
    most = f"{max_pixels / 1e6:g} million pixels and {MAX_SIDE} a side"
    return bad_file(name, f"the image is too large{f' ({size})' if size else ''}", f"scale it down to at most {most}")


def _damaged(name: str, error: BaseException) -> Exception:
    reason = (str(error).splitlines() or [""])[0][:200] or type(error).__name__
    return bad_file(name, f"the image is damaged or cut short ({reason})", "send it again or save it as a new file")


def _orientation(image: Image.Image) -> int:
    """The image's EXIF orientation, 1 (upright) to 8; 1 if its metadata cannot be read or do not contain it."""
    try:
        stated = image.getexif().get(_ORIENTATION, 1)
        return next((known for known in _TURNS if known == stated), 1)
    except Exception:  # Pillow raises many kinds of errors for odd metadata, and the pixels are still intact
        return 1


def _srgb(image: Image.Image) -> tuple[Image.Image, tuple[str, ...]]:
    """The pixels as 8-bit sRGB, mode RGB, upright, on white; and a note for each conversion."""
    notes = []
    profile = image.info.get("icc_profile")
    upright = image
    if (turn := _TURNS.get(_orientation(image))) is not None:
        upright = image.transpose(turn)
        notes.append(TURNED)
    if upright.mode.startswith("I"):
        upright = _eight_bits(upright)
        notes.append(SCALED)
    if upright.mode in ("P", "PA") or "transparency" in upright.info:
        upright = upright.convert("RGBA")
    alpha = upright.getchannel("A") if upright.mode in ("RGBA", "LA") else None
    if alpha is not None:
        upright = upright.convert("RGB" if upright.mode == "RGBA" else "L")
    elif upright.mode not in ("RGB", "L", "CMYK"):
        upright = upright.convert("RGB")
    colours = upright.convert("RGB")
    if isinstance(profile, bytes) and profile:
        plain, colours = colours, _converted(upright, profile)
        if ImageChops.difference(plain, colours).getbbox() is not None:
            notes.append(CONVERTED)
    if alpha is None or alpha.getextrema() == (255, 255):
        return colours, tuple(notes)
    notes.append(ON_WHITE)
    white = Image.new("RGB", colours.size, (255, 255, 255))
    white.paste(colours, mask=alpha)
    return white, tuple(notes)


def _eight_bits(image: Image.Image) -> Image.Image:
    """16-bit grey as 8-bit grey, 65535 becoming 255; with an alpha channel if one level is declared transparent."""
    # By a table: as floats, a plain picture of 64 MP, a file of 100 kB, would take 2 GB.
    table = np.rint(np.arange(65536) * (255 / 65535)).astype(np.uint8)
    levels = np.asarray(image)
    grey = Image.fromarray(table[levels if levels.dtype == np.uint16 else np.clip(levels, 0, 65535)])
    clear = image.info.get("transparency")
    if isinstance(clear, int):
        grey.putalpha(Image.fromarray(np.where(levels == clear, np.uint8(0), np.uint8(255))))
    return grey


def _converted(image: Image.Image, profile: bytes) -> Image.Image:
    """Colours converted from `profile` to sRGB; unchanged if the profile is broken or for another mode."""
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        converted = ImageCms.profileToProfile(
            image,
            source,
            ImageCms.createProfile("sRGB"),
            renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
            outputMode="RGB",
            flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
        )
    except Exception:  # a profile may be damaged in as many ways as other metadata
        return image.convert("RGB")
    return converted if converted is not None else image.convert("RGB")
