"""Reads about images that were made again."""

from generation.models import Reproduction


def latest_of(image_id: int) -> Reproduction | None:
    """The last attempt at making an image again, with who asked for it; None where nobody has."""
    return Reproduction.objects.select_related("owner").filter(image=image_id).first()
