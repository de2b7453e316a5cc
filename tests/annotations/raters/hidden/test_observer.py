"""An observer who keeps all of a session: images by bytes, sizes and looks, prompts, addresses, headers, times."""

import hashlib
import io
import re
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

import numpy as np
import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.test import Client
from PIL import Image as PillowImage
from scipy.stats import hypergeom

from annotations.models import Assignment, Item, ItemImage, Rater, RaterPlan, Study
from annotations.questions import RANKING
from annotations.services.taking_part.mismatches import make_mismatches
from generation.models import Image, Prompt
from tests.annotations.raters.test_before import leave_out_prompts, make_exercise
from tests.factories import make_image, make_prompt, make_rater, make_study, stored_png

pytestmark = pytest.mark.django_db
LEAST_P = 1e-4
FAR, NEAR = 15, 10
"""Mean differences of 32 × 32 pixels: between pictures of one prompt at most FAR, and often below NEAR."""


@dataclass(frozen=True)
class Seen:
    """A card as a script has it; the place from 0. `purpose` is what it would like to know."""

    purpose: str
    place: int
    prompt: str
    images: tuple[str, ...]
    sizes: tuple[tuple[int, int], ...]
    n_bytes: tuple[int, ...]
    pictures: tuple[bytes, ...]
    page: str
    headers: str
    address: str
    ms: float


def make_watched_study(
    n_items: int, *, n_checks: int, n_prompts_left: int = 0, n_gold: int = 2, cap: int | None = None, **fields: Any
) -> Study:
    """A study whose images all differ, and prompts of the same set and methods that it does not rate."""
    study = make_study(n_items=n_items + n_gold, items_per_rater=cap, batch_size=5, seed=21, **fields)
    # As a study that is designed on the site: every prompt comes once before any comes again.
    items = list(study.items.order_by("position"))
    in_rounds = [*items[::2], *items[1::2]] if study.item_kind == Study.ItemKind.IMAGE else items
    for first in (1000, 0):
        for position, item in enumerate(in_rounds, start=first):
            Item.objects.filter(pk=item.pk).update(position=position)
    for _ in range(n_gold):
        make_exercise(study, Item.Role.GOLD, [0])
    leave_out_prompts(study, n_prompts_left)
    for image in Image.objects.order_by("pk"):
        Image.objects.filter(pk=image.pk).update(**drawn(image))
    for number, prompt in enumerate(Prompt.objects.order_by("pk")):
        Prompt.objects.filter(pk=prompt.pk).update(text=f"A red circle above square {number:04}.")
    shares = {"gold_share": 8, "check_share": 15, "repeat_share": 8, "mirror_share": 8}
    RaterPlan.objects.create(study=study, repeat_gap=3, **shares)
    if n_checks:
        assert len(make_mismatches(study=study, dimension=study.dimensions.get(), n=n_checks)) == n_checks
    return Study.objects.get(pk=study.pk)


def drawn(image: Image) -> dict[str, Any]:
    """File fields of a picture: that of its prompt, and each method's a little different."""
    scene = np.random.default_rng(image.prompt_id).integers(0, 256, (4, 4, 3)).repeat(4, axis=0).repeat(4, axis=1)
    noise = np.random.default_rng([1, image.pk]).integers(-12, 13, scene.shape)
    file = io.BytesIO()
    PillowImage.fromarray(np.clip(scene + noise, 0, 255).astype(np.uint8)).save(file, "PNG", compress_level=0)
    content = file.getvalue()
    name = default_storage.save(f"images/{image.pk}.png", ContentFile(content))
    digest = hashlib.sha256(content).hexdigest()
    return {"sha256": digest, "width": 16, "height": 16, "n_bytes": len(content), "file": name, "shown": name}


def small(file: bytes) -> bytes:
    return PillowImage.open(io.BytesIO(file)).convert("RGB").resize((32, 32)).tobytes()


def difference(one: bytes, other: bytes) -> float:
    """The mean absolute difference of two small pictures, 0 … 255."""
    return float(np.abs(np.frombuffer(one, np.uint8).astype(int) - np.frombuffer(other, np.uint8)).mean())


