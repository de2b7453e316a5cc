"""Prompt sets and prompts by API."""

from typing import Any

from django.core.exceptions import ValidationError as Problem
from django.db.models import Q, QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import generics, serializers, status
from rest_framework.exceptions import PermissionDenied, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from exchange.identity import identity
from exchange.tables.values import MAX_TEXT
from generation.api.addresses import address
from generation.api.rows import CountsSerializer, FilteredList, OfData, caller, key_field, rejecting
from generation.models import Prompt, PromptSet
from generation.queries import prompts as queries
from generation.services.editors import add_editor, remove_editor
from generation.services.pushes.tables import make_prompt_set, push_prompts

MOST_PROMPTS = 10_000
NEW_OR_THERE = {422: OpenApiResponse(description="The set belongs to somebody else.")}


class PromptSetSerializer(serializers.ModelSerializer[PromptSet]):
    """A named collection of prompts. Its owner and the editors they name add to it."""

    url = serializers.SerializerMethodField()
    owner = serializers.CharField(source="owner.username", allow_null=True, default=None, read_only=True)
    editors = serializers.SerializerMethodField()
    n_prompts = serializers.IntegerField(read_only=True)
    n_images = serializers.IntegerField(read_only=True)
    name = serializers.CharField(max_length=200, help_text="Another spelling is another set.")

    class Meta:
        model = PromptSet
        fields = [
            *("id", "url", "name", "source", "licence", "owner", "editors", "n_prompts", "n_images", "created_at"),
        ]

    def get_url(self, prompt_set: PromptSet) -> str:
        return address(self, "api-prompt-set", prompt_set.pk)

    def get_editors(self, prompt_set: PromptSet) -> list[str]:
        return sorted(editor.get_username() for editor in prompt_set.editors.all())

    def validate_name(self, name: str) -> str:
        if not identity(name):
            raise ValidationError("Send a name with at least one visible character.", code="blank")
        return identity(name)


class PromptSetFilter(serializers.Serializer[Any]):
    name = serializers.CharField(required=False, help_text="Exactly this name.")
    mine = serializers.BooleanField(required=False, help_text="Only sets that you may add to.")


class PromptSets(FilteredList[PromptSet]):
    """Every prompt set of the site, the oldest first; further ones can be created."""

    serializer_class = PromptSetSerializer
    filter_class = PromptSetFilter
    queryset = PromptSet.objects.none()

    def get_queryset(self) -> QuerySet[PromptSet]:
        rows = _sets()
        if self.filters().get("mine"):
            rows = rows.filter(pk__in=PromptSet.objects.changeable_by(caller(self.request)).values("pk"))
        return self.filtered(rows, name="name")

    @extend_schema(parameters=[PromptSetFilter])
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().get(request, *args, **kwargs)

    @extend_schema(
        request=PromptSetSerializer,
        responses={201: PromptSetSerializer, 200: PromptSetSerializer, **NEW_OR_THERE},
    )
    def post(self, request: Request) -> Response:
        """Create a set: 201. If you already have a set of this name, it is returned unchanged: 200."""
        asked = self.get_serializer(data=request.data)
        asked.is_valid(raise_exception=True)
        with rejecting():
            made, is_new = make_prompt_set(user=caller(request), **asked.validated_data)
        answer = self.get_serializer(_sets().get(pk=made.pk)).data
        return Response(answer, status.HTTP_201_CREATED if is_new else status.HTTP_200_OK)


class OnePromptSet(OfData, generics.RetrieveAPIView[PromptSet]):
    """A prompt set with its contents."""

    serializer_class = PromptSetSerializer
    queryset = PromptSet.objects.none()
    lookup_url_kwarg = "set_id"

    def get_queryset(self) -> QuerySet[PromptSet]:
        return _sets()


class EditorSerializer(serializers.Serializer[Any]):
    """Somebody who may add to a set, by the name they sign in with."""

    username = serializers.CharField(max_length=150)


