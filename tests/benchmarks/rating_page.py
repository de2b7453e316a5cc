"""How long a rater waits: from a key until the next card's image is decoded and two more frames are painted.

    python -m tests.benchmarks.rating_page [--cards 40] [--only desktop]

A real Chromium presses real keys on the site as gunicorn serves it. Each row is a new rater in a new browser context:
desktop (1280×800) or phone (390×844, three device pixels per CSS pixel, processor slowed four times), with the latency
and bandwidth named. Drawings are flat and small (about 50 kB), photographs noisy and large (about 400 kB), both of
512×512 pixels. Prints milliseconds, long tasks (above 50 ms) with the longest, and requests and bytes per card.
"""

import argparse
import os
import statistics
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image as Picture

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

SIDE = 512
WATCH = """() => {
  window.times = [];
  window.tasks = [];
  new PerformanceObserver((list) => list.getEntries().forEach((entry) => tasks.push(entry.duration)))
    .observe({ type: "longtask" });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "3") return;
    const before = document.querySelector("#stage .card")?.dataset.token;
    const look = async () => {
      const card = document.querySelector("#stage .card");
      if (!card || card.dataset.token === before) return requestAnimationFrame(look);
      await Promise.all([...card.querySelectorAll("img")].map((image) => image.decode().catch(() => null)));
      requestAnimationFrame(() => requestAnimationFrame(() => times.push(performance.now() - event.timeStamp)));
    };
    requestAnimationFrame(look);
  }, true);
}"""
IS_OPEN = "() => document.querySelector('#stage .card') && !document.querySelector('#stage[aria-busy]')"
SHOWN = "(n) => times.length > n"


@dataclass(frozen=True)
class Row:
    """One line of the table. pause_ms: from a card until the next key. mbit: the line's speed, 0 for any."""

    name: str
    pictures: str = "drawings"
    phone: bool = False
    latency_ms: int = 0
    mbit: float = 0
    pause_ms: int = 700
    share: float = 1.0


ROWS = (
    Row("desktop, 0 ms"),
    Row("desktop, 0 ms, no pause", pause_ms=0),
    Row("desktop, +200 ms", latency_ms=200),
    Row("desktop, +200 ms, no pause", latency_ms=200, pause_ms=0),
    Row("phone, 4× CPU, 0 ms", phone=True),
    Row("phone, 4× CPU, +200 ms", phone=True, latency_ms=200),
    Row("phone, 4× CPU, +200 ms, 1.6 Mbit/s", phone=True, latency_ms=200, mbit=1.6),
    Row("photographs, desktop", "photographs", pause_ms=1000, share=0.35),
    Row("photographs, desktop, +200 ms, 9 Mbit/s", "photographs", latency_ms=200, mbit=9, pause_ms=1000, share=0.35),
    Row("photographs, phone, +200 ms, 1.6 Mbit/s", "photographs", True, 200, 1.6, 1000, 0.35),
)


def drawing(number: int) -> bytes:
    """Three discs on a gradient."""
    rng = np.random.default_rng(number)
    y, x = np.mgrid[0:SIDE, 0:SIDE]
    pixels = np.stack([y * 0.2 + 60 + 0 * x, x * 0.2 + 80 + 0 * y, 140 + 0 * x], axis=-1)
    for _ in range(3):
        cx, cy, radius = rng.integers(60, SIDE - 60), rng.integers(60, SIDE - 60), rng.integers(30, 110)
        pixels[(x - cx) ** 2 + (y - cy) ** 2 < radius**2] = rng.integers(0, 255, 3)
    return encoded(pixels)


def photograph(number: int) -> bytes:
    """Smooth shapes under a camera's noise."""
    rng = np.random.default_rng(number)
    coarse = Picture.fromarray(rng.integers(0, 255, (12, 12, 3), dtype=np.uint8)).resize((SIDE, SIDE), 3)
    return encoded(np.asarray(coarse) + rng.normal(0, 9, (SIDE, SIDE, 3)))


def encoded(pixels: "np.ndarray[Any, Any]") -> bytes:
    from exchange.images import shown_rendition

    stream = BytesIO()
    Picture.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)).save(stream, "PNG")
    return shown_rendition(stream.getvalue(), name="benchmark")


