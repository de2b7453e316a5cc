"""Addresses of the pages and of the API about prompts, images and their imports."""

from django.urls import include, path

from generation.views import activity, again, editors, images, imports, manifests, prompts, run_new, runs

urlpatterns = [
    path("api/v1/", include("generation.api.urls")),
    path("activity/", activity.index, name="activity"),
    path("activity/activity.csv", activity.as_csv, name="activity-csv"),
    path("imports/", imports.index, name="imports"),
    path("imports/new/<slug:kind>/", imports.new, name="import-new"),
    path("imports/<int:run_id>/", imports.run, name="import-run"),
    path("imports/<int:run_id>/rejected.csv", imports.rejects, name="import-rejects"),
    path("imports/<int:run_id>/cancel/", imports.cancel, name="import-cancel"),
    path("imports/<int:run_id>/again/", imports.again, name="import-again"),
    path("imports/<int:run_id>/again-all/", imports.again_all, name="import-again-all"),
    path("imports/<int:run_id>/reread/", imports.reread, name="import-reread"),
    path("prompts/", prompts.index, name="prompt-sets"),
    path("prompts/<int:set_id>/", prompts.prompt_set, name="prompt-set"),
    path("prompts/<int:set_id>/editors/", editors.add, name="prompt-set-editor-add"),
    path("prompts/<int:set_id>/editors/<int:user_id>/remove/", editors.remove, name="prompt-set-editor-remove"),
    path("prompt/<int:prompt_id>/", prompts.prompt, name="prompt"),
    path("prompt/<int:prompt_id>/reference", prompts.reference, name="prompt-reference"),
    path("images/<int:image_id>/", images.image, name="image"),
    path("images/<int:image_id>/again/", again.again, name="image-again"),
    path("images/<int:image_id>/shown", images.shown, name="image-shown"),
    path("images/<int:image_id>/small", images.small, name="image-small"),
    path("runs/", runs.index, name="runs"),
    path("runs/new/", run_new.new, name="run-new"),
    path("runs/<int:run_id>/", runs.run, name="run"),
    path("runs/<int:run_id>/failures/", runs.failures, name="run-failures"),
    path("runs/<int:run_id>/manifest.jsonl", manifests.of_run, name="run-manifest"),
    path("runs/<int:run_id>/pause/", runs.pause, name="run-pause"),
    path("runs/<int:run_id>/resume/", runs.resume, name="run-resume"),
    path("runs/<int:run_id>/cancel/", runs.cancel, name="run-cancel"),
    path("runs/<int:run_id>/retry/", runs.retry, name="run-retry"),
]
