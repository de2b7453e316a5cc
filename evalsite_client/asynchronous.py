"""The client for programs that await; as `client`, call by call."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar

import httpx

from evalsite_client import flows
from evalsite_client.calls import Answer, Flow, Lost, Pause
from evalsite_client.client import POLL_S, TIMEOUT_S, request_of
from evalsite_client.flows import Added, Pushed, Question, State
from evalsite_client.pictures import Given
from evalsite_client.tables import Row, data_frame

if TYPE_CHECKING:
    import pandas

T = TypeVar("T")


class AsyncEvalsite:
    """As `Evalsite`, awaited."""

    def __init__(self, url: str, token: str, *, timeout_s: float = TIMEOUT_S) -> None:
        self._http = httpx.AsyncClient(
            base_url=f"{url.rstrip('/')}/api/v1/", headers={"Authorization": f"Token {token}"}, timeout=timeout_s
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        await self._http.aclose()

    async def push_images(self, prompt_set: str, images: Iterable[Given], *, method: str = "") -> list[Pushed]:
        """As `Evalsite.push_images`."""
        return await self._run(flows.push_images(prompt_set, images, method))

    async def push_prompts(self, prompt_set: str, prompts: Iterable[str | Mapping[str, Any]]) -> Added:
        """As `Evalsite.push_prompts`."""
        return await self._run(flows.push_prompts(prompt_set, prompts))

    async def push_scores(
        self, metric: str, scores: Mapping[str, float], *, prompt_set: str = "", version: str = ""
    ) -> Added:
        """As `Evalsite.push_scores`."""
        return await self._run(flows.push_scores(prompt_set, metric, scores, version))

    async def ask(
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
    ) -> "AsyncStudy":
        """As `Evalsite.ask`."""
        flow = flows.ask(title, of, methods, questions, ratings, within, until, budget, key, more)
        return AsyncStudy(self, await self._run(flow))

    async def study(self, token: str) -> "AsyncStudy":
        """An existing study."""
        return AsyncStudy(self, await self._run(flows.state(token)))

    async def studies(self, **query: Any) -> list[Row]:
        """As `Evalsite.studies`."""
        return await self._run(flows.listed("studies/", query))

    async def images(self, **query: Any) -> list[Row]:
        """As `Evalsite.images`."""
        return await self._run(flows.listed("images/", query))

    async def _run(self, flow: Flow[T]) -> T:
        answer: Answer = None
        while True:
            try:
                step = flow.send(answer)
            except StopIteration as end:
                result: T = end.value
                return result
            answer = None
            if isinstance(step, Pause):
                await asyncio.sleep(step.seconds)
                continue
            try:
                answer = await self._http.request(step.method, step.address, **request_of(step))
            except httpx.TransportError as error:
                answer = Lost(error)


class AsyncStudy:
    """As `Study`, awaited."""

    def __init__(self, site: AsyncEvalsite, state: State) -> None:
        self._site, self.state = site, state

    @property
    def token(self) -> str:
        return self.state.token

    @property
    def invitation(self) -> str:
        """The address at which raters join."""
        return self.state.invitation

    async def refresh(self) -> Self:
        """Fetch the study's progress."""
        self.state = await self._site._run(flows.state(self.token))
        return self

    async def wait(self, *, timeout: timedelta | None = None, every_s: float = POLL_S) -> Self:
        """As `Study.wait`."""
        self.state = await self._site._run(flows.wait(self.token, timeout, every_s))
        return self

    async def open(self) -> Self:
        self.state = await self._site._run(flows.change(self.token, "open"))
        return self

    async def close(self) -> Self:
        """Close the study: no further cards are given out."""
        self.state = await self._site._run(flows.change(self.token, "close"))
        return self

    async def answers(self, *, all_revisions: bool = False) -> list[Row]:
        """As `Study.answers`."""
        return await self._site._run(flows.answers(self.token, all_revisions))

    async def data_frame(self, *, all_revisions: bool = False) -> "pandas.DataFrame":
        """As `Study.data_frame`."""
        return data_frame(await self.answers(all_revisions=all_revisions))

    async def participants(self) -> list[Row]:
        """As `Study.participants`."""
        return await self._site._run(flows.participants(self.token))

    async def results(self, *, every_s: float = 2.0) -> Row:
        """As `Study.results`."""
        return await self._site._run(flows.results(self.token, every_s))

    async def add_methods(self, methods: Sequence[str], *, note: str = "", key: str = "") -> Row:
        """As `Study.add_methods`."""
        return await self._site._run(flows.add_methods(self.token, methods, note, key))

    async def notify(self, url: str, events: Sequence[str] = ("study.completed", "study.closed")) -> str:
        """As `Study.notify`."""
        return await self._site._run(flows.notify(self.token, url, events))