def lay_studies(n_cards: int) -> dict[str, Any]:
    """A study of each kind of picture, by the kind's name."""
    from django.core.files.base import ContentFile
    from django.core.files.storage import default_storage

    from generation.models import Image
    from tests.factories import make_study

    studies = {}
    for kind, make in (("drawings", drawing), ("photographs", photograph)):
        study = make_study(n_items=n_cards + 2, k=99, title=kind)
        for number, image in enumerate(Image.objects.filter(items__study=study)):
            name = default_storage.save(f"benchmark/{kind}-{number}.webp", ContentFile(make(number)))
            Image.objects.filter(pk=image.pk).update(shown=name, width=SIDE, height=SIDE)
        studies[kind] = study
    return studies


@contextmanager
def at_card(browser: "Browser", row: Row, study: Any, site: str) -> "Iterator[tuple[BrowserContext, Page, list[int]]]":
    """A new rater's browser at their first card, and the bytes that it has fetched since."""
    from tests.browsing import sign_in
    from tests.factories import make_rater

    size = {"width": 390, "height": 844} if row.phone else {"width": 1280, "height": 800}
    touch = {"is_mobile": True, "has_touch": True, "device_scale_factor": 3} if row.phone else {}
    context = browser.new_context(base_url=site, viewport=size, **touch)
    context.set_default_timeout(60_000)
    sign_in(context, make_rater(study).user, site)
    page = context.new_page()
    page.goto(f"/rate/{study.token}/")
    page.wait_for_load_state("networkidle")
    cdp = context.new_cdp_session(page)
    cdp.send("Network.enable")
    rate = row.mbit * 1e6 / 8 if row.mbit else -1
    cdp.send(
        "Network.emulateNetworkConditions",
        {"offline": False, "latency": row.latency_ms, "downloadThroughput": rate, "uploadThroughput": rate},
    )
    if row.phone:
        cdp.send("Emulation.setCPUThrottlingRate", {"rate": 4})
    fetched: list[int] = []
    cdp.on("Network.loadingFinished", lambda event: fetched.append(int(event["encodedDataLength"])))
    page.evaluate(WATCH)
    yield context, page, fetched
    context.close()


def measure(browser: "Browser", row: Row, study: Any, site: str, n_cards: int) -> str:
    n = max(3, round(n_cards * row.share))
    with at_card(browser, row, study, site) as (_, page, fetched):
        for i in range(n):
            page.wait_for_function(IS_OPEN)
            page.keyboard.press("3")
            page.wait_for_function(SHOWN, arg=i)
            page.wait_for_timeout(row.pause_ms)
        times, tasks = sorted(page.evaluate("times")), page.evaluate("tasks")
    p95 = times[min(len(times) - 1, round(0.95 * (len(times) - 1)))]
    longest = f"{len(tasks)} ({max(tasks):.0f})" if tasks else "0"
    figures = f"{statistics.median(times):7.0f} {p95:7.0f} {times[-1]:7.0f}   {longest:>9}"
    return f"{row.name + f' ({n})':48}{figures}   {len(fetched) / n:8.1f} {sum(fetched) / n / 1000:9.1f}"


def prepare(folder: Path) -> None:
    os.environ |= {"EVALSITE_DATA_DIR": str(folder), "CELERY_BROKER_URL": "memory://localhost"}
    os.environ |= {"DJANGO_SETTINGS_MODULE": "evalsite.settings", "DJANGO_ALLOW_ASYNC_UNSAFE": "true"}
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--cards", type=int, default=40, help="cards per row of drawings; photographs get a third")
    parser.add_argument("--only", default="", help="rows whose name contains this")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="evalsite-bench-") as folder:
        prepare(Path(folder))
        from playwright.sync_api import sync_playwright

        from tests import servers
        from tests.browsing import FLAGS

        studies = lay_studies(options.cards)
        site = servers.start_site(dict(os.environ), folder=Path(folder) / "logs")
        flags = [*FLAGS, "--no-sandbox"] if os.geteuid() == 0 else FLAGS
        head = f"{'ms from key to next image':48}{'median':>7} {'p95':>7} {'max':>7}   {'long tasks':>9}"
        print(f"{head}  {'requests':>8} {'kB/card':>9}", flush=True)
        try:
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path=servers.browser_executable(), args=flags)
                for row in ROWS:
                    if options.only in row.name:
                        print(measure(browser, row, studies[row.pictures], site.url, options.cards), flush=True)
                browser.close()
        finally:
            site.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