class Editors(OfData):
    """The people who may add to a set besides its owner. Only the owner may change this list."""

    @extend_schema(request=EditorSerializer, responses={200: PromptSetSerializer})
    def post(self, request: Request, set_id: int) -> Response:
        """Let somebody add to the set."""
        prompt_set = self._own(request, set_id)
        asked = EditorSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        try:
            add_editor(prompt_set=prompt_set, username=asked.validated_data["username"], by=caller(request))
        except Problem as problem:
            raise ValidationError({"username": problem.messages}) from problem
        return self._answer(request, set_id)

    @extend_schema(request=EditorSerializer, responses={200: PromptSetSerializer})
    def delete(self, request: Request, set_id: int) -> Response:
        """End somebody's right to add to the set. Rows that they added stay."""
        prompt_set = self._own(request, set_id)
        asked = EditorSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        editor = get_object_or_404(prompt_set.editors, username=asked.validated_data["username"])
        remove_editor(prompt_set=prompt_set, user_id=editor.pk, by=caller(request))
        return self._answer(request, set_id)

    def _own(self, request: Request, set_id: int) -> PromptSet:
        prompt_set = get_object_or_404(PromptSet, pk=set_id)
        if not prompt_set.is_owned_by(caller(request)):
            raise PermissionDenied
        return prompt_set

    def _answer(self, request: Request, set_id: int) -> Response:
        return Response(PromptSetSerializer(_sets().get(pk=set_id), context={"request": request}).data)


class PromptSerializer(serializers.ModelSerializer[Prompt]):
    """What an image should show. `metadata` has every further column of its source."""

    prompt_set = serializers.CharField(source="prompt_set.name", read_only=True)
    metadata = serializers.DictField(read_only=True)

    class Meta:
        model = Prompt
        fields = [
            *("id", "prompt_set_id", "prompt_set", "key", "text", "category", "sub_category", "topic", "metadata"),
            "created_at",
        ]


class PromptFilter(serializers.Serializer[Any]):
    prompt_set = serializers.CharField(required=False, help_text="The name of its set.")
    prompt_set_id = key_field(required=False)
    category = serializers.CharField(required=False)
    key = serializers.CharField(required=False)
    text = serializers.CharField(required=False, help_text="Words that its text, topic or key contains.")


class NewPromptSerializer(serializers.Serializer[Any]):
    """A prompt to add. Sending the same prompt again changes nothing."""

    prompt = serializers.CharField(max_length=MAX_TEXT, trim_whitespace=False)
    key = serializers.CharField(max_length=200, required=False, allow_blank=True)
    category = serializers.CharField(max_length=100, required=False, allow_blank=True)
    sub_category = serializers.CharField(max_length=100, required=False, allow_blank=True)
    topic = serializers.CharField(max_length=200, required=False, allow_blank=True)
    metadata = serializers.DictField(required=False, help_text="Whatever else is known; kept as it is.")


class NewPromptsSerializer(serializers.Serializer[Any]):
    """Prompts for a set, which is made if new."""

    prompt_set = serializers.CharField(max_length=200)
    prompts = serializers.ListField(child=NewPromptSerializer(), min_length=1, max_length=MOST_PROMPTS)


class Prompts(FilteredList[Prompt]):
    """The site's prompts in the order in which they were added; further ones can be added."""

    serializer_class = PromptSerializer
    filter_class = PromptFilter
    queryset = Prompt.objects.none()
    is_repeatable = True

    def get_queryset(self) -> QuerySet[Prompt]:
        rows = Prompt.objects.select_related("prompt_set")
        if text := self.filters().get("text"):
            rows = rows.filter(Q(text__icontains=text) | Q(topic__icontains=text) | Q(key__iexact=text))
        same = {name: name for name in ("prompt_set_id", "category", "key")}
        return self.filtered(rows, prompt_set="prompt_set__name", **same)

    @extend_schema(parameters=[PromptFilter])
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().get(request, *args, **kwargs)

    @extend_schema(request=NewPromptsSerializer, responses={200: CountsSerializer})
    def post(self, request: Request) -> Response:
        """Add prompts, all or none: 422 names each row that was refused, with field and cure."""
        asked = NewPromptsSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        rows = [{**row.pop("metadata", {}), **row} for row in asked.validated_data["prompts"]]
        with rejecting():
            counts = push_prompts(prompt_set=asked.validated_data["prompt_set"], rows=rows, user=caller(request))
        return Response(CountsSerializer(counts).data)


class OnePrompt(OfData, generics.RetrieveAPIView[Prompt]):
    """A prompt."""

    serializer_class = PromptSerializer
    queryset = Prompt.objects.select_related("prompt_set")
    lookup_url_kwarg = "prompt_id"


def _sets() -> QuerySet[PromptSet]:
    return queries.prompt_sets().select_related("owner").prefetch_related("editors").order_by("pk")
