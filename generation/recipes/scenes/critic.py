"""A simulated critic of the demo's pictures: it names most true errors, imagines some, and says how sure it is.

Right, wrong and missing claims come at known rates, so that the audit's figures can be checked against the truth.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from generation.recipes.scenes.errors import SceneError, draw_errors, parts
from generation.recipes.scenes.grammar import article
from generation.recipes.scenes.scene import COUNT_WORDS, PREDICATES, Scene

CRITIC = "simulated critic"
WRONG_IMAGE_CRITIC = "simulated critic, wrong image"
RECALL = 0.70
"""Chance that a true error is claimed, each by itself."""
PRECISION = 0.75
"""Share of right claims among all claims, as a ratio of expectations."""
EXPECTED_ERRORS = 1.18
WRONG_CLAIMS_PER_IMAGE = EXPECTED_ERRORS * RECALL * (1 - PRECISION) / PRECISION
"""Mean of the Poisson number of imagined claims, the same on pictures with and without errors (about 0.275)."""
MAX_REFINED_WORDS = 70
_RIGHT_CONFIDENCE, _WRONG_CONFIDENCE = (5.0, 2.5), (3.0, 3.2)
"""Beta parameters: informative, but no more than mildly (area under the ROC curve about 0.75)."""
_NO_FINDING = "Nothing in this picture contradicts the prompt."
CLAIM_KINDS = {
    "wrong_colour": "attribute",
    "wrong_shape": "attribute",
    "wrong_size": "attribute",
    "wrong_count": "count",
    "missing_entity": "missing",
    "extra_entity": "extra",
    "wrong_relation": "relation",
    "not_holding": "relation",
}
"""By kind of error the kind of a claim that names it, as every critic of a run says it (`critique.outcome.KINDS`)."""


@dataclass(frozen=True)
class SceneClaim:
    """One checkable statement of a critic, with the truth about it.

    `rank` counts from 1 (weighs most); `confidence` lies in 0–1; `is_right` is the truth, never shown to a rater;
    `error` is the true error that a right claim names, None for a wrong claim.
    """

    rank: int
    text: str
    kind: str
    severity: str
    about: str
    confidence: float
    is_right: bool
    error: SceneError | None


@dataclass(frozen=True)
class SceneCritique:
    """What a critic says of one picture: claims by rank, the same as a numbered list, and the refined prompt.

    `shown_image_key` differs from `image_key` for the wrong-image control: the critic saw that other picture.
    """

    image_key: str
    critic: str
    shown_image_key: str
    text: str
    refined_prompt: str
    claims: tuple[SceneClaim, ...]


def critique(
    *, prompt: str, scene: Scene, errors: Sequence[SceneError], image_key: str, rng: np.random.Generator
) -> SceneCritique:
    """The simulated critic's critique of a picture of `scene` that has `errors`."""
    named = [error for error in errors if rng.random() < RECALL]
    imagined = draw_errors(
        scene, rng, int(rng.poisson(WRONG_CLAIMS_PER_IMAGE)), set[str]().union(*(parts(scene, e) for e in errors))
    )
    claims = _claims(scene, [(error, error) for error in named] + [(error, None) for error in imagined], rng)
    return _critique(prompt, scene, claims, image_key, CRITIC, image_key)


def wrong_image_critique(
    *,
    prompt: str,
    scene: Scene,
    errors: Sequence[SceneError],
    image_key: str,
    shown_image_key: str,
    rng: np.random.Generator,
) -> SceneCritique:
    """The control: a critic that saw another picture, so that it can be right about this one only by chance.

    Its claims are errors drawn without looking at `errors`, one to three; a claim is right when it happens to
    state a true error with the same kind, part and detail.
    """
    drawn = draw_errors(scene, rng, int(rng.integers(1, 4)))
    truth = {error.same_as: error for error in errors}
    claims = _claims(scene, [(error, truth.get(error.same_as)) for error in drawn], rng)
    return _critique(prompt, scene, claims, image_key, WRONG_IMAGE_CRITIC, shown_image_key)


Claimed = tuple[SceneError, SceneError | None]


def _claims(scene: Scene, stated: Sequence[Claimed], rng: np.random.Generator) -> list[tuple[SceneClaim, SceneError]]:
    """Claims in the order of their rank, each with the error as the critic states it."""
    rows = []
    for said, truth in stated:
        alpha, beta = _RIGHT_CONFIDENCE if truth is not None else _WRONG_CONFIDENCE
        confidence = round(float(rng.beta(alpha, beta)), 2)
        rows.append((said, truth, confidence, float(rng.normal())))
    # Major errors tend to come first, with some disorder, as critics do.
    rows.sort(key=lambda row: -(1.5 * (row[0].severity == "major") + row[3]))
    return [
        (
            SceneClaim(
                rank, in_words(scene, said), said.kind, said.severity, said.about, confidence, truth is not None, truth
            ),
            said,
        )
        for rank, (said, truth, confidence, _) in enumerate(rows, start=1)
    ]


