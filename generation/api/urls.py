"""Addresses of the API, version 1: prompts, images, scores, imports and runs."""

from django.urls import path

from generation.api import images, imports, prompts, runs, scores

urlpatterns = [
    path("prompt-sets/", prompts.PromptSets.as_view(), name="api-prompt-sets"),
    path("prompt-sets/<int:set_id>/", prompts.OnePromptSet.as_view(), name="api-prompt-set"),
    path("prompt-sets/<int:set_id>/editors/", prompts.Editors.as_view(), name="api-prompt-set-editors"),
    path("prompts/", prompts.Prompts.as_view(), name="api-prompts"),
    path("prompts/<int:prompt_id>/", prompts.OnePrompt.as_view(), name="api-prompt"),
    path("methods/", images.Methods.as_view(), name="api-methods"),
    path("images/", images.Images.as_view(), name="api-images"),
    path("images/<int:image_id>/", images.OneImage.as_view(), name="api-image"),
    path("images/<int:image_id>/file", runs.ImageFile.as_view(), name="api-image-file"),
    path("images/<int:image_id>/shown", images.ShownImage.as_view(), name="api-image-shown"),
    path("scores/", scores.Scores.as_view(), name="api-scores"),
    path("imports/", imports.Imports.as_view(), name="api-imports"),
    path("imports/<int:run_id>/", imports.Import.as_view(), name="api-import"),
    path("runs/", runs.Runs.as_view(), name="api-runs"),
    path("runs/<int:run_id>/", runs.OneRun.as_view(), name="api-run"),
    path("runs/<int:run_id>/pause/", runs.Pause.as_view(), name="api-run-pause"),
    path("runs/<int:run_id>/resume/", runs.Resume.as_view(), name="api-run-resume"),
    path("runs/<int:run_id>/cancel/", runs.Cancel.as_view(), name="api-run-cancel"),
    path("runs/<int:run_id>/retry/", runs.Retry.as_view(), name="api-run-retry"),
    path("runs/<int:run_id>/images/", runs.RunImages.as_view(), name="api-run-images"),
    path("runs/<int:run_id>/manifest.jsonl", runs.RunManifest.as_view(), name="api-run-manifest"),
    path("runs/<int:run_id>/failures/", runs.RunFailures.as_view(), name="api-run-failures"),
]
