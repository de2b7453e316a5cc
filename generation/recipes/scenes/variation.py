"""What varies between pictures of one prompt when a small model is to learn them: ground, side, and wording."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from generation.recipes.scenes.critic import correction, refined_prompt
from generation.recipes.scenes.errors import candidates
from generation.recipes.scenes.grammar import BACKDROPS, article
from generation.recipes.scenes.layout import Spot, lay_out
from generation.recipes.scenes.scene import PREDICATES, Scene, ScenePrompt

THING_SCALE = 1.45
"""Things without a face are drawn larger than in the demo's stand-ins: at 64 pixels they would be 8 pixels wide."""
MIRRORED = ("holding", "pulling")
_PLAIN_DESIGN, _DESIGNS = 4, 5
Places = dict[str, tuple[Spot, ...]]


def settle_places(scene: Scene) -> Places:
    """Spots of the small world, in which a layout has one place for everything and things are large enough to see."""
    return lay_out(scene, THING_SCALE)


def shuffle_picture(scene: Scene, rng: np.random.Generator) -> Scene:
    """The same scene with another of the plain backdrops, and mirrored where that leaves open who is who.

    Of two bodies the first that a prompt names is always on the left, unless the prompt says otherwise.
    """
    mirror = scene.plan in MIRRORED and bool(rng.integers(2))
    backdrop = int(rng.integers(BACKDROPS // _DESIGNS)) * _DESIGNS + _PLAIN_DESIGN
    return replace(scene, mirror=mirror, backdrop=backdrop)


def paraphrase(prompt: ScenePrompt, rng: np.random.Generator) -> str:
    """The prompt's own text, or one time in five the same in other words."""
    return prompt.text if rng.random() < 0.8 else retell(prompt.scene)


def retell(scene: Scene) -> str:
    """What the scene asks for in other words: its things, then a sentence for each relation."""
    *names, last = [article(entity.name) if entity.count == 1 else entity.name for entity in scene.entities]
    sentences = [
        f"{', '.join(names)} and {last}",
        *(scene.filled(relation, PREDICATES[relation.predicate].holds) for relation in scene.relations),
    ]
    return " ".join(f"{sentence[0].upper()}{sentence[1:]}." for sentence in sentences)


def with_corrections(prompt: str, scene: Scene, rng: np.random.Generator, most: int = 3) -> str:
    """The prompt followed by one to `most` true sentences as a critic would correct it, all within its word limit."""
    errors = candidates(scene, rng)
    chosen = rng.permutation(len(errors))[: int(rng.integers(1, most + 1))]
    return refined_prompt(prompt, [correction(scene, errors[index]) for index in chosen])


def training_prompt(prompt: ScenePrompt, rng: np.random.Generator) -> str:
    """One of the ways in which a model meets the prompt: itself, paraphrased, or corrected (one in three)."""
    text = paraphrase(prompt, rng)
    return with_corrections(text, prompt.scene, rng) if rng.random() < 0.33 else text
