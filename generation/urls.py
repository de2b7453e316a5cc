"""Addresses of the pages and of the API about prompts, images and their imports."""

from django.urls import path

from generation.api import imports as api
from generation.api import runs as run_api
from generation.views import again, images, imports, manifests, prompts, run_new, runs

urlpatterns = [
    path("imports/", imports.index, name="imports"),
    path("imports/new/<slug:kind>/", imports.new, name="import-new"),
    path("imports/<int:run_id>/", imports.run, name="import-run"),
    path("imports/<int:run_id>/rejected.csv", imports.rejects, name="import-rejects"),
    path("imports/<int:run_id>/cancel/", imports.cancel, name="import-cancel"),
    path("imports/<int:run_id>/again/", imports.again, name="import-again"),
    path("prompts/", prompts.index, name="prompt-sets"),
    path("prompts/<int:set_id>/", prompts.prompt_set, name="prompt-set"),
    path("prompt/<int:prompt_id>/", prompts.prompt, name="prompt"),
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
    path("api/v1/imports/", api.Imports.as_view(), name="api-imports"),
    path("api/v1/imports/<int:run_id>/", api.Import.as_view(), name="api-import"),
    path("api/v1/runs/", run_api.Runs.as_view(), name="api-runs"),
    path("api/v1/runs/<int:run_id>/", run_api.OneRun.as_view(), name="api-run"),
    path("api/v1/runs/<int:run_id>/pause/", run_api.Pause.as_view(), name="api-run-pause"),
    path("api/v1/runs/<int:run_id>/resume/", run_api.Resume.as_view(), name="api-run-resume"),
    path("api/v1/runs/<int:run_id>/cancel/", run_api.Cancel.as_view(), name="api-run-cancel"),
    path("api/v1/runs/<int:run_id>/retry/", run_api.Retry.as_view(), name="api-run-retry"),
    path("api/v1/runs/<int:run_id>/images/", run_api.RunImages.as_view(), name="api-run-images"),
    path("api/v1/runs/<int:run_id>/manifest.jsonl", run_api.RunManifest.as_view(), name="api-run-manifest"),
    path("api/v1/images/<int:image_id>/file", run_api.ImageFile.as_view(), name="api-image-file"),
    path("api/v1/runs/<int:run_id>/failures/", run_api.RunFailures.as_view(), name="api-run-failures"),
]
