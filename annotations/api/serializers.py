"""The API's representation of a study, with its own field names: these are stable, those of models are not."""

from typing import Any

from django.urls import reverse
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from annotations.api.report_field import ReportField
from annotations.kinds.registry import kind_of
from annotations.models import Dimension, Item, Rater, ReportSnapshot, Response, Study
from annotations.questions import names_sides
from annotations.services.exports import TABLES
from annotations.services.formats.registry import FORMATS as OTHER_FORMATS

EXPORT_FORMATS = ("csv", "jsonl", "parquet")


class StudyLinks(serializers.Serializer[Study]):
    """The addresses of a study's parts."""

    page = serializers.URLField()
    items = serializers.URLField()
    raters = serializers.URLField()
    responses = serializers.URLField()
    results = serializers.URLField()
    exports = serializers.URLField()


class StudySerializer(serializers.ModelSerializer[Study]):
    """A study. `n_answered` of `n_wanted` cards are answered; a card is one rater's work on one item."""

    url = serializers.SerializerMethodField()
    owner = serializers.CharField(source="owner.username", read_only=True)
    state = serializers.CharField(read_only=True, help_text="draft, open or closed")
    n_answered = serializers.IntegerField(read_only=True)
    n_wanted = serializers.IntegerField(read_only=True)

    class Meta:
        model = Study
        fields = [
            *("url", "token", "title", "owner", "state", "item_kind", "raters_per_item", "order", "seed"),
            *("is_simulated", "n_answered", "n_wanted", "created_at", "closes_at", "completed_at"),
        ]

    def get_url(self, study: Study) -> str:
        return address(self, "api-study", study.token)


class DimensionSerializer(serializers.ModelSerializer[Dimension]):
    """A question with its scale. Values are decimal text, so that 0.5 stays exactly a half."""

    class Meta:
        model = Dimension
        fields = ["name", "question", "kind", "about", "levels", "parameters", "allows_unable"]


class StudyDetailSerializer(StudySerializer):
    """A study with its questions and the addresses of its parts."""

    dimensions = DimensionSerializer(many=True, read_only=True)
    invitation = serializers.SerializerMethodField(help_text="Where raters join.")
    links = serializers.SerializerMethodField()

    class Meta(StudySerializer.Meta):
        fields = [*StudySerializer.Meta.fields, "notes", "consent", "instructions", "dimensions", "invitation", "links"]

    def get_invitation(self, study: Study) -> str:
        return address(self, "join", study.invitation)

    @extend_schema_field(StudyLinks)
    def get_links(self, study: Study) -> dict[str, str]:
        parts = ("items", "raters", "responses", "results", "exports")
        links = {part: address(self, f"api-study-{part}", study.token) for part in parts}
        return {"page": address(self, "study", study.token)} | links


class ItemImageSerializer(serializers.Serializer[Any]):
    """An image at its slot in an item."""

    slot = serializers.IntegerField()
    id = serializers.IntegerField(source="image.pk")
    key = serializers.CharField(source="image.key")
    method = serializers.CharField(source="image.method.name")
    seed = serializers.IntegerField(source="image.seed", allow_null=True)
    round = serializers.IntegerField(source="image.round")
    sha256 = serializers.CharField(source="image.sha256")


class ItemSerializer(serializers.ModelSerializer[Item]):
    """What one card shows. `taken` of the `wanted` raters hold it or have answered it."""

    prompt = serializers.CharField(source="prompt.text", read_only=True)
    prompt_key = serializers.CharField(source="prompt.key", read_only=True)
    category = serializers.CharField(source="prompt.category", read_only=True)
    images = ItemImageSerializer(source="item_images", many=True, read_only=True)

    class Meta:
        model = Item
        fields = ["id", "key", "position", "prompt", "prompt_key", "category", "wanted", "taken", "images"]


class RaterSerializer(serializers.ModelSerializer[Rater]):
    """A judge. `kind` distinguishes people from imported identifiers and simulations. Excluded ones never count."""

    n_answered = serializers.IntegerField(read_only=True)
    last_answer_at = serializers.DateTimeField(read_only=True, allow_null=True)

    class Meta:
        model = Rater
        fields = [
            *("id", "name", "kind", "consented_at", "n_answered", "last_answer_at"),
            *("excluded_at", "excluded_reason"),
        ]


