"""Addresses of the API, version 1; imports are in the generation app."""

from django.urls import path

from annotations.api import audits, raters, rating, studies, views, webhooks

urlpatterns = [
    path("question-presets/", studies.Presets.as_view(), name="api-question-presets"),
    path("studies/", studies.Studies.as_view(), name="api-studies"),
    path("studies/<str:token>/", studies.StudyDetail.as_view(), name="api-study"),
    path("studies/<str:token>/open/", studies.OpenStudy.as_view(), name="api-study-open"),
    path("studies/<str:token>/close/", studies.CloseStudy.as_view(), name="api-study-close"),
    path("studies/<str:token>/invitation/", studies.Invitation.as_view(), name="api-study-invitation"),
    path("studies/<str:token>/members/", studies.Members.as_view(), name="api-study-members"),
    path("studies/<str:token>/members/<int:membership_id>/", studies.OneMember.as_view(), name="api-study-member"),
    path("studies/<str:token>/extensions/", studies.Extensions.as_view(), name="api-study-extensions"),
    path("studies/<str:token>/items/", views.Items.as_view(), name="api-study-items"),
    path("studies/<str:token>/raters/", raters.Raters.as_view(), name="api-study-raters"),
    path(
        "studies/<str:token>/raters/<int:rater_id>/exclude/",
        raters.ExcludeRater.as_view(),
        name="api-rater-exclude",
    ),
    path(
        "studies/<str:token>/raters/<int:rater_id>/include/",
        raters.IncludeRater.as_view(),
        name="api-rater-include",
    ),
    path("studies/<str:token>/participants/", raters.Participants.as_view(), name="api-study-participants"),
    path("studies/<str:token>/responses/", views.Responses.as_view(), name="api-study-responses"),
    path("studies/<str:token>/results/", views.Results.as_view(), name="api-study-results"),
    path("studies/<str:token>/exports/", views.Exports.as_view(), name="api-study-exports"),
    path("studies/<str:token>/exports/study.zip", views.Archive.as_view(), name="api-study-archive"),
    path("studies/<str:token>/exports/<slug:name>.<slug:ending>", views.Export.as_view(), name="api-study-export"),
    path("studies/<str:token>/formats/", views.Formats.as_view(), name="api-study-formats"),
    path("studies/<str:token>/formats/<slug:name>/", views.StudyInFormat.as_view(), name="api-study-format"),
    path("studies/<str:token>/audit/", audits.AuditOfStudy.as_view(), name="api-study-audit"),
    path("studies/<str:token>/audit/open/", audits.OpenAudit.as_view(), name="api-study-audit-open"),
    path("studies/<str:token>/audit/close/", audits.CloseAudit.as_view(), name="api-study-audit-close"),
    path("studies/<str:token>/audit/auditors/", audits.Auditors.as_view(), name="api-study-auditors"),
    path("studies/<str:token>/critic/", audits.CriticResults.as_view(), name="api-study-critic"),
    path("studies/<str:token>/webhooks/", webhooks.Webhooks.as_view(), name="api-study-webhooks"),
    path("studies/<str:token>/webhooks/<int:webhook_id>/", webhooks.OneWebhook.as_view(), name="api-study-webhook"),
    path("studies/<str:token>/deliveries/", webhooks.Deliveries.as_view(), name="api-study-deliveries"),
    path(
        "studies/<str:token>/deliveries/<int:delivery_id>/send/",
        webhooks.SendAgain.as_view(),
        name="api-study-delivery-send",
    ),
    path("rate/<str:study_token>/", rating.Rating.as_view(), name="api-rating"),
    path("rate/<str:study_token>/pause/", rating.PauseRating.as_view(), name="api-rating-pause"),
    path("rate/<str:study_token>/cards/", rating.Cards.as_view(), name="api-cards"),
    path("rate/<str:study_token>/cards/<str:token>/", rating.CardAnswers.as_view(), name="api-card"),
    path(
        "rate/<str:study_token>/cards/<str:token>/images/<int:place>/",
        rating.CardImage.as_view(),
        name="api-card-image",
    ),
]
