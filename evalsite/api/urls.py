"""Addresses of the API that belong to no app."""

from django.urls import path

from evalsite.api.joining import Join
from evalsite.api.pages import docs
from evalsite.api.schema import Description
from evalsite.api.tokens import OwnToken

urlpatterns = [
    path("docs/", docs, name="api-docs"),
    path("schema/", Description.as_view(), name="api-schema"),
    path("join/<str:invitation>/", Join.as_view(), name="api-join"),
    path("token/", OwnToken.as_view(), name="api-token"),
]
