"""The engines as a form chooses them: what draws, reads, sees and scores, as data for a matrix."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from generation.recipes.engine_spec import QUESTIONS, RULES, EngineSpec
from generation.recipes.matrix.experiments import (
    LOOKING_CRITIC,
    SCENES,
    SD35_LARGE,
    SD35_MEDIUM,
    SD35_TURBO,
    TINY,
    of_scenes,
    questions_critic,
    tiny,
)

IMAGE_ENGINES: Mapping[str, EngineSpec] = {
    "sd35-large": SD35_LARGE,
    "sd35-medium": SD35_MEDIUM,
    "sd35-turbo": SD35_TURBO,
    "scenes": SCENES,
    "tiny": TINY,
}
IMAGE_CHOICES = (
    ("sd35-large", gettext_lazy("Stable Diffusion 3.5 Large")),
    ("sd35-medium", gettext_lazy("Stable Diffusion 3.5 Medium")),
    ("sd35-turbo", gettext_lazy("Stable Diffusion 3.5 Large Turbo")),
    ("scenes", gettext_lazy("the small model of the demo's scenes: coloured figures, on any machine")),
    ("tiny", gettext_lazy("tiny random weights: shows the machinery, not the method")),
    ("sd3", gettext_lazy("another model of the Stable Diffusion 3 family")),
    ("diffusers", gettext_lazy("another text-to-image pipeline of diffusers")),
)
LANGUAGE_CHOICES = (
    (RULES, gettext_lazy("rules, without a model")),
    ("chat", gettext_lazy("a model behind an endpoint")),
    ("local-chat", gettext_lazy("a model on this computer")),
)
CRITIC_CHOICES = (
    (QUESTIONS, gettext_lazy("the decomposition's questions, asked of BLIP-VQA")),
    ("looking", gettext_lazy("the demo's own critic, which only understands its scenes")),
    ("chat", gettext_lazy("a model that sees, behind an endpoint")),
    ("local-chat", gettext_lazy("a model that sees, on this computer")),
)
METRIC_CHOICES = (
    ("clip-score", gettext_lazy("CLIPScore")),
    ("image-reward", gettext_lazy("ImageReward")),
    ("blip-vqa", gettext_lazy("BLIP-VQA")),
    ("scenes-vqa", gettext_lazy("questions about the demo's scenes, answered by looking")),
    ("judge", gettext_lazy("a model as judge, 1–5")),
)
COMMIT = re.compile(r"[0-9a-f]{40}")
HUB_ID = re.compile(r"[\w.-]+/[\w.-]+")
FOLDER = re.compile(r"(/|\./|\.\./|~|[A-Za-z]:\\)")


def endpoint_choices() -> list[tuple[str, str]]:
    return [(name, name) for name in settings.GENERATION_ENDPOINTS]


def endpoint_fields(role: str, *, with_prices: bool = True) -> dict[str, forms.Field]:
    """Where a remote model answers, by the role's prefix. The address and the key stay with the worker."""
    fields: dict[str, forms.Field] = {
        f"{role}_endpoint": forms.ChoiceField(label=gettext_lazy("Endpoint"), choices=endpoint_choices, required=False),
        f"{role}_model": forms.CharField(
            label=gettext_lazy("Model"),
            max_length=200,
            required=False,
            widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
        ),
    }
    if with_prices:
        for direction, label in (
            ("in", gettext_lazy("US$ per million tokens sent")),
            ("out", gettext_lazy("US$ per million tokens received")),
        ):
            fields[f"{role}_price_{direction}"] = forms.FloatField(
                label=label, min_value=0, required=False, widget=forms.NumberInput(attrs={"step": "any"})
            )
    return fields


def revision_field() -> forms.CharField:
    return forms.CharField(
        label=gettext_lazy("Revision"),
        help_text=gettext_lazy("The commit in full, 40 digits; leave it empty for a folder."),
        max_length=40,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )


class Chosen:
    """Reads engines off a form's cleaned data, and notes on its fields what is missing."""

    def __init__(self, form: forms.Form) -> None:
        self._form, self._data = form, form.cleaned_data
        self.is_tiny = self._data.get("image") == "tiny"
        self.is_of_scenes = self._data.get("image") == "scenes"

    def image(self) -> EngineSpec | None:
        choice = self._data.get("image") or ""
        if choice in ("sd3", "diffusers"):
            options = self._weights("image")
            return EngineSpec(choice, options | self._how()) if options else None
        spec = IMAGE_ENGINES.get(choice)
        if spec is None or self.is_tiny:
            return spec
        return EngineSpec(spec.engine, {**spec.options, **self._how()})

    def reader(self, role: str) -> EngineSpec | None:
        """The language model or the critic."""
        choice = self._data.get(role) or ""
        if choice == RULES:
            return EngineSpec(RULES)
        if choice == QUESTIONS:
            return questions_critic(is_tiny=self.is_tiny)
        if choice == "looking":
            return LOOKING_CRITIC
        if choice == "local-chat":
            return EngineSpec("local-chat", self._weights(role))
        return self.remote("chat", role) if choice == "chat" else None

    def remote(self, engine: str, role: str) -> EngineSpec:
        """An engine behind an endpoint. Where something is missing the field says so, and the rest can be counted."""
        options = {name: self._data.get(f"{role}_{name}") or "" for name in ("endpoint", "model")}
        if not settings.GENERATION_ENDPOINTS:
            self._form.add_error(
                f"{role}_endpoint",
                _("No endpoint is known here. Name one in EVALSITE_ENDPOINTS and start the site again."),
            )
        else:
            for name, value in options.items():
                if not value:
                    self._form.add_error(f"{role}_{name}", _("Name it, or choose something else."))
        prices = {name: self._data.get(f"{role}_{name}") for name in ("price_in", "price_out")}
        return EngineSpec(engine, options | {name: value for name, value in prices.items() if value is not None})

    def metrics(self, names: Iterable[str]) -> dict[str, EngineSpec]:
        found = {}
        for name in names:
            if name == "judge":
                found[name] = EngineSpec(name, {"chat": self.remote("chat", "judge").as_json()})
            elif self.is_of_scenes:
                found[name] = of_scenes(name)
            else:
                found[name] = tiny(name) if self.is_tiny and name != "scenes-vqa" else EngineSpec(name)
        return found

    def _weights(self, role: str) -> dict[str, Any]:
        """A folder, or a hub id with its commit; empty, with the reason on the field, where it is neither."""
        model = (self._data.get(f"{role}_model") or "").strip()
        revision = (self._data.get(f"{role}_revision") or "").strip()
        if not model:
            self._form.add_error(f"{role}_model", _("Name a folder, or owner/name."))
        elif model == "tiny" or FOLDER.match(model):
            return {"model": model}
        elif not HUB_ID.fullmatch(model):
            self._form.add_error(f"{role}_model", _("This is neither a folder nor of the form owner/name."))
        elif not COMMIT.fullmatch(revision):
            problem = _("Name the commit in full, 40 hexadecimal digits: a branch moves, and the images would with it.")
            self._form.add_error(f"{role}_revision", problem)
        else:
            return {"model": model, "revision": revision}
        return {}

    def _how(self) -> dict[str, Any]:
        """How the image engine is loaded; only what differs from its own default."""
        how: dict[str, Any] = {}
        if self._data.get("quantization") and self._data.get("image") != "diffusers":
            how["quantization"] = self._data["quantization"]
        if self._data.get("offload"):
            how["offload"] = True
        return how
