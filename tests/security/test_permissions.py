"""Every address × every persona. An address that is added without a row here fails the first test."""

from collections.abc import Iterator
from http import HTTPStatus

import pytest
from django.db import transaction
from django.http import HttpResponseBase
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from pytest_django import Settings

from tests.security.world import PERSONAS, World, make_world

pytestmark = pytest.mark.django_db

EVERYBODY = frozenset(PERSONAS)
SIGNED_IN = EVERYBODY - {"stranger"}
RUN_THE_STUDY = frozenset({"member", "owner", "superuser"})
OWNER = frozenset({"owner"})
OWNER_OR_ADMINISTRATOR = frozenset({"owner", "superuser"})
MAY_IMPORT = frozenset({"other", "owner", "superuser"})
OWN_IMPORT = frozenset({"owner", "superuser"})
SEE_ORIGINALS = frozenset({"other", "member", "owner", "superuser"})
RATER = frozenset({"annotator"})
AUDITOR = frozenset({"auditor"})

# Address → who may, and the method by which they do.
MATRIX: dict[str, tuple[frozenset[str], str]] = {
    "sign-in": (EVERYBODY, "get"),
    "sign-out": (EVERYBODY, "post"),
    "admin-sign-out": (EVERYBODY, "post"),
    "sign-in-by-link": (frozenset(), "get"),  # without a secret it lets nobody in; test_sign_in.py has the rest
    "session": (EVERYBODY, "get"),  # to each their own id, and to strangers none
    "healthz": (EVERYBODY, "get"),
    "livez": (EVERYBODY, "get"),
    "home": (EVERYBODY, "get"),
    "language": (EVERYBODY, "post"),
    "join": (EVERYBODY, "get"),
    "text-image": (EVERYBODY, "get"),  # an invitation's images, for anyone who was shown their address
    "member-accept": (EVERYBODY, "get"),  # anyone who has the link
    "api-schema": (EVERYBODY, "get"),
    "api-docs": (EVERYBODY, "get"),
    "switch-account": (frozenset(), "get"),  # the same: without a link that was opened before there is nothing to ask
    "account": (SIGNED_IN, "get"),
    "personal-link": (SIGNED_IN, "get"),
    "access-end": (SIGNED_IN, "post"),
    "token-new": (RUN_THE_STUDY | {"other"}, "post"),
    "token-revoke": (OWNER, "post"),
    "password-change": (SIGNED_IN, "get"),
    "password-forgotten": (EVERYBODY, "get"),
    "password-sent": (EVERYBODY, "get"),
    "password-set": (EVERYBODY, "get"),
    "join-declined": (EVERYBODY, "get"),
    "panel-webhook": (frozenset(), "post"),  # without Prolific's signature it lets nobody in
    "my-data": (SIGNED_IN, "get"),  # to each their own
    "my-data-export": (SIGNED_IN, "get"),
    "rater-withdraw": (RATER, "post"),
    "rater-erase": (RATER, "get"),
    "rater-word": (RATER, "post"),
    "auditor-erase": (AUDITOR, "get"),
    "rate-before": (RATER, "get"),
    "rate-skip": (RATER, "post"),
    "rate-exercise-image": (RATER, "get"),
    "rate": (RATER, "get"),
    "rate-upcoming": (RATER, "get"),
    "rate-back": (RATER, "get"),
    "rate-pause": (RATER, "post"),
    "rate-card": (RATER, "get"),
    "rate-answer": (RATER, "post"),
    "rate-image": (RATER, "get"),
    "audit": (AUDITOR, "get"),
    "audit-back": (AUDITOR, "get"),
    "audit-pause": (AUDITOR, "post"),
    "audit-work": (AUDITOR, "get"),
    "audit-save": (AUDITOR, "post"),
    "audit-missed": (AUDITOR, "post"),
    "audit-withdraw": (AUDITOR, "post"),
    "audit-image": (AUDITOR, "get"),
    "audit-decide": (AUDITOR, "get"),
    "audit-decide-save": (AUDITOR, "post"),
    "image-file": (SEE_ORIGINALS, "get"),
    "image-shown": (MAY_IMPORT, "get"),
    "image-small": (MAY_IMPORT, "get"),
    "image": (MAY_IMPORT, "get"),
    "image-again": (MAY_IMPORT, "post"),
    "prompt-sets": (MAY_IMPORT, "get"),
    "prompt-set": (MAY_IMPORT, "get"),
    "prompt": (MAY_IMPORT, "get"),
    "prompt-reference": (MAY_IMPORT, "get"),
    "prompt-set-editor-add": (OWNER_OR_ADMINISTRATOR, "post"),
    "prompt-set-editor-remove": (OWNER_OR_ADMINISTRATOR, "post"),
    "study-new": (MAY_IMPORT, "get"),
    # Who runs the study and may make studies.
    "study-selection-draft": (OWNER_OR_ADMINISTRATOR, "post"),
    "study-from-run": (MAY_IMPORT, "post"),
    "runs": (MAY_IMPORT, "get"),
    "run-new": (MAY_IMPORT, "get"),
    "run": (MAY_IMPORT, "get"),
    "run-failures": (MAY_IMPORT, "get"),
    "run-manifest": (MAY_IMPORT, "get"),
    "run-pause": (OWN_IMPORT, "post"),
    "run-resume": (OWN_IMPORT, "post"),
    "run-cancel": (OWN_IMPORT, "post"),
    "run-retry": (OWN_IMPORT, "post"),
    "imports": (MAY_IMPORT, "get"),
    "import-new": (MAY_IMPORT, "get"),
    "import-run": (OWN_IMPORT, "get"),
    "import-rejects": (OWN_IMPORT, "get"),
    "import-cancel": (OWN_IMPORT, "post"),
    "import-again": (OWN_IMPORT, "post"),
    "import-again-all": (OWN_IMPORT, "post"),
    "import-reread": (OWN_IMPORT, "post"),
    "api-runs": (MAY_IMPORT, "get"),
    "api-run": (MAY_IMPORT, "get"),
    "api-run-images": (MAY_IMPORT, "get"),
    "api-run-manifest": (MAY_IMPORT, "get"),
    "api-image-file": (MAY_IMPORT, "get"),
    "api-run-failures": (MAY_IMPORT, "get"),
    "api-run-pause": (OWN_IMPORT, "post"),
    "api-run-resume": (OWN_IMPORT, "post"),
    "api-run-cancel": (OWN_IMPORT, "post"),
    "api-run-retry": (OWN_IMPORT, "post"),
    "api-prompt-sets": (MAY_IMPORT, "get"),
    "api-prompt-set": (MAY_IMPORT, "get"),
    "api-prompt-set-editors": (OWNER_OR_ADMINISTRATOR, "post"),
    "api-prompts": (MAY_IMPORT, "get"),
    "api-prompt": (MAY_IMPORT, "get"),
    "api-methods": (MAY_IMPORT, "get"),
    "api-images": (MAY_IMPORT, "get"),
    "api-image": (MAY_IMPORT, "get"),
    "api-image-shown": (MAY_IMPORT, "get"),
    "api-scores": (MAY_IMPORT, "get"),
    "api-imports": (MAY_IMPORT, "get"),
    "api-import": (OWN_IMPORT, "get"),
    "api-token": (RUN_THE_STUDY | {"other"}, "post"),
    "api-join": (EVERYBODY, "get"),
    "api-question-presets": (SIGNED_IN, "get"),
    "api-rating": (RATER, "get"),
    "api-rating-pause": (RATER, "post"),
    "api-cards": (RATER, "get"),
    "api-card": (RATER, "post"),
    "api-card-image": (RATER, "get"),
    "api-studies": (SIGNED_IN, "get"),  # lists those that one runs; lists_hold_ones_own_studies_alone
    "activity": (frozenset({"superuser"}), "get"),
    "activity-csv": (frozenset({"superuser"}), "get"),
    "study-activity": (OWNER_OR_ADMINISTRATOR, "get"),
    "study-activity-csv": (OWNER_OR_ADMINISTRATOR, "get"),
    "study-delete": (OWNER, "get"),
    "study-delete-answers": (OWNER, "get"),
} | {
    name: (RUN_THE_STUDY, method)
    for method, names in {
        "get": (
            *("study", "study-design", "study-invitation", "study-items", "study-raters"),
            *("study-preview", "study-preview-upcoming", "study-preview-card", "study-preview-back"),
            *("study-preview-end", "study-preview-image", "study-words-first", "study-words"),
            "study-labels",
            *("study-explore", "study-explore-unit", "study-selection", "study-selection-figure"),
            *(
                "study-selection-list",
                "study-registration",
                "study-registration-file",
                "study-facts",
                "study-live",
                "study-replication",
            ),
            *("study-quality", "study-panel", "study-panel-file", "study-rater-plan", "study-exercises"),
            *("study-exercise-new", "study-text-images"),
            *("study-results", "study-results-state", "study-results-table"),
            *("study-paper", "study-paper-file", "study-figure", "study-release"),
            *("study-report-file", "study-critic", "study-critic-file", "study-critic-table", "study-claims"),
            *("study-claims-file", "study-exports", "study-export-all", "study-export-dictionary"),
            *("study-export-table", "study-settings", "study-audit", "study-audit-claims", "study-audit-image"),
            *("study-audit-matching", "study-audit-match", "study-export-format"),
            *("api-study-formats", "api-study-format"),
            *("api-study", "api-study-items", "api-study-raters", "api-study-responses", "api-study-results"),
            *("api-study-exports", "api-study-export", "api-study-invitation", "api-study-members"),
            *("api-study-archive", "api-study-participants"),
            *("api-study-extensions", "api-study-audit", "api-study-auditors", "api-study-critic"),
            *("api-study-webhooks", "api-study-deliveries", "study-benchmark", "study-webhooks"),
        ),
        "post": (
            *("study-rater-exclude", "study-rater-include", "study-invitation-renew", "study-preview-answer"),
            *(
                "study-quota",
                "study-quality-rules",
                "study-quality-apply",
                "study-exercise-mismatches",
                "study-exercise-remove",
                "study-text-image-remove",
            ),
            *("study-state", "study-member-add", "study-member-remove", "study-audit-state"),
            *("study-member-invite", "study-member-invitation-revoke"),
            *("study-audit-auditors", "study-audit-plant", "study-audit-split"),
            *("api-study-open", "api-study-close", "api-rater-exclude", "api-rater-include"),
            *("api-study-audit-open", "api-study-audit-close", "api-study-delivery-send"),
            *("study-webhook-remove", "study-delivery-again"),
        ),
        "delete": ("api-study-member", "api-study-webhook"),
    }.items()
    for name in names
}
TO_SIGN_IN = ("/sign-in/", "/admin/login/")


