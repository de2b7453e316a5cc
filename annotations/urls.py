"""Addresses of the study pages. Studies are named by random tokens, so that no address tells how many there are."""

from django.urls import include, path

from annotations.views import home

urlpatterns = [
    path("", home.home, name="home"),
    path("me/link/", home.personal_link, name="personal-link"),
    path("rate/", include("annotations.rate_urls")),
]
