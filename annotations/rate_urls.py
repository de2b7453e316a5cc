"""The annotator's addresses. Their tokens are random: nothing here reveals a method or a place in the study."""

from django.urls import path

from annotations.views import rate
from annotations.views.raters import before

urlpatterns = [
    path("image/<str:token>/<int:place>/", rate.image, name="rate-image"),
    path("<str:study_token>/", rate.card, name="rate"),
    path("<str:study_token>/upcoming/", rate.upcoming, name="rate-upcoming"),
    path("<str:study_token>/pause/", rate.pause, name="rate-pause"),
    path("<str:study_token>/back/", rate.back, name="rate-back"),
    path("<str:study_token>/card/<str:token>/", rate.answered_card, name="rate-card"),
    path("<str:study_token>/before/", before.before, name="rate-before"),
    path("<str:study_token>/skip/<str:token>/", rate.skip, name="rate-skip"),
    path("<str:study_token>/exercise/<str:token>/<int:place>/", before.image, name="rate-exercise-image"),
    path("<str:study_token>/answer/<str:token>/", rate.answer, name="rate-answer"),
]
