"""The grammar that writes the demo's prompts: four plans in each of three categories."""

from __future__ import annotations

import numpy as np

from generation.recipes.scenes.scene import (
    BODY_SHAPES,
    CATEGORIES,
    COLOURS,
    SHAPES,
    STURDY_SHAPES,
    Entity,
    Relation,
    Scene,
    ScenePrompt,
    pick,
    stream,
)

PLANS: dict[str, tuple[str, ...]] = {
    "functional relation": ("holding", "balancing", "pulling", "wearing"),
    "multi-subject": ("holding hands", "lifting together", "looking", "waving"),
    "compositional": ("ring", "row", "tower", "arch"),
}
BACKDROPS = 30
"""Five designs in six neutral hues (see `scene_backdrop`)."""
_PLACES = {"left of": "to the left of", "right of": "to the right of"}
_GRAMMAR_STREAM = 1


def write_prompts(seed: int, category: str, count: int) -> tuple[ScenePrompt, ...]:
    """The first `count` prompts of a category; raises KeyError for a category that is not in `CATEGORIES`.

    Prompt i depends on the seed and on the texts before it (a repeated text is drawn again), never on `count`.
    """
    prompts: list[ScenePrompt] = []
    seen: set[str] = set()
    plans = PLANS[category]
    number = CATEGORIES.index(category)
    for index in range(count):
        rng = stream(seed, _GRAMMAR_STREAM, number, index)
        plan = plans[index % len(plans)]
        prompt = _write(rng, plan, category, index)
        while prompt.text in seen:
            prompt = _write(rng, plan, category, index)
        seen.add(prompt.text)
        prompts.append(prompt)
    return tuple(prompts)


def _write(rng: np.random.Generator, plan: str, category: str, index: int) -> ScenePrompt:
    colours = [list(COLOURS)[i] for i in rng.permutation(len(COLOURS))]
    if category == "functional relation":
        text, entities, relations = _functional(rng, plan, colours)
    elif category == "multi-subject":
        text, entities, relations = _multi_subject(rng, plan, colours)
    else:
        text, entities, relations = _compositional(rng, plan, colours)
    verb = {"holding": "hold", "balancing": "balance", "pulling": "pull", "wearing": "wear"}.get(plan, plan)
    return ScenePrompt(
        key=f"{category.replace(' ', '-')}-{index + 1:03d}",
        category=category,
        sub_category=plan,
        topic="-".join([entities[0].shape, verb.replace(" ", "-"), entities[-1].shape]),
        text=text,
        scene=Scene(plan, entities, relations, bool(rng.integers(2)), int(rng.integers(BACKDROPS))),
    )


Written = tuple[str, tuple[Entity, ...], tuple[Relation, ...]]


def _shapes(rng: np.random.Generator, *pools: tuple[str, ...]) -> list[str]:
    """One shape from each pool, all different."""
    chosen: list[str] = []
    for pool in pools:
        chosen.append(pick(rng, [shape for shape in pool if shape not in chosen]))
    return chosen


def _functional(rng: np.random.Generator, plan: str, colours: list[str]) -> Written:
    bodies = STURDY_SHAPES if plan == "wearing" else BODY_SHAPES
    first, second, third = _shapes(rng, bodies, BODY_SHAPES, SHAPES)
    place = pick(
        rng,
        {
            "balancing": ("left of", "right of"),  # the thing on the head needs the room above
            "pulling": ("above", "below"),  # the string needs the room next to it
        }.get(plan, ("above", "below", "left of", "right of")),
    )
    actor = Entity("e1", colours[0], first)
    other = Entity("e2", colours[1], second, "large" if rng.random() < 0.3 else "medium")
    thing = Entity("e3", colours[2], third, "small", is_body=False)
    where = f"{_PLACES.get(place, place)} {article(other.name)}"
    what = {
        "holding": f"holding {article(thing.name)}",
        "balancing": f"balancing {article(thing.name)} on its head",
        "pulling": f"pulling {article(thing.name)} along on a string",
        "wearing": f"wearing {article(thing.name)} on its belly",
    }[plan]
    predicate = {"holding": "holds", "balancing": "balances", "pulling": "pulls", "wearing": "wears"}[plan]
    text = f"{article(actor.name).capitalize()} {where}, {what}."
    return text, (actor, other, thing), (Relation("r1", "e1", place, "e2"), Relation("r2", "e1", predicate, "e3"))


def _multi_subject(rng: np.random.Generator, plan: str, colours: list[str]) -> Written:
    first, second, third = _shapes(rng, BODY_SHAPES, BODY_SHAPES, SHAPES)
    one = Entity("e1", colours[0], first)
    two = Entity("e2", colours[1], second)
    thing = Entity("e3", colours[2], third, "small", is_body=False)
    both = f"{article(one.name).capitalize()} and {article(two.name)}"
    if plan == "holding hands":
        text = f"{both} hold hands, and {one.short} balances {article(thing.name)} on its head."
        relations = (Relation("r1", "e1", "holds hands with", "e2"), Relation("r2", "e1", "balances", "e3"))
    elif plan == "lifting together":
        text = f"{both} lift {article(thing.name)} together."
        relations = (Relation("r1", "e1", "lifts", "e3"), Relation("r2", "e2", "lifts", "e3"))
    else:
        verb = {"looking": "looks at", "waving": "waves to"}[plan]
        text = f"{article(one.name).capitalize()} {verb} {article(two.name)} that holds {article(thing.name)}."
        relations = (Relation("r1", "e1", verb, "e2"), Relation("r2", "e2", "holds", "e3"))
    return text, (one, two, thing), relations


def _compositional(rng: np.random.Generator, plan: str, colours: list[str]) -> Written:
    if plan == "tower":
        top, middle, base = _shapes(rng, BODY_SHAPES[3:], STURDY_SHAPES, STURDY_SHAPES)
        tower = (Entity("e1", colours[0], top), Entity("e2", colours[1], middle), Entity("e3", colours[2], base))
        names = [article(entity.name) for entity in tower]
        text = f"{names[0].capitalize()} standing on top of {names[1]}, which stands on top of {names[2]}."
        return text, tower, (Relation("r1", "e1", "on top of", "e2"), Relation("r2", "e2", "on top of", "e3"))
    body_shape, thing_shape = _shapes(rng, BODY_SHAPES, SHAPES)
    # Below three a ring or a row is not a figure; above five a row would have to shrink its things.
    count = int(rng.integers(4, 7)) if plan in ("ring", "arch") else int(rng.integers(3, 6))
    body = Entity("e1", colours[0], body_shape)
    group = Entity("e2", colours[1], thing_shape, "small", count, is_body=False)
    if plan == "row":
        predicate = pick(rng, ("in a row below", "in a row above"))
    else:
        predicate = {"ring": "in a ring around", "arch": "in an arch over"}[plan]
    text = f"{group.name.capitalize()} {predicate} {article(body.name)}."
    return text, (body, group), (Relation("r1", "e2", predicate, "e1"),)


def article(name: str) -> str:
    """ "a red circle", "an orange star"."""
    return f"{'an' if name[0] in 'aeiou' else 'a'} {name}"
