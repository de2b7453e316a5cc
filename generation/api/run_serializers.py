"""What the API accepts and returns for runs."""

from collections.abc import Mapping
from typing import Any, cast

from django.utils import timezone
from django.utils.functional import cached_property
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import ValidationError

from generation.api.addresses import address
from generation.models import Image, MetricScore, PromptSet, Run, Step
from generation.queries.runs import overview as queries
from generation.queries.runs.plans import category_for, prompts_of
from generation.recipes.engine_spec import EngineSpec
from generation.recipes.matrix.experiments import EXPERIMENTS
from generation.recipes.matrix.matrix import BadMatrix, Matrix
from generation.recipes.matrix.methods import BadMethod


class StartSerializer(serializers.Serializer[Run]):
    """A new run: a ready-made experiment or a matrix, over prompts of one set."""

    name = serializers.CharField(max_length=200, required=False)
    prompt_set = serializers.SlugRelatedField(slug_field="name", queryset=PromptSet.objects.all())
    category = serializers.CharField(
        required=False,
        help_text="Only the set's prompts of this category; by default the experiment's category, if the set has it.",
    )
    first = serializers.IntegerField(min_value=1, required=False, help_text="Only this many prompts, the first ones.")
    experiment = serializers.ChoiceField(choices=sorted(EXPERIMENTS), required=False)
    matrix = serializers.JSONField(required=False, help_text="Methods, seeds, engines, metrics and drawing.")
    language = serializers.JSONField(required=False, help_text='An engine as {"engine": name, "options": {…}}.')
    critic = serializers.JSONField(required=False, help_text="The same for the critic.")
    priority = serializers.IntegerField(min_value=-100, max_value=100, default=0)
    may_reuse = serializers.BooleanField(default=True)

    def validate_language(self, value: Any) -> EngineSpec:
        return _engine(value)

    def validate_critic(self, value: Any) -> EngineSpec:
        return _engine(value)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if unknown := set(self.initial_data) - set(self.fields):
            names = ", ".join(self.fields)
            raise ValidationError({name: [f"This field is not known. Send only: {names}."] for name in sorted(unknown)})
        if ("experiment" in attrs) == ("matrix" in attrs):
            raise ValidationError({"experiment": ["Send either an experiment or a matrix."]})
        given = "experiment" if "experiment" in attrs else "matrix"
        try:
            attrs["matrix"] = _matrix(attrs)
        except (BadMatrix, BadMethod) as problem:
            raise ValidationError({given: [str(problem)]}) from problem
        if "experiment" in attrs:
            attrs.setdefault("first", EXPERIMENTS[attrs["experiment"]].n_prompts)
        attrs["prompts"] = _prompts(attrs)
        return attrs


def _engine(value: Any) -> EngineSpec:
    try:
        return EngineSpec.from_json(value)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ValidationError('Give {"engine": "chat", "options": {…}}.') from error


def _matrix(attrs: Mapping[str, Any]) -> Matrix:
    if "matrix" in attrs:
        return Matrix.from_json(attrs["matrix"])
    experiment = EXPERIMENTS[attrs["experiment"]]
    return experiment.matrix(language=attrs.get("language"), critic=attrs.get("critic"))


def _prompts(attrs: Mapping[str, Any]) -> list[int]:
    prompt_set, category = attrs["prompt_set"], attrs.get("category", "")
    if not category and "experiment" in attrs:
        category = category_for(prompt_set, EXPERIMENTS[attrs["experiment"]].category)
    found = list(prompts_of(prompt_set, category).values_list("pk", flat=True)[: attrs.get("first")])
    if not found:
        raise ValidationError(
            {"category" if attrs.get("category") else "prompt_set": ["No prompt of the set matches."]}
        )
    return found


