"""The results of steps as rows: images with their latents, critiques with their claims, wordings.

Every row is known by its content: what is there already is taken, so nothing is there twice, however often it is made.
"""

from collections.abc import Mapping
from typing import Any

from generation.models import Claim, Critique, Image, PromptVariant, Step
from generation.models.digests import digest
from generation.recipes.contract import Json
from generation.recipes.critique.outcome import ClaimFound, CritiqueOutcome, is_finished
from generation.recipes.engine_spec import EngineSpec
from generation.services.image_files import FILE_FIELDS
from generation.services.imports.critique_rows import ClaimRow, CritiqueRow
from generation.services.imports.critiques import critique_digest
from generation.services.imports.image_rows import image_digest
from generation.services.latents import attach, fields_of

# What of an image's provenance says how its pixels came about; a copy has it too.
_OF_PIXELS = ("engine", "spec", "request", "start", "facts")


def made_by(step: Step, **more: Any) -> Json:
    """The beginning of every provenance: the step and the run that made a row."""
    return {"step": step.digest, "run": step.run_id, **more}


def save_image(
    step: Step,
    *,
    fields: Mapping[str, Any],
    provenance: Json,
    states: Mapping[int, Mapping[str, Any]],
    parent: Image | None,
    variant: PromptVariant | None,
) -> Image:
    """The row of an image whose files are stored. fields: those of its file; states: its latents' fields by steps done.

    Call it in the transaction that ends the step.
    """
    if step.method is None:
        raise ValueError(f"{step} has no method")
    code = image_digest(
        prompt=step.prompt,
        method=step.method.name,
        seed=step.seed,
        round=step.round,
        content=fields["sha256"],
        parent=parent.digest if parent else "",
    )
    image, _is_new = Image.objects.get_or_create(
        digest=code,
        defaults={
            "prompt": step.prompt,
            "method": step.method,
            "seed": step.seed,
            "round": step.round,
            "parent": parent,
            "variant": variant,
            "provenance": provenance,
            "added_by_id": step.run.owner_id,
            **fields,
        },
    )
    attach(image=image, states=states)
    return image


def copy_image(step: Step, source: Image, *, parent: Image | None, **why: Any) -> Image:
    """The same picture as another row, because another method has it too. why: stored in its provenance."""
    kept = {name: source.provenance[name] for name in _OF_PIXELS if name in source.provenance}
    return save_image(
        step,
        fields={name: getattr(source, name) for name in FILE_FIELDS},
        provenance={**kept, **made_by(step), "copied_from": source.pk, **why},
        states=fields_of(source.latents.all()),
        parent=parent,
        variant=source.variant,
    )


def drawn_seed(image: Image) -> int:
    """The seed that an image's pixels were drawn with; a chosen image bears the seed of its row in the matrix."""
    seed = image.provenance.get("request", {}).get("seed", image.seed)
    return int(seed or 0)


def save_variant(step: Step, kind: str, text: str, *, origin: str, provenance: Json) -> PromptVariant:
    """Another wording of the step's prompt."""
    return PromptVariant.objects.get_or_create(
        prompt=step.prompt,
        kind=kind,
        digest=digest(text),
        defaults={"text": text, "origin": origin, "provenance": provenance},
    )[0]


def save_critique(
    step: Step,
    image: Image,
    outcome: CritiqueOutcome,
    *,
    critic: str,
    critic_version: str,
    origin: str,
    provenance: Json,
) -> Critique:
    """A critique with its claims; `finished` in its provenance says why a further round would be idle, or is empty."""
    return store_critique(
        image,
        outcome,
        critic=critic,
        critic_version=critic_version,
        origin=origin,
        provenance=provenance,
        added_by=step.run.owner_id,
    )


def store_critique(
    image: Image,
    outcome: CritiqueOutcome,
    *,
    critic: str,
    critic_version: str,
    origin: str,
    provenance: Json,
    added_by: int | None,
    shown: Image | None = None,
) -> Critique:
    """The same outside a run. shown: the other image that the critic saw; the critique is then a control."""
    source = Critique.Source.CRITIC if shown is None else Critique.Source.WRONG_IMAGE
    row = _as_row(outcome, critic[:200], critic_version[:200], source)
    critique, is_new = Critique.objects.get_or_create(
        digest=critique_digest(image.digest, row),
        defaults={
            "image": image,
            "critic": row.critic,
            "critic_version": row.critic_version,
            "source": row.source,
            "shown_image": shown,
            "origin": origin,
            "split": outcome.split,
            "text": outcome.text,
            "refined_prompt": outcome.refined_prompt,
            "added_by_id": added_by,
            "provenance": {**provenance, "finished": is_finished(outcome), "shortened": outcome.shortened},
        },
    )
    if is_new:
        Claim.objects.bulk_create(
            Claim(
                critique=critique,
                rank=claim.rank,
                text=claim.text,
                kind=claim.kind[:50],
                about=claim.about[:300],
                severity=claim.severity,
                confidence=claim.confidence,
            )
            for claim in outcome.claims
        )
    return critique


def copy_critique(step: Step, source: Critique, image: Image) -> Critique:
    """What a critic said of the same picture under another name, for this one too."""
    claims = tuple(
        ClaimFound(c.rank, c.text, c.kind, c.about, c.severity, c.confidence)  # type: ignore[arg-type]
        for c in source.claims.all()
    )
    provenance = source.provenance
    outcome = CritiqueOutcome(
        claims,
        source.refined_prompt,
        source.text,
        source.split,  # type: ignore[arg-type]
        provenance.get("shortened", ""),
        adds=not provenance.get("finished"),
    )
    return save_critique(
        step,
        image,
        outcome,
        critic=source.critic,
        critic_version=source.critic_version,
        origin=source.origin,
        provenance={**provenance, **made_by(step), "copied_from": source.pk},
    )


def model_label(identity: Json, spec: EngineSpec) -> tuple[str, str]:
    """(name, version) of a model for people: "gpt-4o", and its revision where it has one."""
    name = str(identity.get("model") or spec.options.get("model") or spec.engine)
    version = identity.get("revision") or spec.options.get("revision") or identity.get("weights") or ""
    return name[:200], str(version)[:200]


def _as_row(outcome: CritiqueOutcome, critic: str, critic_version: str, source: str) -> CritiqueRow:
    claims = tuple(
        ClaimRow(c.rank, c.text, c.kind[:50], c.about[:300], c.severity, c.confidence) for c in outcome.claims
    )
    return CritiqueRow(
        number=0,
        n_rows=1,
        image="",
        critic=critic,
        critic_version=critic_version,
        text=outcome.text,
        refined_prompt=outcome.refined_prompt,
        claims=claims,
        source=source,
    )