def patterns(resolver: URLResolver) -> Iterator[URLPattern]:
    """Every address of the site but the administration's own, which has a test below."""
    for entry in resolver.url_patterns:
        if isinstance(entry, URLPattern):
            yield entry
        elif entry.namespace != "admin":
            yield from patterns(entry)


ADDRESSES = {str(pattern.name): pattern for pattern in patterns(get_resolver())}


def test_every_address_has_its_row() -> None:
    assert None not in {pattern.name for pattern in patterns(get_resolver())}
    assert set(ADDRESSES) == set(MATRIX)


def url_of(world: World, name: str) -> str:
    wanted = ADDRESSES[name].pattern.converters
    given = {key: world.arguments.get(f"{name}:{key}", world.arguments.get(key)) for key in wanted}
    query = {
        "study-selection-figure": f"?unit={world.arguments['item_id']}-{world.arguments['image_id']}",
        "rate-upcoming": f"?after={world.arguments['rate-card:token']}",
        "study-preview-upcoming": f"?after={world.arguments['card']}",
        "study-preview-back": f"?from={world.arguments['card']}",
        "study-exercise-new": f"?item={world.arguments['rated_item']}",
    }
    return reverse(name, kwargs=given) + query.get(name, "")


def is_let_in(response: HttpResponseBase, name: str) -> bool:
    """False for everything that turns somebody away: to the sign-in page, to the start page, 401, 403 and 404."""
    location = response.headers.get("Location", "")
    if response.status_code == HTTPStatus.FOUND and name not in ("sign-out", "admin-sign-out", "language"):
        return not location.startswith(TO_SIGN_IN) and location != "/"
    return response.status_code not in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND)


