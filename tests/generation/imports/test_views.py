"""The import pages: for researchers, each seeing their own runs, the same with and without a script."""

from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.contrib.staticfiles import finders
from django.core.files.uploadedfile import SimpleUploadedFile
from django.templatetags.static import static
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries, DjangoCaptureOnCommitCallbacks, Settings

from generation import tasks
from generation.models import ImportRun, Prompt
from generation.services.imports.importers import importers
from tests.factories import make_study, make_user

pytestmark = pytest.mark.django_db
OF_A_RUN = ["import-run", "import-rejects", "import-cancel", "import-again"]
TABLE = b"prompt\na fox\na hen\n\t\n"


@pytest.fixture
def researcher() -> User:
    return make_user("ruth", researcher=True)


@pytest.fixture
def page(client: Client, researcher: User) -> Client:
    client.force_login(researcher)
    return client


@pytest.fixture(autouse=True)
def sent(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    ids: list[int] = []
    monkeypatch.setattr(tasks.run_import, "apply_async", lambda *, args, **_: ids.append(*args))
    return ids


def upload(page: Client, content: bytes = TABLE, kind: str = "prompts", **options: str) -> ImportRun:
    given = {"prompt_set": "p", "table": SimpleUploadedFile("table.csv", content)} | options
    response = page.post(reverse("import-new", args=[kind]), given)
    assert response.status_code == 302, response.context["form"].errors
    return ImportRun.objects.latest("pk")


def test_a_trial_run_first_and_then_for_real_with_the_same_file(
    page: Client, sent: list[int], django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        trial = upload(page, b"prompt\na fox\n\n  \n=cmd,x\n", dry_run="on")
    assert sent == [trial.pk]
    tasks.run_import(trial.pk)
    address = reverse("import-run", args=[trial.pk])
    text = page.get(address).content.decode()
    assert "Trial run. It would add: prompts 1." in text
    assert "the row has 2 cells, the header has 1" in text
    refused = page.get(reverse("import-rejects", args=[trial.pk]))
    assert refused.headers["Content-Disposition"] == f'attachment; filename="rejected-rows-{trial.pk}.csv"'
    assert b"'=cmd | x" in b"".join(refused.streaming_content)  # type: ignore[arg-type]
    assert not Prompt.objects.exists()
    with django_capture_on_commit_callbacks(execute=True):
        response = page.post(reverse("import-again", args=[trial.pk]))
    real = ImportRun.objects.latest("pk")
    assert response.headers["Location"] == reverse("import-run", args=[real.pk])
    assert sent == [trial.pk, real.pk]
    tasks.run_import(real.pk)
    assert Prompt.objects.count() == 1


def test_while_it_runs_a_script_fetches_the_changing_part_alone(page: Client) -> None:
    run = upload(page)
    address = reverse("import-run", args=[run.pk])
    whole = page.get(address).content.decode()
    assert f'hx-get="{address}"' in whole
    assert '<meta http-equiv="refresh"' in whole
    part = page.get(address, headers={"HX-Request": "true"}).content.decode()
    assert part.lstrip().startswith('<div class="stack-wide" id="run"')
    assert f'hx-get="{address}"' in part
    tasks.run_import(run.pk)
    ended = page.get(address, headers={"HX-Request": "true"}).content.decode()
    assert "hx-get" not in ended
    assert "Added: prompts 2." in ended


def test_a_waiting_run_can_be_cancelled(page: Client) -> None:
    run = upload(page)
    page.post(reverse("import-cancel", args=[run.pk]))
    run.refresh_from_db()
    assert run.state == ImportRun.State.CANCELLED
    assert "Start it again" in page.get(reverse("import-run", args=[run.pk])).content.decode()


def test_a_running_run_is_not_started_twice(page: Client) -> None:
    run = upload(page)
    page.post(reverse("import-again", args=[run.pk]))
    assert ImportRun.objects.count() == 1


def test_what_is_wrong_with_the_form_is_said_next_to_the_field(page: Client) -> None:
    address = reverse("import-new", args=["ratings"])
    given = {"table": SimpleUploadedFile("r.csv", b"x"), "study": "s", "scale": "1-x"}
    response = page.post(address, given)
    assert response.status_code == 422
    assert "is not a scale" in str(response.context["form"].errors["scale"])
    response = page.post(address, {"study": "", "scale": ""})
    assert set(response.context["form"].errors) == {"table", "study"}
    assert not ImportRun.objects.exists()


def test_the_ratings_form_offers_the_researchers_own_studies(page: Client, researcher: User) -> None:
    make_study(title="my own", owner=researcher)
    make_study(title="somebody else's")
    text = page.get(reverse("import-new", args=["ratings"])).content.decode()
    assert '<option value="my own">' in text
    assert "somebody else" not in text


def test_an_upload_beyond_the_limit_is_refused(page: Client, settings: Settings) -> None:
    settings.UPLOAD_MAX_BYTES = 10
    response = page.post(reverse("import-new", args=["prompts"]), {"table": SimpleUploadedFile("t.csv", b"x" * 11)})
    assert "larger than" in str(response.context["form"].errors["table"])
    huge = SimpleUploadedFile("t.csv", b"x" * 2**21)
    response = page.post(reverse("import-new", args=["prompts"]), {"table": huge})
    assert response.status_code == 413
    assert "Split the file" in response.content.decode()
    assert not ImportRun.objects.exists()


def test_a_form_without_its_token_is_refused(researcher: User) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(researcher)
    given = {"prompt_set": "p", "table": SimpleUploadedFile("t.csv", TABLE)}
    assert strict.post(reverse("import-new", args=["prompts"]), given).status_code == 403
    assert not ImportRun.objects.exists()


def test_an_unknown_kind_is_not_found(page: Client) -> None:
    assert page.get(reverse("import-new", args=["nonsense"])).status_code == 404


@pytest.mark.parametrize("kind", list(importers()))
def test_every_kind_has_its_page(page: Client, kind: str) -> None:
    assert page.get(reverse("import-new", args=[kind])).status_code == 200


@pytest.mark.parametrize(
    "name", ["imports", "import-new", "import-run", "import-rejects", "import-cancel", "import-again"]
)
def test_none_but_researchers_come_in(client: Client, researcher: User, name: str) -> None:
    run = ImportRun.objects.create(kind="prompts", file_name="t.csv", owner=researcher)
    arguments: list[object] = [] if name == "imports" else ["prompts"] if name == "import-new" else [run.pk]
    address = reverse(name, args=arguments)
    ask = client.post if name in ("import-cancel", "import-again") else client.get
    assert ask(address).headers["Location"].startswith(reverse("sign-in"))
    client.force_login(make_user("annotator"))
    assert ask(address).status_code == 403


@pytest.mark.parametrize("name", OF_A_RUN)
def test_a_run_is_its_owners_alone(client: Client, researcher: User, name: str) -> None:
    run = ImportRun.objects.create(kind="prompts", file_name="secret.csv", owner=researcher)
    client.force_login(make_user("other", researcher=True))
    ask = client.post if name in ("import-cancel", "import-again") else client.get
    assert ask(reverse(name, args=[run.pk])).status_code == 404
    assert "secret.csv" not in client.get(reverse("imports")).content.decode()
    run.refresh_from_db()
    assert not run.cancel_asked


def test_the_list_takes_the_same_queries_however_many_runs(
    page: Client, researcher: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    def add(n: int) -> None:
        ImportRun.objects.bulk_create(
            ImportRun(kind="prompts", file_name=f"{i}.csv", owner=researcher) for i in range(n)
        )

    add(2)
    page.get(reverse("imports"))
    with django_assert_num_queries(6) as few:
        page.get(reverse("imports"))
    add(60)
    with django_assert_num_queries(len(few)):
        text = page.get(reverse("imports")).content.decode()
    assert 'rel="next"' in text


def test_a_form_that_comes_back_asks_for_its_file_again_and_says_what_is_needed(page: Client) -> None:
    address = reverse("import-new", args=["prompts"])
    table = SimpleUploadedFile("table.csv", TABLE)
    response = page.post(address, {"prompt_set": " ", "table": table})
    assert response.status_code == 422
    assert "Choose this file again" in str(response.context["form"].errors["table"])
    assert not ImportRun.objects.exists()

    form = page.get(address).content.decode()
    assert '<label for="id_prompt_set">Prompt set</label> <span class="needed">required</span>' in form
    field = form[form.index('name="prompt_set"') - 200 : form.index('name="prompt_set"') + 200]
    assert 'aria-required="true"' in field
    assert '<label for="id_table">' in form
    assert form.count('<span class="needed">') == 2  # the file and the set


def test_where_everything_is_needed_nothing_is_marked(client: Client) -> None:
    form = client.get("/sign-in/").content.decode()
    assert 'class="needed"' not in form


def test_several_files_are_an_import_each_and_are_imported_together_after_their_trials(
    page: Client, sent: list[int], django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    files = [SimpleUploadedFile(f"{name}.csv", f"prompt\na {name}\n".encode()) for name in ("fox", "hen", "bee")]
    files.append(SimpleUploadedFile("odd.csv", b"prompt\n\t\n"))
    given = {"prompt_set": "p", "dry_run": "on", "table": files}
    with django_capture_on_commit_callbacks(execute=True):
        shown = page.post(reverse("import-new", args=["prompts"]), given, follow=True)
    runs = list(ImportRun.objects.order_by("pk"))
    assert [run.file_name for run in runs] == ["fox.csv", "hen.csv", "bee.csv", "odd.csv"]
    assert sent == [run.pk for run in runs]
    assert "Sent together" in shown.content.decode()

    all_of_them = reverse("import-again-all", args=[runs[0].pk])
    assert "Wait until every trial has finished" in page.post(all_of_them, follow=True).content.decode()
    for pk in sent[:]:
        tasks.run_import(pk)
    with django_capture_on_commit_callbacks(execute=True):
        page.post(all_of_them)
    for pk in sent[4:]:
        tasks.run_import(pk)
    real = ImportRun.objects.filter(is_dry_run=False).order_by("pk")
    assert [(run.file_name, run.n_created) for run in real] == [("fox.csv", 1), ("hen.csv", 1), ("bee.csv", 1)]
    assert Prompt.objects.count() == 3


def test_too_many_files_and_one_that_is_too_large_are_refused_by_name(page: Client, settings: Settings) -> None:
    settings.UPLOAD_MAX_BYTES = 30
    url = reverse("import-new", args=["prompts"])
    files = [SimpleUploadedFile("small.csv", b"prompt\na\n"), SimpleUploadedFile("large.csv", b"prompt\n" + b"a" * 40)]
    refused = page.post(url, {"prompt_set": "p", "table": files})
    assert refused.status_code == 422
    assert "large.csv is larger than" in refused.content.decode()
    many = [SimpleUploadedFile(f"{n}.csv", b"prompt\na\n") for n in range(51)]
    assert "at most 50 files at once" in page.post(url, {"prompt_set": "p", "table": many}).content.decode()
    assert not ImportRun.objects.exists()


@pytest.mark.parametrize("kind", list(importers()))
def test_each_kind_has_an_example_that_is_imported_without_a_fault(
    kind: str, page: Client, researcher: User, tmp_path: Path
) -> None:
    importer = importers()[kind]
    examples = {role.name: finders.find(role.example) for role in importer.files}
    assert all(examples.values())
    form = page.get(reverse("import-new", args=[kind])).content.decode()
    for role in importer.files:
        assert f'href="{static(role.example)}" download' in form
    if kind in ("scores", "critiques"):
        items = importers()["items"].files[0].example
        upload(page, Path(finders.find(items)).read_bytes(), "items", prompt_set="p")
        tasks.run_import(ImportRun.objects.latest("pk").pk)
    uploads = {name: SimpleUploadedFile(Path(path).name, Path(path).read_bytes()) for name, path in examples.items()}
    options = {"study": "S", "scale": "1-5"} if kind == "ratings" else {"prompt_set": "p"}
    page.post(reverse("import-new", args=[kind]), uploads | options)
    run = ImportRun.objects.latest("pk")
    tasks.run_import(run.pk)
    run.refresh_from_db()
    assert (run.state, run.n_rejected, run.warnings) == (ImportRun.State.DONE, 0, []), run.message
    assert run.n_created > 0
