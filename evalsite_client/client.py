"""The client that blocks until the site has answered."""

import hashlib
import re
import time
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar

import httpx

from evalsite_client import flows
from evalsite_client.calls import Answer, Call, Flow, Lost, Pause
from evalsite_client.flows import Added, Pushed, Question, State
from evalsite_client.pictures import Given
from evalsite_client.tables import Row, data_frame

if TYPE_CHECKING:
    import pandas

T = TypeVar("T")
TIMEOUT_S = 120.0
POLL_S = 10.0


def request_of(call: Call) -> dict[str, Any]:
    """The arguments of httpx's `request`."""
    fields: dict[str, Any] = {"params": dict(call.query)} if call.query else {}
    if call.key:
        fields["headers"] = {"Idempotency-Key": header_of(call.key)}
    if call.files:
        fields |= {"data": dict(call.form), "files": list(call.files)}
    elif call.json is not None:
        fields["json"] = call.json
    return fields


def header_of(key: str) -> str:
    """A key in the form that the header allows: any text can name a call; long or non-ASCII texts become a digest."""
    is_plain = re.fullmatch(r"[!-~]{1,200}", key) is not None
    return key if is_plain else hashlib.sha256(key.encode()).hexdigest()


class Evalsite:
    """A site, used as the token's owner. Safe to use from several threads.

    url    of the site, such as "https://rate.example.org"
    token  a key from the page "Your account"; pushing needs the scope “data”, studies the scope “studies”
    """

    def __init__(self, url: str, token: str, *, timeout_s: float = TIMEOUT_S) -> None:
        self._http = httpx.Client(
            base_url=f"{url.rstrip('/')}/api/v1/", headers={"Authorization": f"Token {token}"}, timeout=timeout_s
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._http.close()

    def push_images(self, prompt_set: str, images: Iterable[Given], *, method: str = "") -> list[Pushed]:
        """Add images to a prompt set; the set, prompts and method are created if new.

        images  pictures, or pairs of prompt and image (a file's bytes, its path, or a Pillow image)
        Images are sent in batches of 20, each all or none. An image that the site already has is not added again.
        Raises Problem, which names each refused image by its place in its batch.
        """
        return self._run(flows.push_images(prompt_set, images, method))

    def push_prompts(self, prompt_set: str, prompts: Iterable[str | Mapping[str, Any]]) -> Added:
        """Add prompts: texts, or mappings with `prompt` and, if you like, `key`, `category` and so on."""
        return self._run(flows.push_prompts(prompt_set, prompts))

    def push_scores(
        self, metric: str, scores: Mapping[str, float], *, prompt_set: str = "", version: str = ""
    ) -> Added:
        """Add a metric's scores, by the key or SHA-256 of each image."""
        return self._run(flows.push_scores(prompt_set, metric, scores, version))

    def ask(
        self,
        title: str,
        *,
        of: str | Sequence[str],
        methods: Sequence[str],
        questions: Sequence[Question] = ("alignment",),
        ratings: int = 3,
        within: timedelta | None = None,
        until: datetime | None = None,
        budget: int | None = None,
        key: str = "",
        **more: Any,
    ) -> "Study":
        """Create a study and open it to raters.

        title      raters read it: name no method in it
        of         the prompt set, or sets, by name; methods: whose images of them are shown
        ratings    how many raters answer each item
        within, until   when it closes by itself, if ever: after a duration, or at a time
        budget     how many cards may be answered in all: fewer items are shown if that is not enough for all
        key        names the study: a call with the same key, for the same, gets the same study
        more       whatever else the API takes, such as item_kind="pair"
        """
        flow = flows.ask(title, of, methods, questions, ratings, within, until, budget, key, more)
        return Study(self, self._run(flow))

    def study(self, token: str) -> "Study":
        """An existing study."""
        return Study(self, self._run(flows.state(token)))

    def studies(self, **query: Any) -> list[Row]:
        """The studies that you run, the newest first. query: such as state="open"."""
        return self._run(flows.listed("studies/", query))

    def images(self, **query: Any) -> list[Row]:
        """The site's images with their scores. query: such as prompt_set="my run", method="step 2000"."""
        return self._run(flows.listed("images/", query))

    def _run(self, flow: Flow[T]) -> T:
        answer: Answer = None
        while True:
            try:
                step = flow.send(answer)
            except StopIteration as end:
                result: T = end.value
                return result
            answer = None
            if isinstance(step, Pause):
                time.sleep(step.seconds)
                continue
            try:
                answer = self._http.request(step.method, step.address, **request_of(step))
            except httpx.TransportError as error:
                answer = Lost(error)


class Study:
    """One study; `state` is its progress when it was last fetched."""

    def __init__(self, site: Evalsite, state: State) -> None:
        self._site, self.state = site, state

    def __repr__(self) -> str:
        return (
            f"<Study {self.state.title!r}: {self.state.n_answered} of {self.state.n_wanted} cards, {self.state.state}>"
        )

    @property
    def token(self) -> str:
        return self.state.token

    @property
    def invitation(self) -> str:
        """The address at which raters join."""
        return self.state.invitation

    def refresh(self) -> Self:
        """Fetch the study's progress."""
        self.state = self._site._run(flows.state(self.token))
        return self

    def wait(self, *, timeout: timedelta | None = None, every_s: float = POLL_S) -> Self:
        """Return when all wanted answers have been given, or the study is closed. Raises TimeoutError."""
        self.state = self._site._run(flows.wait(self.token, timeout, every_s))
        return self

    def open(self) -> Self:
        self.state = self._site._run(flows.change(self.token, "open"))
        return self

    def close(self) -> Self:
        """Close the study: no further cards are given out."""
        self.state = self._site._run(flows.change(self.token, "close"))
        return self

    def answers(self, *, all_revisions: bool = False) -> list[Row]:
        """One row per counted answer, with prompt, method, rater, label, and the preferred method of comparisons."""
        return self._site._run(flows.answers(self.token, all_revisions))

    def data_frame(self, *, all_revisions: bool = False) -> "pandas.DataFrame":
        """The answers as a data frame. Raises ImportError without pandas."""
        return data_frame(self.answers(all_revisions=all_revisions))

    def participants(self) -> list[Row]:
        """One row per visit from a panel: participant, session, state, rater, and whether to approve or to reject."""
        return self._site._run(flows.participants(self.token))

    def results(self, *, every_s: float = 2.0) -> Row:
        """The report of the present answers, as in report.json. Raises ValueError if there is none."""
        return self._site._run(flows.results(self.token, every_s))

    def add_methods(self, methods: Sequence[str], *, note: str = "", key: str = "") -> Row:
        """Add methods: their images of the study's prompts become new items. Every attempt stays on record."""
        return self._site._run(flows.add_methods(self.token, methods, note, key))

    def notify(self, url: str, events: Sequence[str] = ("study.completed", "study.closed")) -> str:
        """Have events sent to an address; returns the secret with which `webhooks.verified` checks them."""
        return self._site._run(flows.notify(self.token, url, events))
