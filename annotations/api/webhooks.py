"""A study's webhooks by API: addresses that get its events, and the log of what was sent."""

from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import generics, serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from annotations.api.access import OfStudy, caller, naming_fields
from annotations.models import Delivery, Webhook
from annotations.models.webhooks import Event
from annotations.services.hooks.deliveries import make_webhook, send_again

EVENTS = serializers.ListField(child=serializers.ChoiceField(choices=Event.choices), min_length=1, max_length=20)


class WebhookSerializer(serializers.ModelSerializer[Webhook]):
    """An address and its events. `ended_at`: when it responded that it is gone, after which nothing is sent there."""

    url = serializers.CharField(max_length=1000)
    events = EVENTS

    class Meta:
        model = Webhook
        fields = ["id", "url", "events", "made_at", "ended_at"]
        read_only_fields = ["ended_at"]


class NewWebhookSerializer(WebhookSerializer):
    """A new webhook with its secret, which cannot be read again."""

    class Meta(WebhookSerializer.Meta):
        fields = [*WebhookSerializer.Meta.fields, "secret"]
        read_only_fields = ["ended_at", "secret"]


class Webhooks(OfStudy):
    """Addresses that get the study's events."""

    @extend_schema(responses=WebhookSerializer(many=True))
    def get(self, request: Request, token: str) -> Response:
        return Response(WebhookSerializer(self.study().webhooks.all(), many=True).data)

    @extend_schema(request=WebhookSerializer, responses={201: NewWebhookSerializer})
    def post(self, request: Request, token: str) -> Response:
        """Send these events there from now on, signed with the secret in the response."""
        study = self.study()
        asked = WebhookSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        with naming_fields():
            made = make_webhook(study=study, by=caller(request), **asked.validated_data)
        return Response(NewWebhookSerializer(made).data, status.HTTP_201_CREATED)


class OneWebhook(OfStudy):
    """One address."""

    @extend_schema(responses={204: None})
    def delete(self, request: Request, token: str, webhook_id: int) -> Response:
        """Send nothing more to this address, and delete its log."""
        get_object_or_404(self.study().webhooks, pk=webhook_id).delete()
        return Response(status=status.HTTP_204_NO_CONTENT)


class DeliverySerializer(serializers.ModelSerializer[Delivery]):
    """One event on its way to one address. `said` is the beginning of the response, or why there is none."""

    payload = serializers.DictField(read_only=True)

    class Meta:
        model = Delivery
        fields = [
            *("id", "webhook_id", "event", "payload", "state", "n_tries", "status", "said"),
            *("made_at", "due_at", "ended_at"),
        ]


class Deliveries(OfStudy, generics.ListAPIView[Delivery]):
    """The log of what was sent, the newest first."""

    serializer_class = DeliverySerializer
    newest_first = True
    queryset = Delivery.objects.none()

    def get_queryset(self) -> QuerySet[Delivery]:
        return Delivery.objects.filter(webhook__study=self.study())


class SendAgain(OfStudy):
    """Sending an event once more."""

    @extend_schema(request=None, responses={202: DeliverySerializer})
    def post(self, request: Request, token: str, delivery_id: int) -> Response:
        """Send a message again that was delivered or given up."""
        delivery: Any = get_object_or_404(Delivery, webhook__study=self.study(), pk=delivery_id)
        send_again(delivery=delivery)
        delivery.refresh_from_db()
        return Response(DeliverySerializer(delivery).data, status.HTTP_202_ACCEPTED)