class ResponseSerializer(serializers.ModelSerializer[Response]):
    """One revision of one answer. `value` is null for “unable to answer”; `image` for an answer about the whole item.

    Questions whose answer is not a single level have it in `answer`: the places, from 0, of all choices made, or an
    object with a comment's text.

    For a question about sides, value and label name the side as it was shown, and `preferred_method` the method of the
    image there; `shown_order` has the images' slots from left to right.

    `language` is the language in which the rater read the question, empty if it was not recorded. If `is_further`, the
    item got this rater because of earlier answers, with `probability`; figures leave such answers out.
    """

    dimension = serializers.SerializerMethodField()
    item_key = serializers.CharField(source="assignment.item.key", read_only=True)
    prompt = serializers.CharField(source="assignment.item.prompt.text", read_only=True)
    image_key = serializers.CharField(source="image.key", default=None, read_only=True)
    method = serializers.CharField(source="image.method.name", default=None, read_only=True)
    rater_name = serializers.CharField(source="assignment.rater.name", read_only=True)
    answer = serializers.SerializerMethodField()
    viewing = serializers.SerializerMethodField()
    label = serializers.SerializerMethodField(method_name="label_of")  # type: ignore[assignment]  # off the class, too
    preferred_method = serializers.SerializerMethodField()
    item = serializers.IntegerField(source="assignment.item_id", read_only=True)
    image = serializers.IntegerField(source="image_id", read_only=True, allow_null=True)
    rater = serializers.IntegerField(source="assignment.rater_id", read_only=True)
    value = serializers.SerializerMethodField(method_name="value_of")
    sequence = serializers.IntegerField(source="assignment.sequence", read_only=True)
    shown_order = serializers.CharField(source="assignment.shown_order", read_only=True)
    flag = serializers.CharField(source="assignment.flag", read_only=True)
    is_further = serializers.BooleanField(source="assignment.is_further", read_only=True)
    probability = serializers.FloatField(source="assignment.probability", read_only=True)

    class Meta:
        model = Response
        fields = [
            *("id", "dimension", "item", "item_key", "prompt", "image", "image_key", "method", "rater", "rater_name"),
            *("value", "label", "answer", "preferred_method", "is_unable", "revision", "is_current"),
            *("shown_at", "answered_at", "received_at", "active_ms", "sequence", "shown_order", "flag", "viewing"),
            *("language", "is_further", "probability"),
        ]

    def get_dimension(self, response: Response) -> str:
        return self._dimension(response).name

    @extend_schema_field({"type": ["string", "null"]})
    def value_of(self, response: Response) -> str | None:
        return None if response.level is None else str(self._dimension(response).value_of(response.level))

    @extend_schema_field(
        {"description": "JSON that depends on the kind of question; null where the level is the whole answer."}
    )
    def get_answer(self, response: Response) -> Any:
        return response.answer

    @extend_schema_field({"type": ["object", "null"], "description": "How the images were seen; null if not recorded."})
    def get_viewing(self, response: Response) -> Any:
        return response.viewing

    @extend_schema_field({"type": ["string", "null"]})
    def label_of(self, response: Response) -> str | None:
        dimension = self._dimension(response)
        if response.answer is not None:
            return kind_of(dimension).in_words(dimension, response.answer)
        return None if response.level is None else dimension.label_of(response.level)

    @extend_schema_field({"type": ["string", "null"]})
    def get_preferred_method(self, response: Response) -> str | None:
        return getattr(response, "chosen_method", None) if names_sides(self._dimension(response)) else None

    def _dimension(self, response: Response) -> Dimension:
        # The study's few questions are read once, not once per answer.
        dimensions: dict[int, Dimension] = self.context["dimensions"]
        return dimensions[response.dimension_id]


class ResultsSerializer(serializers.ModelSerializer[ReportSnapshot]):
    """Results of the study's current answers, or why there are none yet.

    While `state` is waiting or running, `results` are the previous ones, or null; ask again later.
    """

    state = serializers.CharField(read_only=True, help_text="waiting, running, done or failed")
    results = ReportField(read_only=True)

    class Meta:
        model = ReportSnapshot
        fields = ["state", "message", "n_ratings", "seed", "code_version", "created_at", "ended_at", "results"]


class ExportSerializer(serializers.Serializer[Any]):
    """One table and where its files are."""

    name = serializers.CharField()
    title = serializers.CharField()
    files = serializers.DictField(child=serializers.URLField())


def export_links(serializer_context: dict[str, Any], study: Study) -> list[dict[str, Any]]:
    request = serializer_context["request"]

    def files(name: str) -> dict[str, str]:
        args = [(ending, reverse("api-study-export", args=[study.token, name, ending])) for ending in EXPORT_FORMATS]
        return {ending: str(request.build_absolute_uri(path)) for ending, path in args}

    return [{"name": table.name, "title": table.title, "files": files(table.name)} for table in TABLES.values()]


class FormatSerializer(serializers.Serializer[Any]):
    """Another program's format, and the address of the study in it."""

    name = serializers.CharField()
    title = serializers.CharField()
    media_type = serializers.CharField()
    file = serializers.URLField()


def format_links(serializer_context: dict[str, Any], study: Study) -> list[dict[str, Any]]:
    request = serializer_context["request"]

    def file(name: str) -> str:
        return str(request.build_absolute_uri(reverse("api-study-format", args=[study.token, name])))

    return [
        {"name": one.name, "title": str(one.title), "media_type": one.media_type, "file": file(one.name)}
        for one in OTHER_FORMATS.values()
    ]


def address(serializer: serializers.BaseSerializer[Any], name: str, *args: object) -> str:
    return str(serializer.context["request"].build_absolute_uri(reverse(name, args=args)))