def _critique(
    prompt: str,
    scene: Scene,
    claims: Sequence[tuple[SceneClaim, SceneError]],
    image_key: str,
    critic: str,
    shown_image_key: str,
) -> SceneCritique:
    text = "\n".join(f"{claim.rank}. {claim.text}" for claim, _ in claims) or _NO_FINDING
    return SceneCritique(
        image_key=image_key,
        critic=critic,
        shown_image_key=shown_image_key,
        text=text,
        refined_prompt=refined_prompt(prompt, [correction(scene, said) for _, said in claims]),
        claims=tuple(claim for claim, _ in claims),
    )


def refined_prompt(prompt: str, corrections: Sequence[str]) -> str:
    """The original as first sentence, then as many corrections, weightiest first, as fit into 70 words."""
    words, sentences = len(prompt.split()), [prompt]
    for sentence in corrections:
        if words + len(sentence.split()) > MAX_REFINED_WORDS:
            break
        words += len(sentence.split())
        sentences.append(sentence)
    return " ".join(sentences)


def in_words(scene: Scene, error: SceneError) -> str:
    """The error in a critic's words, as one sentence."""
    if error.kind == "extra_entity":
        return f"There is {article(error.detail)} that the prompt does not ask for."
    if error.about.startswith("r"):
        relation = scene.relation(error.about)
        subject, other = scene.entity(relation.subject), scene.entity(relation.object)
        wrong = {"left of": "to the left of", "right of": "to the right of"}.get(error.detail, error.detail)
        if relation.predicate == "holds hands with":
            return f"{_capital(subject.short)} and {other.short} do not hold hands."
        if not error.detail.startswith(("looks", "does")):
            wrong = f"{'is' if subject.count == 1 else 'are'} {wrong}"
        return f"{_capital(subject.short)} {wrong} {other.short}."
    entity = scene.entity(error.about)
    verb = "is" if entity.count == 1 else "are"
    if error.kind == "wrong_colour":
        return f"{_capital(entity.short)} {verb} {error.detail} instead of {entity.colour}."
    if error.kind == "wrong_shape":
        if entity.count > 1:
            return f"The {entity.colour} things are not {entity.plural} but of another shape ({error.detail})."
        return f"There is {article(f'{entity.colour} {error.detail}')} where {article(entity.shape)} should be."
    if error.kind == "wrong_size":
        return f"{_capital(entity.short)} {verb} {error.detail} instead of {entity.size}."
    if error.kind == "wrong_count":
        seen = int(error.detail)
        there = f"is one {entity.shape}" if seen == 1 else f"are {COUNT_WORDS.get(seen, error.detail)} {entity.plural}"
        return f"There {there} instead of {COUNT_WORDS[entity.count]}."
    if entity.count > 1:
        return f"The {entity.colour} {entity.plural} are missing."
    return f"The {entity.colour} {entity.shape} is missing."


def correction(scene: Scene, error: SceneError) -> str:
    """What a refined prompt asks for to fix the error, as one sentence."""
    if error.kind == "extra_entity":
        return f"There is no {error.detail}."
    if error.about.startswith("r"):
        relation = scene.relation(error.about)
        return _capital(scene.filled(relation, PREDICATES[relation.predicate].holds)) + "."
    entity = scene.entity(error.about)
    verb = "is" if entity.count == 1 else "are"
    if error.kind == "wrong_colour":
        return f"{_capital(entity.short)} {verb} clearly {entity.colour}."
    if error.kind == "wrong_shape":
        if entity.count > 1:
            return f"The {entity.colour} things are {entity.plural}."
        return f"The {entity.colour} thing is {article(entity.shape)}, not {article(error.detail)}."
    if error.kind == "wrong_size":
        return f"{_capital(entity.short)} {verb} {entity.size}."
    if error.kind == "wrong_count":
        return f"There are exactly {COUNT_WORDS[entity.count]} {entity.plural}."
    if entity.count > 1:
        return f"All {entity.name} can be seen."
    return f"{_capital(article(entity.name))} can be seen."


def claimed_as(error: SceneError) -> dict[str, str]:
    """The kind and the part (`about`) of a claim by a run's critic that names the error."""
    return {"kind": CLAIM_KINDS[error.kind], "about": "" if error.about == "extra" else error.about}


def on_record(scene: Scene, error: SceneError) -> dict[str, Any]:
    """The error as the demo's auditors go by it: kind, severity, about, text and box."""
    return {
        "kind": error.kind,
        "severity": error.severity,
        "about": error.about,
        "text": in_words(scene, error),
        "box": list(error.box) if error.box else None,
    }


def _capital(text: str) -> str:
    return text[0].upper() + text[1:]
