"""What every import of images needs: an image's identity, and the methods by their names."""

from collections.abc import Iterator

from generation.models import Image, Method, Prompt
from generation.models.digests import digest
from generation.services.imports.prompt_lookup import KnownPrompt


def image_digest(
    *,
    prompt: Prompt | KnownPrompt,
    method: str,
    seed: int | None = None,
    round: int = 0,
    content: str,
    parent: str = "",
    name: str = "",
) -> str:
    """The identity of an image. `content` is its file's SHA-256 or, without a file, its key; `parent` a digest.

    name  distinguishes it from another image that is the same in all of this: two black pictures of one prompt
    """
    parts = ("image", prompt.prompt_set_id, prompt.digest, method, seed, round, content, parent)
    return digest(*parts, name) if name else digest(*parts)


def stored_images(digests: list[str]) -> dict[str, Image]:
    return {image.digest: image for image in Image.objects.filter(digest__in=digests)}


class Methods:
    """Methods by name; a new one is made at its first use. In a dry run it stays unsaved."""

    def __init__(self, *, dry_run: bool = False) -> None:
        self._dry_run = dry_run
        self._known: dict[str, Method] = {}

    def names(self) -> Iterator[str]:
        """Of all methods that are stored."""
        return Method.objects.values_list("name", flat=True).iterator()

    def get(self, name: str, *, is_refined: bool = False) -> Method:
        if name not in self._known:
            kind = Method.Kind.OTHER
            if is_refined:
                kind = Method.Kind.REFINED
            elif "baseline" in name.casefold():
                kind = Method.Kind.BASELINE
            if self._dry_run:
                self._known[name] = Method.objects.filter(name=name).first() or Method(name=name, kind=kind)
            else:
                self._known[name] = Method.objects.get_or_create(name=name, defaults={"kind": kind})[0]
        return self._known[name]
