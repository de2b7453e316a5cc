"""Rows for tests: plain functions with sensible defaults, real tiny files, and no hidden state but a counter.

Files go to the default storage, which tests/annotations/conftest.py (or a caller's own fixture) keeps in a
temporary folder.
"""

import hashlib
import io
import itertools
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.models import Group, User
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.utils import timezone
from PIL import Image as PillowImage

from annotations.models import Assignment, Dimension, Item, ItemImage, Membership, Rater, Response, Study
from annotations.questions import DEFAULT, PREFERENCE, Preset
from evalsite.accounts import tokens
from generation.models import Image, Method, Prompt, PromptSet, Reference, Run
from generation.models.digests import digest
from generation.recipes.engine_spec import EngineSpec
from generation.recipes.matrix.matrix import Matrix
from generation.recipes.matrix.methods import BASELINE, Drawing, MethodSpec
from generation.recipes.scenes.demo import DemoStudy
from generation.services.runs.planning import claim_planning, create_run, plan_run

_numbers = itertools.count(1)
# This many different pictures exist on disk; a study of thousands of images shares them, as their rows do not care.
N_FILES = 64


def make_user(username: str = "", *, researcher: bool = False, password: str = "", **fields: Any) -> User:
    """A user; with `researcher`, in the Researchers group and so allowed to add studies. No password by default."""
    user = User.objects.create_user(username or f"user-{next(_numbers)}", password=password or None, **fields)
    if researcher:
        user.groups.add(Group.objects.get(name="Researchers"))
    return user


def make_token(user: User, *, days: int = 1) -> str:
    """The key of a new API token of this person."""
    return tokens.make_token(user=user, name="test", days=days)[1]


def make_prompt_set(name: str = "", **fields: Any) -> PromptSet:
    return PromptSet.objects.create(name=name or f"prompt set {next(_numbers)}", **fields)


def make_prompt(text: str = "", *, prompt_set: PromptSet | None = None, **fields: Any) -> Prompt:
    text = text or f"A red circle above a blue square, number {next(_numbers)}."
    identity = {name: fields.get(name, "") for name in ("category", "sub_category", "topic", "key")}
    return Prompt.objects.create(
        prompt_set=prompt_set or make_prompt_set(), text=text, digest=Prompt.digest_of(text, **identity), **fields
    )


def make_method(name: str = "", *, kind: str = Method.Kind.OTHER, **fields: Any) -> Method:
    return Method.objects.create(name=name or f"method {next(_numbers)}", kind=kind, **fields)


def tiny_png(number: int, size: tuple[int, int] = (8, 8)) -> bytes:
    """A real PNG file of one colour, a different one for each number below 2**24."""
    colour = (number * 2654435761) % 2**24
    stream = io.BytesIO()
    PillowImage.new("RGB", size, (colour >> 16, colour >> 8 & 255, colour & 255)).save(stream, "PNG")
    return stream.getvalue()


def stored_png(number: int, size: tuple[int, int] = (8, 8)) -> dict[str, Any]:
    """The file fields of an `Image` whose files lie in the default storage."""
    content = tiny_png(number, size)
    sha256 = hashlib.sha256(content).hexdigest()
    name = f"images/{sha256[:2]}/{sha256}.png"
    if not default_storage.exists(name):
        name = default_storage.save(name, ContentFile(content))
    return {
        "sha256": sha256,
        "format": "PNG",
        "width": size[0],
        "height": size[1],
        "n_bytes": len(content),
        "file": name,
        "shown": name,
    }


def undrawn(study: DemoStudy, say: object) -> dict[str, dict[str, Any]]:
    """The file fields of the demo's images without drawing them: a tiny picture for each."""
    return {image.key: stored_png(n) for n, image in enumerate((*study.images, *study.placebos))}


def make_image(
    *, prompt: Prompt | None = None, method: Method | None = None, size: tuple[int, int] = (8, 8), **fields: Any
) -> Image:
    """One image with a real file of its own. `parent=` links a refined image to its baseline."""
    number = next(_numbers)
    if parent := fields.get("parent"):
        prompt = prompt or parent.prompt
        fields.setdefault("round", parent.round + 1)
    return Image.objects.create(
        prompt=prompt or make_prompt(),
        method=method or make_method(),
        digest=fields.pop("digest", digest("test image", number)),
        **stored_png(number, size) | fields,
    )