class RunSerializer(serializers.ModelSerializer[Run]):
    """A run's current state. `message` and `cure` say why it paused, or what failed in it."""

    url = serializers.SerializerMethodField()
    images_url = serializers.SerializerMethodField()
    failures_url = serializers.SerializerMethodField()
    manifest_url = serializers.SerializerMethodField()
    prompt_set = serializers.CharField(source="prompt_set.name", read_only=True)

    class Meta:
        model = Run
        fields = [
            *("id", "url", "name", "prompt_set", "state", "message", "cure", "priority", "may_reuse"),
            *("created_at", "started_at", "ended_at", "images_url", "failures_url", "manifest_url"),
        ]

    def get_url(self, run: Run) -> str:
        return address(self, "api-run", run.pk)

    def get_images_url(self, run: Run) -> str:
        return address(self, "api-run-images", run.pk)

    def get_failures_url(self, run: Run) -> str:
        return address(self, "api-run-failures", run.pk)

    def get_manifest_url(self, run: Run) -> str:
        return address(self, "api-run-manifest", run.pk)


class KindSerializer(serializers.Serializer[Any]):
    """The progress of the steps of one kind."""

    kind = serializers.CharField()
    n = serializers.IntegerField()
    n_done = serializers.IntegerField()
    n_running = serializers.IntegerField()
    n_failed = serializers.IntegerField()
    n_reused = serializers.IntegerField()


class CostSerializer(serializers.Serializer[Any]):
    """The cost of the calls of one model; dollars is null if no price is known."""

    engine = serializers.CharField()
    model = serializers.CharField()
    n_calls = serializers.IntegerField()
    n_failed = serializers.IntegerField()
    n_tokens_in = serializers.IntegerField()
    n_tokens_out = serializers.IntegerField()
    dollars = serializers.DecimalField(max_digits=14, decimal_places=6, allow_null=True)


class WholeRunSerializer(RunSerializer):
    """A run with its progress and its costs."""

    matrix = serializers.JSONField(read_only=True)
    kinds = serializers.SerializerMethodField()
    images_per_minute = serializers.SerializerMethodField()
    seconds_left = serializers.SerializerMethodField()
    costs = serializers.SerializerMethodField()

    class Meta(RunSerializer.Meta):
        fields = [*RunSerializer.Meta.fields, "matrix", "kinds", "images_per_minute", "seconds_left", "costs"]

    @cached_property
    def _progress(self) -> queries.Progress:
        return queries.progress(cast("Run", self.instance), timezone.now())

    @extend_schema_field(KindSerializer(many=True))
    def get_kinds(self, run: Run) -> list[dict[str, Any]]:
        return [dict(row) for row in KindSerializer(self._progress.kinds, many=True).data]

    def get_images_per_minute(self, run: Run) -> float | None:
        return self._progress.images_per_minute

    def get_seconds_left(self, run: Run) -> float | None:
        return self._progress.seconds_left

    @extend_schema_field(CostSerializer(many=True))
    def get_costs(self, run: Run) -> list[dict[str, Any]]:
        return [dict(row) for row in CostSerializer(queries.costs(run), many=True).data]


class ScoreSerializer(serializers.ModelSerializer[MetricScore]):
    class Meta:
        model = MetricScore
        fields = ["metric", "version", "value"]


class ImageSerializer(serializers.ModelSerializer[Image]):
    """An image of a run. `parent` is the image that it started from."""

    prompt = serializers.CharField(source="prompt.text", read_only=True)
    method = serializers.CharField(source="method.name", read_only=True)
    round = serializers.IntegerField(read_only=True, help_text="How many refinements deep it is.")
    words = serializers.SerializerMethodField(help_text="The wording it was drawn with, if not the prompt's own.")
    scores = ScoreSerializer(many=True, read_only=True)
    file_url = serializers.SerializerMethodField()

    class Meta:
        model = Image
        fields = [
            *("id", "prompt_id", "prompt", "words", "method", "seed", "round", "parent_id", "sha256"),
            *("width", "height", "scores", "file_url", "created_at"),
        ]

    def get_words(self, image: Image) -> str:
        return image.variant.text if image.variant else ""

    def get_file_url(self, image: Image) -> str:
        return address(self, "api-image-file", image.pk)


class FailureSerializer(serializers.ModelSerializer[Step]):
    """A step that failed: why, and the cure."""

    prompt = serializers.CharField(source="prompt.text", read_only=True)
    method = serializers.CharField(source="method.name", default="", read_only=True)

    class Meta:
        model = Step
        fields = ["id", "kind", "prompt_id", "prompt", "method", "seed", "round", "n_tries", "message", "cure"]