def ask(client: Client, method: str, url: str) -> HttpResponseBase:
    """The answer, and nothing changed by it."""
    point = transaction.savepoint()
    cookies = client.cookies.output(header="")
    try:
        response: HttpResponseBase = getattr(client, method)(url)
        return response
    finally:
        transaction.savepoint_rollback(point)
        client.cookies.clear()
        client.cookies.load(cookies)


def test_every_persona_gets_what_is_theirs_and_no_more(settings: Settings) -> None:
    settings.API_STRANGER_CALLS_PER_MINUTE = 10_000  # a fast machine asks for every address within a minute
    world = make_world()
    clients = {persona: world.client(persona) for persona in PERSONAS}
    wrong = []
    for name, (may, method) in MATRIX.items():
        url = url_of(world, name)
        for persona, client in clients.items():
            for tried in sorted({"get", "post", method}):
                response = ask(client, tried, url)
                assert response.status_code < HTTPStatus.INTERNAL_SERVER_ERROR, (persona, tried, name)
                let_in = is_let_in(response, name) and response.status_code != HTTPStatus.METHOD_NOT_ALLOWED
                said = f"{persona} {tried} {name}: {response.status_code} {response.headers.get('Location', '')}"
                if persona in may:
                    wrong += [said] if tried == method and not let_in else []
                elif let_in or world.study.title.encode() in content(response):
                    wrong.append(said)
                elif persona == "stranger" and name.startswith("api-"):
                    wrong += [said] if response.status_code not in (401, 403) else []
    assert not wrong, "\n".join(wrong)


