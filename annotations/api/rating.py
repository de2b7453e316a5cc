"""Rating by API, for custom front ends: cards, their images, and answers.

Nothing here reveals a method: addresses are random and belong to one rater's card, images are only pixels, sides are
shuffled, and there is no list of items, methods or scores. A token needs the scope `rate`, and acts as one rater.
"""

from io import BytesIO
from typing import Any
from unicodedata import normalize

from django.conf import settings
from django.http import FileResponse, Http404
from django.urls import reverse
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import APIException, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from annotations.api.access import caller
from annotations.forms.rating import parse_submission
from annotations.kinds.base import UNABLE, BadAnswers, field_name
from annotations.kinds.registry import kind_of
from annotations.models import Assignment, Dimension, Rater, Study
from annotations.queries import rating as queries
from annotations.queries.raters.text_images import NAMED_IMAGE
from annotations.queries.words import asked as asked_in_words
from annotations.queries.words import language_of
from annotations.services import rating as services
from annotations.services.renditions import WIDTHS, narrow_rendition
from annotations.views.cards import images_as_shown, picture_at, slots_as_shown
from annotations.views.raters.before import comes_before
from generation.queries.stored_files import opened

MOST_CARDS = 20


class OfRater(APIView):
    """A view for the raters of a study; for others it does not exist."""

    read_scope = write_scope = "rate"

    def rater(self) -> Rater:
        rater = queries.rater_of(self.kwargs["study_token"], caller(self.request))
        if rater is None:
            raise Http404
        return rater

    def card(self) -> Assignment:
        card = queries.assignment_of(self.kwargs["token"], caller(self.request))
        if card is None or card.study.token != self.kwargs["study_token"]:
            raise Http404
        return card


class OptionSerializer(serializers.Serializer[Any]):
    """One answer that may be given: its code is what is sent."""

    code = serializers.CharField()
    value = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]  # taken off the class when it is made


class QuestionSerializer(serializers.Serializer[Any]):
    """A question of a card. `fields` are the names that its answers go by: one for each image, or one for the card.

    By kind, what is sent under such a name: the code of an option; the value of a slider; of any number of choices "1"
    under the name, a dot and the code for each that is chosen, or "none" under the name; of a comment its text under
    the name and ".text". `frozen` is what else the question asks about, as this card has it.
    """

    name = serializers.CharField()
    question = serializers.CharField()
    kind = serializers.CharField()
    about = serializers.CharField()
    fields = serializers.ListField(child=serializers.CharField())  # type: ignore[assignment]  # as above
    options = OptionSerializer(many=True)
    parameters = serializers.DictField()
    frozen = serializers.JSONField()


class PictureSerializer(serializers.Serializer[Any]):
    """An image of a card, by its place from the left; the address takes `?width=`."""

    place = serializers.IntegerField()
    url = serializers.URLField()
    width = serializers.IntegerField(allow_null=True)
    height = serializers.IntegerField(allow_null=True)


class CardSerializer(serializers.Serializer[Any]):
    """What a rater judges at once."""

    token = serializers.CharField()
    kind = serializers.CharField()
    prompt = serializers.CharField()
    images = PictureSerializer(many=True)
    reference = PictureSerializer(allow_null=True, help_text="A reference image to show next to them. It is not rated.")
    questions = QuestionSerializer(many=True)


class TextImageSerializer(serializers.Serializer[Any]):
    """An image that the instructions name: `![what it shows](name)`. Its address needs no token."""

    name = serializers.CharField()
    url = serializers.URLField()
    width = serializers.IntegerField()
    height = serializers.IntegerField()


class RatingSerializer(serializers.Serializer[Any]):
    """How far a rater is.

    `instructions` is text with the emphasis, lists and line breaks of CommonMark; the images that it names are in
    `instruction_images`. For a missing image, show the words between the brackets.
    """

    title = serializers.CharField()
    state = serializers.CharField()
    instructions = serializers.CharField()
    instruction_images = TextImageSerializer(many=True)
    n_answered = serializers.IntegerField()
    n_total = serializers.IntegerField()


class Rating(OfRater):
    """A study's information for raters, and their progress."""

    @extend_schema(responses=RatingSerializer)
    def get(self, request: Request, study_token: str) -> Response:
        rater = self.rater()
        study, progress = rater.study, queries.progress(rater)
        named = {name for _words, name in NAMED_IMAGE.findall(normalize("NFC", study.instructions))}
        images = [
            {
                "name": image.name,
                "url": request.build_absolute_uri(reverse("text-image", args=[image.token])),
                "width": image.width,
                "height": image.height,
            }
            for image in study.text_images.filter(name__in=named)
        ]
        answer: dict[str, object] = {"title": study.title, "state": study.state, "instructions": study.instructions}
        answer |= {"instruction_images": images}
        return Response(answer | {"n_answered": progress.answered, "n_total": progress.total})


class Cards(OfRater):
    """The cards that wait for a rater, in their order; they are reserved on request."""

    @extend_schema(
        parameters=[
            OpenApiParameter("n", int, description=f"The most cards to return: 1 to {MOST_CARDS}, by default 1.")
        ],
        responses={
            200: CardSerializer(many=True),
            409: OpenApiResponse(description="Something comes before the first card."),
        },
    )
    def get(self, request: Request, study_token: str) -> Response:
        rater, text = self.rater(), request.query_params.get("n", "")
        limit = min(int(text), MOST_CARDS) if text.isascii() and text.isdigit() and 0 < len(text) < 4 else 1
        cards = _waiting(rater, max(1, limit))
        if cards:
            services.renew(rater=rater, assignment=cards[0], now=timezone.now())
        return Response(_described(request, rater.study, cards))


