"""The images that a table of scores or critiques may be about."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from generation.models import Image, PromptSet
from generation.queries.images import NearKeys, images_by_reference
from generation.queries.importers import Counts
from generation.services.origin import Origin

NEW = -1
"""Represents an image that a dry run would have made."""


@dataclass(frozen=True)
class Target:
    """One prompt set by its name, or, with an empty name, all that anyone who imports may add to."""

    prompt_set: str
    origin: Origin
    near: NearKeys

    @classmethod
    def of(cls, prompt_set: str, origin: Origin, *, file: str) -> "Target":
        """Raises BadFile, about `file`, where nothing may be added to the named set."""
        row = PromptSet.objects.filter(name=prompt_set).first() if prompt_set else None
        if row is not None and (refusal := origin.refusal(row, file=file)) is not None:
            raise refusal
        return cls(prompt_set, origin, NearKeys(prompt_set, origin.sets()))

    def images(self, references: Collection[str]) -> dict[str, list[int]]:
        """Reference → row ids of the images it may mean."""
        return images_by_reference(references, self.prompt_set, within=self.origin.sets())

    def unplaced(self, reference: str, ids: Sequence[int]) -> tuple[str, str]:
        """(problem, cure) for a reference that no image, or more than one, answers to."""
        if self.prompt_set:
            where, cure = f'"{self.prompt_set}"', "give keys that only one image has"
        else:
            where = "the prompt sets that you may add to" if self.origin.is_bounded else "this site"
            cure = "name the prompt set that is meant"
        if not ids:
            problem = f"no image of {where} has this key, sum or file name{self.near.hint(reference)}"
            return problem, "import the images first, or correct the name"
        return f"{len(ids)} images of {where} have this name", cure

    def note_touched(self, counts: Counts, placed: Collection[int], added: Sequence[int]) -> None:
        """Note in which sets the rows' images are, and how many rows each set got. placed, added: images, by row."""
        n_added = Counter(added)
        images = Image.objects.filter(pk__in=set(placed) - {NEW}).select_related("prompt__prompt_set")
        for image in images.only("pk", "prompt__prompt_set__name"):
            counts.touch(image.prompt.prompt_set, n_added[image.pk])