def session(client: Client, study: Study, rater: Rater) -> list[Seen]:
    """Everything that a browser gets while a rater works, to the end."""
    client.force_login(rater.user)  # type: ignore[arg-type]  # a person's rater has a user
    name = f"d{study.dimensions.get().pk}"
    chosen = {name: 1} if study.item_kind == Study.ItemKind.PAIR else {f"{name}-{place}": 1 for place in range(2)}
    seen: list[Seen] = []
    began = time.perf_counter()
    while found := re.search(r'data-token="([^"]+)"', page := client.get(f"/rate/{study.token}/").content.decode()):
        token = found[1]
        card = Assignment.with_checks.select_related("item__prompt").get(token=token)
        addresses = dict.fromkeys(re.findall(rf"/rate/image/{token}/\d+/", page))
        answers = [client.get(address) for address in addresses]
        files = [answer.getvalue() for answer in answers]
        assert card.item.prompt.text in page
        shape = re.sub(
            r"\d+ of \d+|value=\"[^\"]*\"|[A-Za-z0-9][\w-]{21}", "…", page.replace(card.item.prompt.text, "")
        )
        sent = client.post(
            f"/rate/{study.token}/answer/{token}/", chosen | {"n": 1}, headers={"accept": "application/json"}
        )
        assert sent.status_code == 200, sent.content
        heads = [{k: v for k, v in one.headers.items() if k != "X-Request-ID"} for one in (*answers, sent)]
        seen.append(
            Seen(
                purpose=card.purpose,
                place=len(seen),
                prompt=card.item.prompt.text,
                images=tuple(hashlib.sha256(file).hexdigest() for file in files),
                sizes=tuple(PillowImage.open(io.BytesIO(file)).size for file in files),
                n_bytes=tuple(len(file) for file in files),
                pictures=tuple(small(file) for file in files),
                page=re.sub(r"\d{2,}", "N", shape),
                headers=re.sub(r"\d+|[0-9a-f]{32,}|[A-Za-z0-9][\w-]{21}", "N", str(heads)),
                address=token,
                ms=1000 * (time.perf_counter() - began),
            )
        )
        began = time.perf_counter()
    return seen


def without_repeats(cards: list[Seen]) -> list[Seen]:
    """Without cards that show the images of an earlier card in some order: what a script knows to be a repeat."""
    known: set[tuple[str, ...]] = set()
    left = []
    for card in cards:
        own = (card.prompt, *sorted(card.images))
        if own not in known:
            left.append(replace(card, place=len(left)))
        known.add(own)
    return left


def like_others_of_its_prompt(card: Seen, all_: list[Seen]) -> bool | None:
    """Whether a picture on another card of the prompt is like one of this card; None where there is no other card."""
    others = [picture for one in all_ if one.prompt == card.prompt and one is not card for picture in one.pictures]
    return min(difference(a, b) for a in card.pictures for b in others) < FAR if others else None


def like_one_of_another_prompt(card: Seen, all_: list[Seen]) -> bool:
    others = [picture for one in all_ if one.prompt != card.prompt for picture in one.pictures]
    return min(difference(a, b) for a in card.pictures for b in others) < NEAR


Feature = Callable[[Seen, list[Seen]], Any]
AT_ONCE: dict[str, Feature] = {
    "images before": lambda card, all_: sum(image in one.images for one in all_[: card.place] for image in card.images),
    "prompt before": lambda card, all_: sum(card.prompt == one.prompt for one in all_[: card.place]),
    "quarter of the session": lambda card, all_: 4 * card.place // len(all_),
    "sizes": lambda card, _all: card.sizes,
    "bytes": lambda card, _all: card.n_bytes,
    "page": lambda card, _all: hash(card.page),
    "headers": lambda card, _all: hash(card.headers),
    "address": lambda card, _all: (len(card.address), card.address[0] in "0123456789ABCDEFGHIJKLM"),
    "time": lambda card, all_: 4 * sorted(one.ms for one in all_).index(card.ms) // len(all_),
}
AFTERWARDS: dict[str, Feature] = {
    "images in all": lambda card, all_: sum(image in one.images for one in all_ for image in card.images),
    "prompt in all": lambda card, all_: sum(card.prompt == one.prompt for one in all_),
    "like others of its prompt": like_others_of_its_prompt,
    "like one of another prompt": like_one_of_another_prompt,
}


