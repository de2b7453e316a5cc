"""Addresses of the API, version 1; imports are in the generation app."""

from django.urls import path
from drf_spectacular.views import SpectacularAPIView

from annotations.api import views

urlpatterns = [
    path("schema/", SpectacularAPIView.as_view(), name="api-schema"),
    path("token/", views.OwnToken.as_view(), name="api-token"),
    path("studies/", views.Studies.as_view(), name="api-studies"),
    path("studies/<str:token>/", views.StudyDetail.as_view(), name="api-study"),
    path("studies/<str:token>/items/", views.Items.as_view(), name="api-study-items"),
    path("studies/<str:token>/raters/", views.Raters.as_view(), name="api-study-raters"),
    path("studies/<str:token>/responses/", views.Responses.as_view(), name="api-study-responses"),
    path("studies/<str:token>/results/", views.Results.as_view(), name="api-study-results"),
    path("studies/<str:token>/exports/", views.Exports.as_view(), name="api-study-exports"),
    path("studies/<str:token>/exports/<slug:name>.<slug:ending>", views.Export.as_view(), name="api-study-export"),
]