def make_reference(prompt: Prompt, *, size: tuple[int, int] = (8, 8), **fields: Any) -> Reference:
    """The prompt's reference image, with a real file of its own."""
    return Reference.objects.create(prompt=prompt, **stored_png(next(_numbers), size) | fields)


def make_dimension(study: Study, preset: Preset = DEFAULT, **fields: Any) -> Dimension:
    position = fields.pop("position", study.dimensions.count())
    return Dimension.objects.create(study=study, position=position, **preset.fields() | fields)


def make_study(
    *,
    n_items: int = 4,
    k: int = 3,
    item_kind: str = Study.ItemKind.IMAGE,
    n_methods: int = 2,
    state: str = Study.State.OPEN,
    owner: User | None = None,
    presets: tuple[Preset, ...] | None = None,
    **fields: Any,
) -> Study:
    """A study with its items, in a fixed number of queries.

    Items of kind `image` go through the methods in turn, all images of a prompt side by side; a `pair` is a baseline
    in slot 0 and the refined image made from it in slot 1; a `prompt` shows one image of each of `n_methods` methods.
    """
    study = Study.objects.create(
        title=fields.pop("title", f"study {next(_numbers)}"),
        owner=owner or make_user(researcher=True),
        item_kind=item_kind,
        raters_per_item=k,
        state=state,
        **fields,
    )
    is_pair = item_kind == Study.ItemKind.PAIR
    for preset in presets or ((PREFERENCE,) if is_pair else (DEFAULT,)):
        make_dimension(study, preset)
    add_items(study, n_items=n_items, n_methods=2 if is_pair else n_methods)
    return study