def betrayed(
    sessions: list[list[Seen]],
    features: dict[str, Feature],
    is_wanted: Callable[[Seen, list[Seen]], bool] = lambda card, _all: card.purpose in ("gold", "check"),
) -> dict[str, float]:
    """By feature, or two of them together, one of whose values is more (or less) frequent among the wanted cards than
    chance allows, its p-value, times the number of tries."""
    cards = [(card, session) for session in sessions for card in session]
    wanted = np.array([is_wanted(card, session) for card, session in cards])
    assert 0 < wanted.sum() < len(wanted)
    columns = {name: [feature(card, session) for card, session in cards] for name, feature in features.items()}
    pairs = {f"{a} and {b}": list(zip(columns[a], columns[b], strict=True)) for a, b in combinations(columns, 2)}
    found = {}
    for name, values in (columns | pairs).items():
        in_all, in_wanted = Counter(values), Counter(value for value, one in zip(values, wanted, strict=True) if one)
        n_tries = 2 * len(in_all) * len(columns | pairs)
        for value, n in in_all.items():
            k, population = in_wanted[value], (len(wanted), n, int(wanted.sum()))
            p = n_tries * min(hypergeom.cdf(k, *population), hypergeom.sf(k - 1, *population))
            if p < LEAST_P:
                found[name] = p
    return found


PAIR, PROMPT = {"item_kind": Study.ItemKind.PAIR}, {"item_kind": Study.ItemKind.PROMPT}
STUDIES: dict[str, dict[str, Any]] = {
    "pairs, all rated": PAIR | {"n_items": 16, "n_prompts_left": 12},
    "images, all rated": {"n_items": 30, "n_prompts_left": 6, "n_checks": 6, "n_gold": 0},
    "images, all rated, with gold": {"n_items": 30, "n_prompts_left": 6, "n_checks": 4},
    "all images of a prompt, all rated": PROMPT | {"n_items": 16, "n_prompts_left": 6},
    "rankings, all rated": PROMPT | {"n_items": 16, "n_checks": 0, "n_gold": 3, "presets": (RANKING,)},
    "images, some rated, none left": {"n_items": 44, "cap": 14},
    "pairs, some rated, none left": PAIR | {"n_items": 30, "cap": 12},
}


@pytest.mark.parametrize("case", STUDIES)
def test_nothing_in_a_whole_session_distinguishes_gold_checks_and_repeats(client: Client, case: str) -> None:
    study = make_watched_study(**({"n_checks": 5, "k": 4} | STUDIES[case]))
    whole = [session(client, study, make_rater(study)) for _ in range(5 if "some" in case else 4)]
    sessions = []
    for cards in whole:
        purposes = Counter(card.purpose for card in cards)
        assert purposes["rating"] == (study.items_per_rater or study.items.count())
        assert purposes["gold" if "rankings" in case else "check"]
        left = without_repeats(cards)
        assert not {card.purpose for card in left} & {"repeat", "mirror"}
        sessions.append(left)
        of_images = Counter(image for card in left for image in card.images)
        assert set(of_images.values()) == {1}, "an image was shown on two cards, neither of which repeats the other"

    features = AT_ONCE | AFTERWARDS
    if "none left" in case:  # checks are made of what is rated: pictures may be compared, see docs/hidden-checks.md
        features = {name: feature for name, feature in features.items() if not name.startswith("like ")}
    assert betrayed(sessions, features) == {}

    # A repeat shows what was shown before. Nothing else is different, and nothing announces it.
    technical = {name: AT_ONCE[name] for name in ("sizes", "bytes", "page", "headers", "address", "time")}
    assert betrayed(whole, technical, lambda card, _all: card.purpose in ("repeat", "mirror")) == {}
    rated = [[card for card in cards if card.purpose in ("rating", "repeat", "mirror")] for cards in whole]
    assert betrayed([without_repeats(cards) for cards in rated], technical, comes_again(whole)) == {}


def comes_again(whole: list[list[Seen]]) -> Callable[[Seen, list[Seen]], bool]:
    again = {card.images for cards in whole for card in cards if card.purpose == "repeat"}
    again |= {card.images[::-1] for cards in whole for card in cards if card.purpose == "mirror"}
    return lambda card, _all: card.images in again


