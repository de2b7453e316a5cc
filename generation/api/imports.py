"""Imports by API: send files, get an address, and poll it for the import's progress."""

from typing import Any, cast

from django.conf import settings
from django.contrib.auth.models import User
from django.http import QueryDict
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.exceptions import APIException, ValidationError
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from generation import dispatch
from generation.api.addresses import address
from generation.api.uploads import FormWithFiles, uploads_described
from generation.forms import ImportForm
from generation.models import ImportRun
from generation.queries.import_runs import runs_of
from generation.services.imports.import_runs import ask_to_cancel
from generation.services.imports.importers import importers
from generation.views.rights import MAY_IMPORT, is_too_large


class MayImport(BasePermission):
    """Researchers, as on the pages."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        return isinstance(request.user, User) and request.user.has_perm(MAY_IMPORT)


class TooLarge(APIException):
    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_code = "too_large"

    def __init__(self) -> None:
        super().__init__(f"A file may have at most {settings.UPLOAD_MAX_BYTES} bytes. Split it.")


class ImportRunSerializer(serializers.ModelSerializer[ImportRun]):
    """The run's current state.
    `rejected` holds the first refused rows; `rejects_url` has them all as CSV, if any; `warnings` are sentences on
    values that were accepted but may not be intended.
    """

    url = serializers.SerializerMethodField()
    rejects_url = serializers.SerializerMethodField()
    options = serializers.SerializerMethodField()
    rejected = serializers.JSONField(source="first_rejects", read_only=True)

    class Meta:
        model = ImportRun
        fields = [
            *("id", "url", "kind", "file_name", "options", "is_dry_run", "state", "message"),
            *("n_rows", "n_created", "n_unchanged", "n_rejected", "rejected", "rejects_url", "warnings"),
            *("created_at", "started_at", "ended_at"),
        ]

    def get_url(self, run: ImportRun) -> str:
        return address(self, "api-import", run.pk)

    def get_rejects_url(self, run: ImportRun) -> str | None:
        return address(self, "import-rejects", run.pk) if run.rejects else None

    def get_options(self, run: ImportRun) -> dict[str, str]:
        return dict(run.options.get("options", {}))


class Imports(APIView):
    """`POST`: multipart with `kind`, its files and options, and `dry_run`. Answers 202 with the run and its address."""

    permission_classes = (MayImport,)
    write_scope = "data"
    parser_classes = (FormWithFiles,)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        if is_too_large(request._request):  # before a session's CSRF token is looked for, which reads the whole body
            raise TooLarge
        super().initial(request, *args, **kwargs)

    @extend_schema(request={"multipart/form-data": uploads_described()}, responses={202: ImportRunSerializer})
    def post(self, request: Request) -> Response:
        data = cast("QueryDict", request.data)
        importer = importers().get(data.get("kind", ""))
        if importer is None:
            raise ValidationError({"kind": [f"Send one of: {', '.join(importers())}."]})
        owner = cast("User", request.user)
        form = ImportForm(importer, owner, data, request.FILES)
        form.fields["dry_run"].initial = False
        unknown = set(data) - set(form.fields) - {"kind"}
        if unknown:
            raise ValidationError(
                {name: [f"This field is not known. Send only: {', '.join(form.fields)}."] for name in unknown}
            )
        if not form.is_valid():
            raise ValidationError({name: list(map(str, problems)) for name, problems in form.errors.items()})
        run = dispatch.start_import(
            importer=importer,
            uploads=form.uploads(),
            options=form.options(),
            owner=owner,
            dry_run=form.cleaned_data["dry_run"],
        )
        answer = ImportRunSerializer(run, context={"request": request}).data
        return Response(answer, status.HTTP_202_ACCEPTED, headers={"Location": answer["url"]})

    @extend_schema(responses=ImportRunSerializer(many=True))
    def get(self, request: Request) -> Response:
        """This person's latest 100 imports."""
        runs = runs_of(cast("User", request.user))[:100]
        return Response(ImportRunSerializer(runs, many=True, context={"request": request}).data)


class Import(APIView):
    """`GET`: the progress of an import. `DELETE`: cancel it; rows already imported stay."""

    permission_classes = (MayImport,)
    write_scope = "data"

    @extend_schema(responses=ImportRunSerializer)
    def get(self, request: Request, run_id: int) -> Response:
        run = get_object_or_404(runs_of(cast("User", request.user)), pk=run_id)
        return Response(ImportRunSerializer(run, context={"request": request}).data)

    @extend_schema(responses={202: ImportRunSerializer})
    def delete(self, request: Request, run_id: int) -> Response:
        run = get_object_or_404(runs_of(cast("User", request.user)), pk=run_id)
        ask_to_cancel(run=run)
        run.refresh_from_db()
        return Response(ImportRunSerializer(run, context={"request": request}).data, status.HTTP_202_ACCEPTED)