def add_items(study: Study, *, n_items: int, n_methods: int = 2) -> list[Item]:
    """Prompts, images of `n_methods` new methods, and items of the study's kind after those it has."""
    per_item = 1 if study.item_kind == Study.ItemKind.IMAGE else n_methods
    n_images = n_items * per_item
    methods = [make_method() for _ in range(n_methods)]
    if study.item_kind == Study.ItemKind.PAIR:
        for method, kind in zip(methods, (Method.Kind.BASELINE, Method.Kind.REFINED), strict=True):
            method.kind = kind
            method.save()
    prompts = _bulk_prompts(-(-n_images // n_methods))
    images = _bulk_images(n_images, methods, prompts, linked=study.item_kind == Study.ItemKind.PAIR)
    first = study.items.count()
    items = Item.objects.bulk_create(
        [
            Item(
                study=study,
                position=first + i,
                key=f"item-{first + i}",
                prompt=images[i * per_item].prompt,
                wanted=study.raters_per_item,
            )
            for i in range(n_items)
        ],
        batch_size=5000,
    )
    ItemImage.objects.bulk_create(
        [ItemImage(item=items[i // per_item], image=image, slot=i % per_item) for i, image in enumerate(images)],
        batch_size=5000,
    )
    return items


def make_rater(study: Study, user: User | None = None, *, name: str = "", **fields: Any) -> Rater:
    """A person who has consented; a user of their own is made unless one is given or `user=None, kind=` says other."""
    if user is None and fields.get("kind", Rater.Kind.PERSON) == Rater.Kind.PERSON:
        user = make_user()
    fields.setdefault("consented_at", timezone.now())
    return Rater.objects.create(study=study, user=user, name=name or f"rater {next(_numbers)}", **fields)


def make_member(study: Study, user: User | None = None, *, role: str = Membership.Role.RESEARCHER) -> User:
    user = user or make_user()
    Membership.objects.create(study=study, user=user, role=role)
    return user


def make_answer(
    item: Item, rater: Rater, *, level: int | None = 0, at: datetime | None = None, **fields: Any
) -> Assignment:
    """An answered assignment with one current response to each dimension; `level=None` is "unable to answer"."""
    at = at or timezone.now()
    n_before = rater.assignments.count()
    assignment = Assignment.objects.create(
        study=item.study,
        item=item,
        rater=rater,
        sequence=n_before,
        state=Assignment.State.ANSWERED,
        answered_at=at,
    )
    item.taken += 1
    item.save()
    Rater.objects.filter(pk=rater.pk).update(next_sequence=n_before + 1)
    for dimension in item.study.dimensions.all():
        images = list(item.images.all()) if dimension.about == Dimension.About.IMAGE else [None]
        for image in images:
            Response.objects.create(
                assignment=assignment,
                dimension=dimension,
                image=image,
                level=level,
                is_unable=level is None,
                shown_at=at - timedelta(seconds=8),
                answered_at=at,
                **{"active_ms": 8000} | fields,
            )
    return assignment


def _bulk_prompts(n: int) -> list[Prompt]:
    prompt_set = make_prompt_set()
    texts = [f"A red circle above a blue square, number {next(_numbers)}." for _ in range(n)]
    return Prompt.objects.bulk_create(
        [Prompt(prompt_set=prompt_set, text=text, digest=Prompt.digest_of(text)) for text in texts], batch_size=5000
    )


def _bulk_images(n: int, methods: list[Method], prompts: list[Prompt], *, linked: bool) -> list[Image]:
    """Image i shows prompt i // len(methods) by method i % len(methods); linked: odd ones refine even ones."""
    files = [stored_png(number) for number in range(min(n, N_FILES))]
    images = [
        Image(
            prompt=prompts[i // len(methods)],
            method=methods[i % len(methods)],
            digest=digest("test image", next(_numbers)),
            **files[i % len(files)],
        )
        for i in range(n)
    ]
    if not linked:
        return Image.objects.bulk_create(images, batch_size=5000)
    baselines = Image.objects.bulk_create(images[::2], batch_size=5000)
    for refined, baseline in zip(images[1::2], baselines, strict=True):
        refined.parent, refined.round = baseline, 1
    refined_images = Image.objects.bulk_create(images[1::2], batch_size=5000)
    return [image for pair in zip(baselines, refined_images, strict=True) for image in pair]


# --- runs of the generator -------------------------------------------------------------------------------------------
TINY_ENGINES = {
    "image": EngineSpec("sd3", {"model": "tiny"}),
    "language": EngineSpec("rules"),
    "critic": EngineSpec("questions", {"answerer": {"engine": "blip-vqa", "options": {"model": "tiny"}}}),
}


def make_matrix(
    *methods: MethodSpec,
    seeds: tuple[int, ...] = (7,),
    metrics: tuple[str, ...] = (),
    drawing: Drawing | None = None,
    **engines: EngineSpec,
) -> Matrix:
    """A matrix of tiny engines: baseline unless methods are given, 6 steps at 64 pixels, decomposed by rules."""
    return Matrix(
        methods=methods or (BASELINE,),
        seeds=seeds,
        engines=TINY_ENGINES | engines,
        metrics={name: EngineSpec(name, {"model": "tiny"}) for name in metrics},
        drawing=drawing or Drawing(n_steps=6, guidance=4.5, width=64, height=64),
    )


def make_run(
    *methods: MethodSpec,
    n_prompts: int = 1,
    prompts: Sequence[Prompt] = (),
    matrix: Matrix | None = None,
    planned: bool = True,
    name: str = "",
    owner: User | None = None,
    **fields: Any,
) -> Run:
    """A run over new prompts, or over these; planned, and so ready to be claimed, by default."""
    if not prompts:
        prompt_set = make_prompt_set()
        prompts = [make_prompt(prompt_set=prompt_set) for _ in range(n_prompts)]
    run = create_run(
        name=name or f"run {next(_numbers)}",
        owner=owner,
        prompts=[prompt.pk for prompt in prompts],
        prompt_set=prompts[0].prompt_set,
        matrix=matrix or make_matrix(*methods),
        **fields,
    )
    if planned:
        claimed = claim_planning(run.pk)
        assert claimed is not None
        assert plan_run(run=claimed)
        return claimed
    return run