def test_this_observer_finds_what_there_is_to_be_found(client: Client) -> None:
    """The two images of a pair that is a check are of two prompts: raters should see that, and so does a script. And
    where an item that is rated as well were given as a check, the observer would know it."""
    study = make_watched_study(16, n_checks=5, n_prompts_left=12, k=4, **PAIR)
    sessions = [without_repeats(session(client, study, make_rater(study))) for _ in range(4)]

    differ: dict[str, Feature] = {"sides": lambda card, _all: difference(*card.pictures) > FAR}
    checks = {card.images for cards in sessions for card in cards if card.purpose == "check"}
    assert set(betrayed(sessions, differ, lambda card, _all: card.images in checks)) == {"sides"}

    leaking = [
        [*cards, *(replace(card, purpose="rating") for card in cards if card.purpose == "check")] for cards in sessions
    ]
    assert "images in all" in betrayed(leaking, AFTERWARDS, lambda card, _all: card.purpose == "check")


def test_checks_are_made_of_what_the_study_does_not_rate(client: Client) -> None:
    study = make_watched_study(20, n_checks=4, n_prompts_left=4)
    checks = list(Item.with_checks.filter(study=study, role=Item.Role.CHECK))
    rated = ItemImage.objects.filter(item__study=study, item__role=Item.Role.RATED)
    images = [item.images.get() for item in checks]

    assert not rated.filter(image__in=images).exists()
    assert len(set(images)) == 4
    assert not study.items.filter(prompt__in=[item.prompt_id for item in checks]).exists()
    # Two methods: every prompt has two rated items, and so has each of these two checks.
    assert set(Counter(item.prompt_id for item in checks).values()) == {2}
    assert all(image.prompt_id != item.prompt_id for image, item in zip(images, checks, strict=True))


@pytest.mark.parametrize("kind", [Study.ItemKind.IMAGE, Study.ItemKind.PAIR])
def test_a_prompt_lends_its_images_to_one_other_prompt(kind: str) -> None:
    study = make_watched_study(20, n_checks=8 if kind == "image" else 5, n_prompts_left=10, item_kind=kind)
    lenders: dict[int, set[int]] = {}
    methods: dict[int, list[int]] = {}
    for item in Item.with_checks.filter(study=study, role=Item.Role.CHECK):
        for image in item.images.exclude(prompt=item.prompt_id):
            lenders.setdefault(item.prompt_id, set()).add(image.prompt_id)
            methods.setdefault(item.prompt_id, []).append(image.method_id)

    assert {len(prompts) for prompts in lenders.values()} == {1}
    lent = [prompt for prompts in lenders.values() for prompt in prompts]
    assert len(set(lent)) == len(lent) == (4 if kind == Study.ItemKind.IMAGE else 5)
    if kind == Study.ItemKind.PAIR:
        assert not set(lent) & set(lenders), "an own image would resemble the one lent"
    else:
        assert all(len(set(own)) == len(own) == 2 for own in methods.values())


def test_the_same_picture_imported_twice_or_of_another_size_is_not_drawn() -> None:
    study = make_watched_study(20, n_checks=1, n_prompts_left=2, cap=10)
    rated = ItemImage.objects.filter(item__study=study, item__role=Item.Role.RATED).order_by("pk")
    prompt = make_prompt(prompt_set=study.items.all()[0].prompt.prompt_set)
    again, large, fine = (make_image(prompt=prompt, method=rated[0].image.method) for _ in range(3))
    same = {name: getattr(rated[0].image, name) for name in ("sha256", "file", "shown")}
    Image.objects.filter(pk=again.pk).update(**same)
    Image.objects.filter(pk=large.pk).update(**stored_png(9000, (64, 64)))
    Image.objects.filter(pk=fine.pk).update(**drawn(fine))

    made = make_mismatches(study=study, dimension=study.dimensions.get(), n=20)

    shown = set(ItemImage.objects.filter(item__in=made).values_list("image_id", flat=True))
    assert fine.pk in shown
    assert not shown & {again.pk, large.pk}
