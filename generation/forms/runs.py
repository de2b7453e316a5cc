"""The form that designs a run: prompts, methods, seeds, engines, metrics; cleaned, it is a matrix and its prompts."""

import random
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from generation.forms.method_choices import key_choices, own_methods
from generation.forms.numbers import NumbersField
from generation.forms.run_engines import (
    CRITIC_CHOICES,
    IMAGE_CHOICES,
    LANGUAGE_CHOICES,
    METRIC_CHOICES,
    Chosen,
    endpoint_fields,
    revision_field,
)
from generation.models import PromptSet
from generation.queries.runs import plans as queries
from generation.recipes.engine_spec import EngineSpec
from generation.recipes.matrix.matrix import MOST_SEEDS, BadMatrix, Matrix
from generation.recipes.matrix.methods import MOST_ROUNDS, OFFERED, BadMethod, Drawing, MethodSpec
from generation.services.runs.planning import check_matrix

LARGEST_CHOICE_SEED = 2**53
NEW_SEEDS_BELOW = 2**32


class _Counted(forms.ModelChoiceField):
    def label_from_instance(self, obj: Any) -> str:
        return ngettext("%(name)s — %(n)s prompt", "%(name)s — %(n)s prompts", obj.n_prompts) % {
            "name": obj,
            "n": f"{obj.n_prompts:,}",
        }


@dataclass(frozen=True)
class Refusal:
    """A method that cannot be carried out with the rest of the form, and the field that could fix it."""

    label: str
    reason: str
    field: str


def _words(**attributes: Any) -> forms.TextInput:
    return forms.TextInput(attrs={"autocomplete": "off", **attributes})


def _whole(label: Any, low: int, high: int, initial: int | None = None, **more: Any) -> forms.IntegerField:
    required = more.pop("required", initial is not None)
    return forms.IntegerField(label=label, min_value=low, max_value=high, initial=initial, required=required, **more)


