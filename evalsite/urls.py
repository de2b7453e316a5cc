"""Every address of the site."""

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path
from django.views.i18n import set_language

from evalsite.accounts.signing_in import SignOut
from evalsite.serving.health import healthz, livez

urlpatterns: list[URLPattern | URLResolver] = [
    path("admin/logout/", SignOut.as_view(), name="admin-sign-out"),
    path("admin/", admin.site.urls),
    path("healthz/", healthz, name="healthz"),
    path("livez/", livez, name="livez"),
    path("language/", set_language, name="language"),
    path("", include("evalsite.accounts.urls")),
    path("api/v1/", include("evalsite.api.urls")),
    path("", include("annotations.urls")),
    path("", include("generation.urls")),
]

handler400 = "evalsite.api.errors.bad_request"
handler403 = "evalsite.api.errors.permission_denied"
handler404 = "evalsite.api.errors.page_not_found"
handler500 = "evalsite.api.errors.server_error"
