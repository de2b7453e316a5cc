"""Whole addresses in the API's answers."""

from typing import Any

from django.urls import reverse
from rest_framework import serializers


def address(serializer: serializers.BaseSerializer[Any], name: str, *args: object) -> str:
    """The address of a view by its name, with the host that the request was made to."""
    return str(serializer.context["request"].build_absolute_uri(reverse(name, args=args)))