class AnswersSerializer(serializers.Serializer[Any]):
    """The answers of a card, by the names of its fields: the codes of options, or "u" for “unable to answer”.

    In a ranking, the code for an image is its place, from "0" for the best; ties share a place.
    """

    answers = serializers.DictField(child=serializers.CharField(max_length=20_000, allow_blank=True))
    active_ms = serializers.IntegerField(min_value=0, max_value=2**31 - 1, required=False)
    shown_ms_ago = serializers.IntegerField(min_value=0, max_value=2**53, required=False)
    answered_ms_ago = serializers.IntegerField(min_value=0, max_value=2**53, required=False)
    flag = serializers.CharField(max_length=1000, required=False, allow_blank=True)
    language = serializers.ChoiceField(
        choices=[code for code, _name in settings.LANGUAGES],
        required=False,
        help_text="The language of the page that showed the card: that of `Accept-Language` when it was asked for.",
    )


class OutcomeSerializer(serializers.Serializer[Any]):
    """saved, changed (the previous answer is kept), unchanged, or late (kept, but not counted)."""

    outcome = serializers.ChoiceField(choices=[outcome.value for outcome in services.Outcome])


class CardAnswers(OfRater):
    """Answering a card."""

    @extend_schema(request=AnswersSerializer, responses={200: OutcomeSerializer})
    def post(self, request: Request, study_token: str, token: str) -> Response:
        """Save a card's answers, all or none. The same answers again change nothing."""
        card = self.card()
        asked = AnswersSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        given = asked.validated_data
        plain = {name: str(value) for name, value in given.items() if name != "answers"}
        dimensions, now = queries.dimensions_of(card.study_id), timezone.now()
        try:
            fields = {**given["answers"], **plain}
            submission = parse_submission(fields, dimensions, images_as_shown(card), now, frozen=card.item.frozen)
        except BadAnswers as problem:
            raise ValidationError({"answers": [str(problem)]}) from problem
        outcome = services.submit(
            assignment=card,
            answers=submission.answers,
            answered_at=submission.answered_at,
            shown_at=submission.shown_at,
            active_ms=submission.active_ms,
            flag=submission.flag,
            languages={one.pk: language_of(card.study, one, submission.language) for one in dimensions}
            if submission.language
            else {},
        )
        return Response({"outcome": outcome.value})


class CardImage(OfRater):
    """An image as this rater sees it: only pixels."""

    @extend_schema(
        parameters=[OpenApiParameter("width", int, description="A smaller width in pixels, for a small screen.")],
        responses={(200, "image/webp"): OpenApiTypes.BINARY},
    )
    def get(self, request: Request, study_token: str, token: str, place: int) -> FileResponse:
        picture = picture_at(self.card(), place)
        width = next((one for one in WIDTHS if request.query_params.get("width") == str(one)), 0)
        is_narrow = 0 < width < (picture.width or 0)
        file = BytesIO(narrow_rendition(picture, width)) if is_narrow else opened(picture.shown)
        return FileResponse(file, content_type="image/webp", filename="image.webp")


class PauseRating(OfRater):
    """Giving back unanswered cards."""

    @extend_schema(request=None, responses={204: None})
    def post(self, request: Request, study_token: str) -> Response:
        """Give the cards back, so that nobody waits for them; they are this rater's again on their return."""
        services.pause(rater=self.rater())
        return Response(status=204)


class OnThePage(APIException):
    """Something comes before the first card that only the page can show: practice, a quiz, or a warning."""

    status_code = 409
    default_code = "page-first"
    default_detail = "Something comes before the first card. Let the rater open the study on the site's own page."


def _waiting(rater: Rater, limit: int) -> list[Assignment]:
    if comes_before(rater):
        raise OnThePage
    if rater.study.state != Study.State.OPEN:
        return []
    cards = queries.reserved(rater, limit=limit)
    if len(cards) < min(limit, services.FEWEST_CARDS) and services.reserve(rater=rater):
        cards = queries.reserved(rater, limit=limit)
    return cards


def _described(request: Request, study: Study, cards: list[Assignment]) -> list[dict[str, Any]]:
    dimensions = asked_in_words(study, queries.dimensions_of(study.pk))
    sizes = queries.image_sizes([card.item_id for card in cards])
    rows = []
    for card in cards:
        slots, reference = slots_as_shown(card), card.item.reference
        shown = [sizes[card.item_id][slot] for slot in slots]
        if reference:
            shown.append((reference["width"], reference["height"]))
        pictures = []
        for place, (width, height) in enumerate(shown):
            path = reverse("api-card-image", args=[study.token, card.token, place])
            pictures.append({"place": place, "url": request.build_absolute_uri(path), "width": width, "height": height})
        rows.append(
            {
                "token": card.token,
                "kind": study.item_kind,
                "prompt": card.item.prompt.text,
                "images": pictures[: len(slots)],
                "reference": pictures[-1] if reference else None,
                "questions": [_question(dimension, len(slots), card.item.frozen) for dimension in dimensions],
            }
        )
    return rows


def _question(dimension: Dimension, n_images: int, frozen: dict[str, Any]) -> dict[str, Any]:
    places = range(n_images) if dimension.is_ordering else kind_of(dimension).places(dimension, n_images)
    options = [
        {"code": str(option["code"]), "value": str(option["value"]), "label": str(option["label"])}
        for option in dimension.options()
    ]
    if dimension.allows_unable:
        options.append({"code": UNABLE, "value": "", "label": "unable to answer"})
    return {
        "name": dimension.name,
        "question": dimension.question,
        "kind": dimension.kind,
        "about": dimension.about,
        "fields": [field_name(dimension, place) for place in places],
        "options": options,
        "parameters": dimension.parameters,
        "frozen": frozen.get(dimension.kind),
    }