@pytest.mark.postgres
def test_every_address_answers_on_postgresql_too() -> None:
    """Once each, for somebody who may: rights are the same there, the queries of pages need not be."""
    world = make_world()
    clients = {persona: world.client(persona) for persona in PERSONAS}
    wrong = []
    for name, (may, method) in MATRIX.items():
        for persona in [persona for persona in ("owner", *PERSONAS) if persona in may][:1]:
            response = ask(clients[persona], method, url_of(world, name))
            if not is_let_in(response, name) or response.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
                wrong.append(f"{persona} {method} {name}: {response.status_code}")
    assert not wrong, "\n".join(wrong)


def content(response: HttpResponseBase) -> bytes:
    return response.getvalue() if response.streaming else response.content  # type: ignore[attr-defined]


def test_lists_rows_and_administration_are_kept_apart() -> None:
    world = make_world()  # one for all three: it takes two seconds
    lists_hold_ones_own_studies_alone(world)
    another_studys_numbers_open_nothing_of_it(world)
    the_administration_is_for_its_staff(world)


def lists_hold_ones_own_studies_alone(world: World) -> None:
    for persona in SIGNED_IN:
        page = world.client(persona).get(reverse("api-studies")).content.decode()
        assert (world.study.token in page) == (persona in RUN_THE_STUDY), persona
        assert (reverse("study", args=[world.study.token]) in world.client(persona).get("/").content.decode()) == (
            persona in RUN_THE_STUDY
        ), persona


def another_studys_numbers_open_nothing_of_it(world: World) -> None:
    """Rows that are numbered are looked for within the study of the address, not by their number alone."""
    other = world.users["other"]
    own = other.studies.get()
    client = world.client("other")
    numbered = {
        "study-results-state": "get",
        "study-results-table": "get",
        "study-report-file": "get",
        "study-paper": "get",
        "study-paper-file": "get",
        "study-figure": "get",
        "study-audit-image": "get",
        "study-audit-match": "get",
        "study-audit-plant": "post",
        "study-audit-split": "post",
    }
    for name, method in numbered.items():
        url = url_of(world, name).replace(world.study.token, own.token)
        assert own.token in url
        assert getattr(client, method)(url).status_code == HTTPStatus.NOT_FOUND, name
    client.post(url_of(world, "study-member-remove").replace(world.study.token, own.token))
    assert world.study.memberships.filter(pk=str(world.arguments["membership_id"])).exists()


def the_administration_is_for_its_staff(world: World) -> None:
    for persona in PERSONAS:
        for page in (
            "index",
            "auth_user_changelist",
            "annotations_study_changelist",
            "evalsite_apitoken_changelist",
        ):
            response = world.client(persona).get(reverse(f"admin:{page}"))
            assert response.headers.get("Location", "").startswith("/admin/login/"), (persona, page)
