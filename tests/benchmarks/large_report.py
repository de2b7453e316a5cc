"""A report over a million ratings as background work: seconds, memory, progress, and how fast pages are meanwhile.

    python -m tests.benchmarks.large_report [--ratings 1000000] [--folder FOLDER]

The site and its worker run as `serve` starts them, on SQLite. A researcher opens the results page, which then counts in
the background and asks for the report: two methods, one comparison, ten metrics. Until it is done, a researcher keeps
opening the study's pages and a rater keeps rating, one request after the other. Prints the task's seconds by the clock
and of the processors, the peak memory of its process, each message of progress with its time, and p50, p95 and the
maximum of every page.

In the same run, on the same ratings, the named alternative for one figure of the report: `krippendorff`'s ordinal alpha
without an interval. With --folder the study is kept there, and used again by the next run.
"""

import argparse
import http.client
import os
import re
import subprocess
import tempfile
import time
from collections import defaultdict
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import numpy as np

from tests.benchmarks.annotator_loop import ROOT, SERVED, TOKEN, WARM_UP, session_of, site
from tests.benchmarks.stats.whole_analysis import taken_s

if TYPE_CHECKING:
    from annotations.models import Study

RATERS, RATERS_A_UNIT, METRICS = 20, 3, 10
PAUSE_S = 0.05
LONGEST_S = 1800
PAGES = ("", "results/", "items/", "raters/", "live/", "explore/", "settings/", "export/")
CARD = re.compile(rb'data-token="([^"]+)"')


def lay(n_ratings: int) -> None:
    """The study with its answers and scores; the second method refined the images of the first."""
    from django.contrib.auth.models import User
    from django.db.models import F
    from django.utils import timezone

    from annotations.models import Item, Rater
    from generation.models import Image
    from tests.benchmarks.bulk_study import lay_answers, lay_scores, lay_study

    rng = np.random.default_rng(0)
    n_units = n_ratings // RATERS_A_UNIT
    owner, late = (User.objects.create_user(name) for name in ("owner", "late"))
    study = lay_study(n_items=n_units, k=RATERS_A_UNIT + 1, owner_id=owner.pk)
    simulated = Rater.Kind.SIMULATED
    raters = [Rater.objects.create(study=study, name=f"rater {i}", kind=simulated).pk for i in range(RATERS)]
    Rater.objects.create(study=study, user=late, name="late", consented_at=timezone.now())

    quality = rng.normal(size=n_units) + 0.2 * (np.arange(n_units) % 2)
    unit = np.repeat(np.arange(n_units), RATERS_A_UNIT)
    rater = (rng.integers(0, RATERS, n_units)[:, None] + np.arange(RATERS_A_UNIT)).ravel() % RATERS
    latent = quality[unit] + rng.normal(0, 0.3, RATERS)[rater] + rng.normal(0, 0.7, len(unit))
    item = np.array(Item.objects.filter(study=study).order_by("position").values_list("pk", flat=True))
    image = np.array(Image.objects.order_by("pk").values_list("pk", flat=True))
    lay_answers(
        study, item=item[unit], rater=np.array(raters)[rater], level=np.digitize(latent, [-1.2, -0.4, 0.4, 1.2])
    )
    Item.objects.filter(study=study).update(taken=RATERS_A_UNIT)
    Image.objects.filter(method__name="method 1").update(parent=F("pk") - 1)
    for number in range(METRICS):
        lay_scores(f"metric {number}", image=image, score=quality + rng.normal(0, 0.5 + number / 3, n_units))


@dataclass
class Measured:
    """What was seen while the report was made: milliseconds by page, and (second, message) of its progress."""

    pages: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    errors: list[str] = field(default_factory=list)
    progress: list[tuple[float, str]] = field(default_factory=list)
    seconds: float = 0
    processor_s: float = 0
    peak_mb: float = 0


class Visitor:
    """One person's browser, as far as times go: a session, and a connection that is kept."""

    def __init__(self, port: int, session: str, measured: Measured) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=LONGEST_S)
        self.headers = {"Cookie": f"sessionid={session}; csrftoken={'c' * 32}", "X-CSRFToken": "c" * 32}
        self.measured = measured

    def ask(self, name: str, path: str, answers: dict[str, Any] | None = None, *, part: bool = False) -> bytes:
        """The body of a GET, or of a POST with these answers; its time is noted under this name.

        part: as htmx asks for a part of a page.
        """
        method, body, headers = "GET", None, self.headers | ({"HX-Request": "true"} if part else {})
        if answers is not None:
            method, body = "POST", urlencode(answers)
            headers = headers | {"Accept": "application/json", "Content-Type": "application/x-www-form-urlencoded"}
        began = time.perf_counter()
        try:
            self.connection.request(method, path, body, headers)
            reply = self.connection.getresponse()
        except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError):
            # A server may close an idle connection at any time; a browser then opens another.
            self.connection.close()
            self.connection.request(method, path, body, headers)
            reply = self.connection.getresponse()
        text = reply.read()
        self.measured.pages[name].append(1000 * (time.perf_counter() - began))
        if reply.status != 200:
            self.measured.errors.append(f"{name}: {reply.status}")
        return text


