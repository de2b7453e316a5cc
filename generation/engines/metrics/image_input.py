"""The images that a metric sees: the same as raters see, and in batches that never change a score."""

from collections.abc import Iterator, Sequence
from io import BytesIO
from typing import TYPE_CHECKING, TypeVar

import numpy as np
from PIL import Image

from exchange.images import shown_pixels
from exchange.rejects import BadFile
from generation.recipes.contract import EngineError

if TYPE_CHECKING:
    import torch

One = TypeVar("One")
# What CLIP was trained with; BLIP and ImageReward took them over.
MEAN = (0.48145466, 0.4578275, 0.40821073)
DEVIATION = (0.26862954, 0.26130258, 0.27577711)


def read_image(data: bytes) -> tuple[Image.Image, list[str]]:
    """The image as raters see it (`exchange.images.shown_pixels`), and a note for everything that changed it.

    Raises EngineError for a file that is not an image.
    """
    try:
        image, notes = shown_pixels(data)
    except BadFile as bad:
        raise EngineError(f"The image cannot be read: {bad.reject.problem}.", "Draw or import it again.") from bad
    return image, list(notes)


def as_seen(data: bytes) -> bytes:
    """The file itself, or a PNG of what raters see if that differs from the file's bare pixels.

    For models elsewhere, which may or may not respect an orientation, a profile, 16 bits or transparency. Files that
    cannot be read here are passed on as they are.
    """
    try:
        image, notes = shown_pixels(data)
    except BadFile:
        return data
    if not notes:
        return data
    target = BytesIO()
    Image.frombytes("RGB", image.size, image.tobytes()).save(target, "PNG")
    return target.getvalue()


def middle_square(image: Image.Image, side: int) -> tuple[Image.Image, list[str]]:
    """The shorter side resized to `side` pixels (bicubic), then the middle cut out: CLIP's way; a note if it cut."""
    width, height = image.size
    short = min(width, height)
    # Rounded as torchvision's Resize and CenterCrop do.
    wide, high = (side, int(side * height / width)) if width == short else (int(side * width / height), side)
    resized = image.resize((wide, high), Image.Resampling.BICUBIC)
    left, top = round((wide - side) / 2), round((high - side) / 2)
    notes = [] if wide == high else ["only the middle square was seen"]
    return resized.crop((left, top, left + side, top + side)), notes


def pixel_values(image: Image.Image) -> np.ndarray:
    """Channels first, float32 of shape (3, height, width), normalised as CLIP was trained."""
    levels = np.asarray(image, dtype=np.float32) / np.float32(255)
    normal = (levels - np.asarray(MEAN, dtype=np.float32)) / np.asarray(DEVIATION, dtype=np.float32)
    return np.ascontiguousarray(normal.transpose(2, 0, 1))


def constant_batches(items: Sequence[One], size: int) -> Iterator[tuple[list[One], int]]:
    """Batches of exactly `size`, the last filled up with its last item; and how many of each are real.

    At another batch size the same network sums in another order, so a score would depend on the rest of its batch.
    """
    for start in range(0, len(items), size):
        batch = list(items[start : start + size])
        yield batch + [batch[-1]] * (size - len(batch)), len(batch)


def to_tensor(images: Sequence[np.ndarray], device: "torch.device", dtype: "torch.dtype") -> "torch.Tensor":
    """Images of one shape as one batch on the device."""
    import torch

    return torch.from_numpy(np.stack(images)).to(device=device, dtype=dtype)
