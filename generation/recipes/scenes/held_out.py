"""Compositions that the small model never saw in training: a relation between two shapes, in any colours."""

from __future__ import annotations

import hashlib

from generation.recipes.scenes.grammar import write_prompts
from generation.recipes.scenes.scene import CATEGORIES, Scene, ScenePrompt

_ONE_IN = 12


def is_held_out(scene: Scene) -> bool:
    """Whether the scene has a relation between two shapes (in any colours) that no training picture has."""
    for relation in scene.relations:
        subject, other = scene.entity(relation.subject).shape, scene.entity(relation.object).shape
        triple = f"0|{relation.predicate}|{subject}|{other}"  # with this 0 each plan has some that are held out
        if int.from_bytes(hashlib.sha256(triple.encode()).digest()[:4], "big") % _ONE_IN == 0:
            return True
    return False


def held_out_prompts(count: int, seed: int = 0) -> list[ScenePrompt]:
    """`count` prompts of held-out compositions, the three categories in turn."""
    per_category = -(-count // len(CATEGORIES))
    chosen: list[list[ScenePrompt]] = []
    for category in CATEGORIES:
        written = write_prompts(seed, category, 30 * per_category)
        chosen.append([prompt for prompt in written if is_held_out(prompt.scene)][:per_category])
    return [prompt for group in zip(*chosen, strict=True) for prompt in group][:count]