def use_until_done(port: int, worker: int, study: "Study") -> Measured:
    """Ask for the report by opening the results page, then open pages and rate until it is done."""
    from annotations.models import ReportSnapshot

    measured = Measured()
    researcher = Visitor(port, session_of(study.owner), measured)
    late = study.raters.get(name="late")
    assert late.user is not None
    rater = Visitor(port, session_of(late.user), measured)
    answer = {f"d{study.dimensions.get().pk}-0": 2, "shown_ms_ago": 4000, "active_ms": 3900, "answered_ms_ago": 0}
    for _ in range(WARM_UP):  # so that every process of the site has begun to serve
        Visitor(port, session_of(late.user), Measured()).ask("rate/", f"/rate/{study.token}/")
    before, began = processor_s(worker), time.monotonic()
    turn, card = 0, ""
    researcher.ask("results/ (the first)", f"/study/{study.token}/results/")
    researcher.ask("its counts, in the background", f"/study/{study.token}/results/?count&shown=", part=True)
    waiting = ReportSnapshot.objects.filter(study=study).order_by("-pk")
    while time.monotonic() - began < LONGEST_S:
        state, message, *_ = waiting.values_list("state", "message")[0]
        at = time.monotonic() - began
        if not measured.progress or measured.progress[-1][1] != (message or state):
            measured.progress.append((at, message or state))
        measured.seconds, measured.processor_s = at, processor_s(worker) - before
        measured.peak_mb = max(measured.peak_mb, peak_mb(worker))
        if state not in (ReportSnapshot.State.WAITING, ReportSnapshot.State.RUNNING):
            break
        page = PAGES[turn % len(PAGES)]
        researcher.ask(page or "overview", f"/study/{study.token}/{page}")
        if card:
            found = TOKEN.search(rater.ask("rate/ (answer)", f"/rate/{study.token}/answer/{card}/", answer))
        else:
            found = CARD.search(rater.ask("rate/", f"/rate/{study.token}/"))
        card = found.group(1).decode() if found and turn % 4 else ""
        turn += 1
        time.sleep(PAUSE_S)
    return measured


def processor_s(worker: int) -> float:
    """Seconds of the processors, in user and system mode, of this process and those that it started."""
    ticks = 0
    for pid in (worker, *_children(worker)):
        of_process = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        ticks += int(of_process[11]) + int(of_process[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def peak_mb(worker: int) -> float:
    """The most that the largest process below this one has held at once."""
    peaks = [0]
    for pid in _children(worker):
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
        peaks += [int(line.split()[1]) for line in lines if line.startswith("VmHWM")]
    return max(peaks) / 1024


def _children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def krippendorff_s(study: "Study") -> float:
    import krippendorff

    from annotations.queries.results import study_data

    ratings = study_data(study).dimensions[0].ratings
    table = np.full((ratings.n_raters, ratings.n_units), np.nan)
    table[ratings.rater, ratings.unit] = ratings.level + 1
    began = time.perf_counter()
    krippendorff.alpha(reliability_data=table, level_of_measurement="ordinal", value_domain=[1, 2, 3, 4, 5])
    return time.perf_counter() - began


def show(measured: Measured, n_ratings: int, alone_s: float, taken: float) -> None:
    print(
        f"{n_ratings:,} ratings, {METRICS} metrics, one comparison: {measured.seconds:.1f} s, of the processors "
        f"{measured.processor_s:.1f} s, peak {measured.peak_mb:.0f} MB; load {os.getloadavg()[0]:.1f} on "
        f"{os.cpu_count()} cores, the host took {taken:.0f} s"
    )
    print(f"krippendorff, one alpha without interval: {alone_s:.2f} s")
    for at, message in measured.progress:
        print(f"  {at:6.1f} s  {message}")
    print(f"{'page meanwhile':36}{'n':>5}{'p50':>8}{'p95':>8}{'max':>8}  ms")
    for name, times in measured.pages.items():
        p50, p95 = np.percentile(times, [50, 95])
        print(f"{name:36}{len(times):5}{p50:8.0f}{p95:8.0f}{max(times):8.0f}")
    print(f"errors: {', '.join(measured.errors) or 'none'}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("--ratings", type=int, default=1_000_000)
    parser.add_argument("--folder", type=Path, help="keep the study here")
    options = parser.parse_args()
    with nullcontext(options.folder) if options.folder else tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        environment = os.environ | {"EVALSITE_DATA_DIR": str(folder), "DJANGO_SETTINGS_MODULE": "evalsite.settings"}
        os.environ.update(environment)
        import django
        from django.core.management import call_command

        django.setup()
        from annotations.models import Study
        from evalsite.management.commands.serve import worker_command

        call_command("migrate", verbosity=0)
        call_command("collectstatic", interactive=False, verbosity=0)
        if not Study.objects.exists():
            lay(options.ratings)
        study = Study.objects.get()
        study.snapshots.all().delete()
        worker = subprocess.Popen(worker_command(1), cwd=ROOT, env=environment)
        try:
            with site(environment, "evalsite.wsgi:application", SERVED) as port:
                taken = taken_s()
                measured = use_until_done(port, worker.pid, study)
                taken = taken_s() - taken
        finally:
            worker.terminate()
            worker.wait(LONGEST_S)
        show(measured, options.ratings, krippendorff_s(study), taken)


if __name__ == "__main__":
    main()
