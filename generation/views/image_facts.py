"""The record of how an image was made, as rows for people."""

import json
from collections.abc import Mapping
from typing import Any

from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from generation.models import Image

# What of an engine's identity is worth a row by itself; the rest is in the raw record.
OF_IDENTITY = ("model", "revision", "weights", "dtype", "quantization", "device", "torch", "diffusers", "transformers")
SHORT = 12
REVISION_LENGTH = 40


def facts_of(image: Image) -> list[tuple[str, str]]:
    """Label and value, in the order of their weight; only what is known."""
    record = _mapping(image.provenance)
    parameters = _mapping(image.method.parameters)
    request = _mapping(parameters.get("drawing")) | record | _mapping(record.get("request"))
    rows = [(_("Method"), image.method.name), (_("Seed"), "" if image.seed is None else str(image.seed))]
    if image.seed is not None and request.get("seed", image.seed) != image.seed:
        rows.append((_("Drawn with seed"), str(request["seed"])))
    rows.append((_("Round"), str(image.round) if image.round else _("0: the first drawing")))
    if n_steps := request.get("n_steps") or request.get("steps"):
        rows.append((_("Steps"), str(n_steps)))
    if (guidance := request.get("guidance")) is not None:
        rows.append((_("Guidance"), str(guidance)))
    if negative := request.get("negative_prompt"):
        rows.append((_("Negative prompt"), str(negative)))
    rows.append((_("How it was refined"), _refinement(image, parameters, record, n_steps)))
    rows += _engine(_mapping(record.get("spec")) or _mapping(parameters.get("engine")), _mapping(record.get("engine")))
    rows += [(_("Note"), str(note)) for note in _mapping(record.get("facts")).get("notes", ())]
    if image.width:
        size = f"{image.width} × {image.height} · {image.format} · {filesizeformat(image.n_bytes or 0)}"
        rows.append((_("File"), size))
    if image.key:
        rows.append((_("Key"), image.key))
    source = _mapping(record.get("source"))
    rows.append((_("Imported from"), " · ".join(str(source[name]) for name in ("bundle", "file") if source.get(name))))
    for name, value in _mapping(record.get("facets")).items():
        rows.append((str(name), str(value)))
    return [(label, value) for label, value in rows if value]


def is_made_here(image: Image) -> bool:
    """Whether there is a record to make it again from: it was neither imported nor drawn by the demo."""
    return bool({"request", "copied_from"} & set(_mapping(image.provenance)))


def raw_record(image: Image) -> str:
    """Everything on record, as it is stored."""
    record = {
        "image": image.pk,
        "digest": image.digest,
        "sha256": image.sha256,
        "provenance": image.provenance,
        "method": image.method.parameters,
    }
    return json.dumps(record, ensure_ascii=False, indent=2)


def _refinement(image: Image, parameters: Mapping[str, Any], record: Mapping[str, Any], n_steps: Any) -> str:
    """What was done according to the record; if it does not say, the meaning of the method's name."""
    refinement = _mapping(_mapping(parameters.get("method")).get("refinement"))
    start, mode = _mapping(record.get("start")), refinement.get("mode")
    if image.parent_id is None or not (start or mode):
        return ""
    if reason := record.get("stopped"):
        return _("Kept as it was: %(reason)s") % {"reason": reason}
    if start.get("mode") == "renoise" or (not start and mode == "renoise"):
        k = start.get("n", refinement.get("k"))
        words = _("noise was added to its parent up to step %(k)s, and it was denoised again") % {"k": k}
        if isinstance(k, int) and isinstance(n_steps, int):
            words += f" (t′ = T − {k} = {n_steps - k})"
        return f"{_('renoise')}, k = {k}: {words}"
    if start.get("mode") == "resume" or (not start and mode == "switch" and refinement.get("k") != 0):
        n = int(start.get("n", refinement.get("k", 0) + 1))
        words = ngettext(
            "the first drawing again, %(n)d step with the old prompt",
            "the first drawing again, %(n)d steps with the old prompt",
            n,
        ) % {"n": n}
        is_old = not start.get("swap_pooled", refinement.get("swap_pooled", True))
        return f"{_('switch')}, k = {n - 1}: {words}" + (" · " + _("old pooled embedding") if is_old else "")
    return _("redraw: generated again with the refined prompt")


def _engine(spec: Mapping[str, Any], identity: Mapping[str, Any]) -> list[tuple[str, str]]:
    rows = [(_("Engine"), str(spec.get("engine") or identity.get("engine") or ""))]
    options = _mapping(spec.get("options"))
    for name in OF_IDENTITY:
        value = identity.get(name, options.get(name))
        if value not in (None, "", {}, []):
            text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
            is_revision = len(text) >= REVISION_LENGTH and text.isalnum()
            rows.append((name.capitalize(), text[:SHORT] + "…" if is_revision else text))
    return rows


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
