"""Addresses of the study pages. Studies are named by random tokens, so that no address tells how many there are."""

from django.urls import include, path

from annotations.views import critic, deletion, design, exports, home, items, join, results, run_study, studies

urlpatterns = [
    path("", home.home, name="home"),
    path("me/link/", home.personal_link, name="personal-link"),
    path("join/<str:invitation>/", join.join, name="join"),
    path("rate/", include("annotations.rate_urls")),
    path("audit/", include("annotations.audit_urls")),
    path("image/<int:image_id>/file", items.image_file, name="image-file"),
    path("api/v1/", include("annotations.api.urls")),
    path("study/new/", design.new_study, name="study-new"),
    path("study/from-run/<int:run_id>/", run_study.study_from_run, name="study-from-run"),
    path("study/<str:token>/", studies.overview, name="study"),
    path("study/<str:token>/items/", items.gallery, name="study-items"),
    path("study/<str:token>/raters/", studies.raters, name="study-raters"),
    path("study/<str:token>/results/", results.results, name="study-results"),
    path("study/<str:token>/results/<int:snapshot_id>/state/", results.state, name="study-results-state"),
    path("study/<str:token>/results/<int:snapshot_id>/<slug:name>.csv", results.table, name="study-results-table"),
    path(
        "study/<str:token>/results/<int:snapshot_id>/report.<slug:ending>",
        results.report_file,
        name="study-report-file",
    ),
    path("study/<str:token>/critic/", critic.critic, name="study-critic"),
    path("study/<str:token>/critic/report.<slug:ending>", critic.report_file, name="study-critic-file"),
    path("study/<str:token>/critic/<slug:name>.csv", critic.table, name="study-critic-table"),
    path("study/<str:token>/claims/", critic.claims, name="study-claims"),
    path("study/<str:token>/claims/claims.<slug:ending>", critic.claims_file, name="study-claims-file"),
    path("study/<str:token>/export/", exports.index, name="study-exports"),
    path("study/<str:token>/export/study.zip", exports.everything, name="study-export-all"),
    path("study/<str:token>/export/data-dictionary.md", exports.dictionary, name="study-export-dictionary"),
    path("study/<str:token>/export/<slug:name>.<slug:ending>", exports.table, name="study-export-table"),
    path("study/<str:token>/settings/", studies.settings, name="study-settings"),
    path("study/<str:token>/state/", studies.change_state, name="study-state"),
    path("study/<str:token>/members/", studies.add_member, name="study-member-add"),
    path("study/<str:token>/members/<int:membership_id>/remove/", studies.remove_member, name="study-member-remove"),
    path("study/<str:token>/delete/", deletion.delete, name="study-delete"),
    path("study/<str:token>/delete/answers", deletion.answers_file, name="study-delete-answers"),
]