class RunForm(forms.Form):
    """After `is_valid` (whatever it says) `matrix`, `prompt_ids` and `refusals` tell what could be made of it."""

    use_required_attribute = False

    name = forms.CharField(label=gettext_lazy("Name"), max_length=200, widget=_words())
    prompt_set = _Counted(PromptSet.objects.none(), label=gettext_lazy("Prompt set"), empty_label=None)
    category = forms.CharField(
        label=gettext_lazy("Category"),
        help_text=gettext_lazy("Empty: all of them."),
        max_length=100,
        required=False,
        widget=_words(list="categories"),
    )
    take = forms.ChoiceField(
        label=gettext_lazy("Which of them"),
        choices=(
            ("all", gettext_lazy("all")),
            ("first", gettext_lazy("the first")),
            ("random", gettext_lazy("some at random")),
        ),
        initial="all",
    )
    n_prompts = _whole(gettext_lazy("How many"), 1, 1_000_000, required=False)
    methods = forms.MultipleChoiceField(
        label=gettext_lazy("Methods"), choices=key_choices, required=False, widget=forms.CheckboxSelectMultiple
    )
    own_mode = forms.ChoiceField(
        label=gettext_lazy("Refined by"),
        choices=(("renoise", gettext_lazy("noise up to T−k")), ("switch", gettext_lazy("a new prompt at step k"))),
        initial="renoise",
        required=False,
    )
    own_k = NumbersField(
        label=gettext_lazy("k"),
        help_text=gettext_lazy("One or several, such as “3, 6”. Empty: none of your own."),
        max_length=200,
        required=False,
        widget=_words(inputmode="numeric"),
    )
    own_rounds = _whole(gettext_lazy("Rounds"), 1, MOST_ROUNDS, 1)
    own_critic = forms.ChoiceField(
        label=gettext_lazy("Its critic"),
        choices=(
            ("structured", gettext_lazy("sees the decomposition")),
            ("unstructured", gettext_lazy("does without the decomposition")),
            ("plain", gettext_lazy("only rewrites the prompt")),
        ),
        initial="structured",
        required=False,
    )
    own_old_pooled = forms.BooleanField(
        label=gettext_lazy("Keep the old pooled embedding, as the released code does"), required=False
    )
    seeds = NumbersField(
        label=gettext_lazy("Seeds"),
        help_text=gettext_lazy("Such as “2628670643, 2628670647” or “42–45”."),
        max_length=20_000,
        required=False,
        widget=_words(inputmode="numeric"),
    )
    n_new_seeds = _whole(gettext_lazy("Additional new seeds"), 0, MOST_SEEDS, 0, required=False)
    choice_seed = _whole(
        gettext_lazy("Seed for random choices"),
        0,
        LARGEST_CHOICE_SEED,
        0,
        help_text=gettext_lazy("The same number chooses the same prompts and the same new seeds."),
    )
    image = forms.ChoiceField(label=gettext_lazy("Drawn by"), choices=IMAGE_CHOICES)
    image_model = forms.CharField(
        label=gettext_lazy("Folder, or owner/name"), max_length=500, required=False, widget=_words(spellcheck="false")
    )
    image_revision = revision_field()
    quantization = forms.ChoiceField(
        label=gettext_lazy("Weights"),
        choices=(("", gettext_lazy("as they are")), ("nf4", gettext_lazy("4 bits (NF4)"))),
        required=False,
    )
    offload = forms.BooleanField(
        label=gettext_lazy("Keep on the GPU only the part that is computing"),
        help_text=gettext_lazy("Slower; for a GPU that is too small for all parts at once."),
        required=False,
    )
    n_steps = _whole(gettext_lazy("Steps"), 1, 1000, 28)
    guidance = forms.FloatField(label=gettext_lazy("Guidance"), min_value=0, max_value=50, initial=4.5)
    width = _whole(gettext_lazy("Width"), 16, 4096, 1024, step_size=16)
    height = _whole(gettext_lazy("Height"), 16, 4096, 1024, step_size=16)
    negative_prompt = forms.CharField(
        label=gettext_lazy("Negative prompt"), max_length=1000, required=False, widget=_words()
    )
    language = forms.ChoiceField(label=gettext_lazy("Decomposed and rewritten by"), choices=LANGUAGE_CHOICES)
    critic = forms.ChoiceField(label=gettext_lazy("Criticised by"), choices=CRITIC_CHOICES)
    metrics = forms.MultipleChoiceField(
        label=gettext_lazy("Metrics"), choices=METRIC_CHOICES, required=False, widget=forms.CheckboxSelectMultiple
    )
    priority = _whole(
        gettext_lazy("Priority"), -100, 100, 0, help_text=gettext_lazy("Runs with a higher number go first.")
    )
    may_reuse = forms.BooleanField(
        label=gettext_lazy("Reuse what an earlier run made in exactly the same way"), required=False, initial=True
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for role in ("language", "critic"):
            self.fields |= endpoint_fields(role)
            self.fields[f"{role}_revision"] = revision_field()
        self.fields |= endpoint_fields("judge") | endpoint_fields("images", with_prices=False)
        prompt_set = self.fields["prompt_set"]
        if isinstance(prompt_set, forms.ModelChoiceField):
            prompt_set.queryset = queries.prompt_sets_with_counts()
        self.matrix: Matrix | None = None
        self.prompt_ids: list[int] = []
        self.refusals: list[Refusal] = []

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        self.prompt_ids = self._chosen_prompts(cleaned)
        seeds = self._seeds(cleaned)
        methods = self._methods(cleaned)
        if methods and seeds:
            self._put_together(cleaned, methods, seeds)
        return cleaned

    # --- what is to be made ------------------------------------------------------------------------------------------
    def _chosen_prompts(self, cleaned: dict[str, Any]) -> list[int]:
        prompt_set, take, n = cleaned.get("prompt_set"), cleaned.get("take"), cleaned.get("n_prompts")
        if prompt_set is None or {"category", "n_prompts", "choice_seed"} & set(self.errors):
            return []
        if take != "all" and n is None:
            self.add_error("n_prompts", _("Say how many, or take all."))
            return []
        category = cleaned.get("category", "").strip()
        found = queries.chosen_prompts(
            prompt_set,
            category,
            n=None if take == "all" else n,
            seed=cleaned.get("choice_seed") if take == "random" else None,
        )
        if not found:
            there = queries.categories(prompt_set.pk)
            self.add_error(
                "category",
                _("No prompt of this set has this category. The set’s categories: %(there)s.")
                % {"there": ", ".join(there) or "—"},
            )
        return found

    def _seeds(self, cleaned: dict[str, Any]) -> tuple[int, ...]:
        if {"seeds", "n_new_seeds", "choice_seed"} & set(self.errors):
            return ()
        given = cleaned.get("seeds", ())
        chance = random.Random(cleaned.get("choice_seed"))  # noqa: S311  # seeds to be repeated, not secrets
        new = chance.sample(range(NEW_SEEDS_BELOW), cleaned.get("n_new_seeds") or 0)
        found = tuple(dict.fromkeys((*given, *new)))
        if not 1 <= len(found) <= MOST_SEEDS:
            self.add_error("seeds", _("Give 1 to %(most)s seeds.") % {"most": MOST_SEEDS})
            return ()
        return found

    def _methods(self, cleaned: dict[str, Any]) -> list[MethodSpec]:
        chosen = [OFFERED[key] for key in OFFERED if key in cleaned.get("methods", ())]
        if {"own_k", "own_rounds", "own_mode", "own_critic"} & set(self.errors):
            return chosen
        try:
            chosen += own_methods(
                mode=cleaned.get("own_mode") or "renoise",
                ks=cleaned.get("own_k", ()),
                rounds=cleaned.get("own_rounds") or 1,
                critic=cleaned.get("own_critic") or "structured",
                old_pooled=cleaned.get("own_old_pooled", False),
            )
        except BadMethod as problem:
            self.add_error("own_k", str(problem))
        if not chosen:
            self.add_error("methods", _("Choose at least one method."))
        return list(dict.fromkeys(chosen))

    def _put_together(self, cleaned: dict[str, Any], methods: list[MethodSpec], seeds: tuple[int, ...]) -> None:
        """The matrix of every method that can be carried out; the others are refused, each at the field to change."""
        engines, metrics = self._engines(cleaned, methods)
        drawing = self._drawing(cleaned)
        if "image" not in engines or drawing is None:
            return
        possible = []
        for method in methods:
            try:
                check_matrix(Matrix((method,), seeds, engines, metrics, drawing), self.prompt_ids)
            except BadMatrix as problem:
                field = _field_to_change(method, engines, metrics, drawing)
                self.refusals.append(Refusal(method.label, str(problem), field))
            else:
                possible.append(method)
        for refusal in self.refusals:
            self.add_error(refusal.field, refusal.reason)
        try:
            self.matrix = Matrix(tuple(possible), seeds, engines, metrics, drawing) if possible else None
        except BadMatrix as problem:
            self.add_error("methods", str(problem))

    def _engines(
        self, cleaned: dict[str, Any], methods: Iterable[MethodSpec]
    ) -> tuple[dict[str, EngineSpec], dict[str, EngineSpec]]:
        """Only those that some method needs: what is not asked for is not part of a run."""
        chosen = Chosen(self)
        engines = {"image": chosen.image()}
        refined = [method.refinement for method in methods if method.refinement is not None]
        if refined:
            engines["critic"] = chosen.reader("critic")
        if any(r.critic == "structured" for r in refined) or any(method.words != "prompt" for method in methods):
            engines["language"] = chosen.reader("language")
        if any(method.engine == "openai-images" for method in methods):
            engines["openai-images"] = chosen.remote("openai-images", "images")
        metrics = chosen.metrics(cleaned.get("metrics", ()))
        return {role: spec for role, spec in engines.items() if spec is not None}, metrics

    def _drawing(self, cleaned: dict[str, Any]) -> Drawing | None:
        names = ("n_steps", "guidance", "width", "height")
        if set(names) & set(self.errors):
            return None
        return Drawing(**{name: cleaned[name] for name in names}, negative_prompt=cleaned.get("negative_prompt", ""))


def _field_to_change(
    method: MethodSpec, engines: dict[str, EngineSpec], metrics: dict[str, EngineSpec], drawing: Drawing
) -> str:
    """Where the cure of a refusal lies."""
    refinement = method.refinement
    if method.engine not in engines:
        return "images_endpoint"
    if method.largest_k >= drawing.n_steps:
        return "n_steps"
    if any(choice is not None and choice.by not in metrics for choice in (method.seeds, method.best_of)):
        return "metrics"
    if refinement is not None and refinement.drawn_as != "redraw" and engines["image"].engine == "diffusers":
        return "image"
    if refinement is not None and (
        "critic" not in engines or (engines["critic"].is_recipe and refinement.critic != "structured")
    ):
        return "critic"
    language = engines.get("language")
    if language is None or (language.is_recipe and method.words != "prompt"):
        return "language"
    return "seeds" if method.seeds is not None else "methods"
