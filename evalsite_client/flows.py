"""The operations of both clients, step by step."""

import json
import math
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from evalsite_client.calls import Call, Flow, Pause, answered
from evalsite_client.pictures import Given, as_pictures, file_name, read
from evalsite_client.tables import Row

IMAGES_AT_ONCE = 20
ROWS_AT_ONCE = 5_000
Question = str | Mapping[str, Any]
"""The key of a ready-made question, such as "alignment" or "preference", or a question of one's own."""


@dataclass(frozen=True)
class Pushed:
    """An image that is on the site now: its number and name there, and whether this call added it."""

    id: int
    key: str
    sha256: str
    is_new: bool


@dataclass(frozen=True)
class Added:
    """Numbers of new rows, and of rows that existed already."""

    n_created: int
    n_unchanged: int


@dataclass(frozen=True)
class State:
    """A study's progress. `body` is the site's complete answer."""

    token: str
    title: str
    state: str
    n_answered: int
    n_wanted: int
    is_complete: bool
    invitation: str
    page: str
    body: Row

    @property
    def is_over(self) -> bool:
        return self.is_complete or self.state == "closed"


def push_images(prompt_set: str, images: Iterable[Given], method: str) -> Flow[list[Pushed]]:
    pictures = as_pictures(images)
    pushed: list[Pushed] = []
    for first in range(0, len(pictures), IMAGES_AT_ONCE):
        contents = [read(picture.content) for picture in pictures[first : first + IMAGES_AT_ONCE]]
        names = [file_name(content, number) for number, content in enumerate(contents)]
        rows = [picture.row(name) for picture, name in zip(pictures[first:], names, strict=False)]
        call = Call(
            "POST",
            "images/",
            form={"prompt_set": prompt_set, "images": json.dumps(rows)} | ({"method": method} if method else {}),
            files=[("files", (name, content)) for name, content in zip(names, contents, strict=True)],
            repeatable=True,
        )
        answer = yield from answered(call)
        pushed += [Pushed(row["id"], row["key"], row["sha256"], row["is_new"]) for row in answer.json()["images"]]
    return pushed


def push_prompts(prompt_set: str, prompts: Iterable[str | Mapping[str, Any]]) -> Flow[Added]:
    rows = [{"prompt": prompt} if isinstance(prompt, str) else dict(prompt) for prompt in prompts]
    return (yield from _push("prompts/", "prompts", prompt_set, rows))


def push_scores(prompt_set: str, metric: str, scores: Mapping[str, float], version: str) -> Flow[Added]:
    fixed = {"metric": metric} | ({"version": version} if version else {})
    rows = [{"image": image, "value": float(value), **fixed} for image, value in scores.items()]
    return (yield from _push("scores/", "scores", prompt_set, rows))


def _push(address: str, name: str, prompt_set: str, rows: Sequence[Mapping[str, Any]]) -> Flow[Added]:
    n_created = n_unchanged = 0
    for first in range(0, len(rows), ROWS_AT_ONCE):
        some = list(rows[first : first + ROWS_AT_ONCE])
        body = {name: some} | ({"prompt_set": prompt_set} if prompt_set else {})
        found = (yield from answered(Call("POST", address, json=body, repeatable=True))).json()
        n_created, n_unchanged = n_created + found["n_created"], n_unchanged + found["n_unchanged"]
    return Added(n_created, n_unchanged)


def ask(
    title: str,
    of: str | Sequence[str],
    methods: Sequence[str],
    questions: Sequence[Question],
    ratings: int,
    within: timedelta | None,
    until: datetime | None,
    budget: int | None,
    key: str,
    more: Mapping[str, Any],
) -> Flow[State]:
    body: dict[str, Any] = {
        "title": title,
        "prompt_sets": [of] if isinstance(of, str) else list(of),
        "methods": list(methods),
        "questions": [{"preset": one} if isinstance(one, str) else dict(one) for one in questions],
        "raters_per_item": ratings,
        "open": True,
    }
    if within is not None:
        body["closes_in_minutes"] = max(1, math.ceil(within.total_seconds() / 60))
    if until is not None:
        body["closes_at"] = until.isoformat()
    if budget is not None:
        body["budget"] = budget
    answer = yield from answered(Call("POST", "studies/", json=body | dict(more), key=key))
    return state_of(answer.json())


def state(token: str) -> Flow[State]:
    return state_of((yield from answered(Call("GET", f"studies/{token}/"))).json())


def change(token: str, verb: str) -> Flow[State]:
    return state_of((yield from answered(Call("POST", f"studies/{token}/{verb}/", repeatable=True))).json())


def wait(token: str, timeout: timedelta | None, every_s: float) -> Flow[State]:
    end = None if timeout is None else time.monotonic() + timeout.total_seconds()
    while True:
        found = yield from state(token)
        if found.is_over:
            return found
        if end is not None and time.monotonic() + every_s > end:
            raise TimeoutError(f"{found.n_answered} of {found.n_wanted} cards are answered.")
        yield Pause(every_s)


def answers(token: str, all_revisions: bool) -> Flow[list[Row]]:
    name = "answers-all-revisions" if all_revisions else "answers"
    text = (yield from answered(Call("GET", f"studies/{token}/exports/{name}.jsonl"))).text
    return [json.loads(line) for line in text.splitlines() if line]


def results(token: str, every_s: float) -> Flow[Row]:
    while True:
        answer = yield from answered(Call("GET", f"studies/{token}/results/"))
        found: Row = answer.json()
        if answer.status_code != 202:
            if found["results"] is None:
                raise ValueError(found["message"] or "There are no results yet.")
            return dict(found["results"])
        yield Pause(every_s)


def add_methods(token: str, methods: Sequence[str], note: str, key: str) -> Flow[Row]:
    body = {"methods": list(methods), "note": note}
    found: Row = (yield from answered(Call("POST", f"studies/{token}/extensions/", json=body, key=key))).json()
    return found


def notify(token: str, url: str, events: Sequence[str]) -> Flow[str]:
    body = {"url": url, "events": list(events)}
    return str((yield from answered(Call("POST", f"studies/{token}/webhooks/", json=body))).json()["secret"])


def participants(token: str) -> Flow[list[Row]]:
    return listed(f"studies/{token}/participants/", {})


def listed(address: str, query: Mapping[str, Any]) -> Flow[list[Row]]:
    """Every page of a list."""
    rows: list[Row] = []
    call = Call("GET", address, query={"page_size": 1000, **query})
    while True:
        page = (yield from answered(call)).json()
        rows += page["results"]
        if not page["next"]:
            return rows
        call = Call("GET", page["next"])


def state_of(body: Row) -> State:
    return State(
        token=body["token"],
        title=body["title"],
        state=body["state"],
        n_answered=body["n_answered"],
        n_wanted=body["n_wanted"],
        is_complete=body["completed_at"] is not None or 0 < body["n_wanted"] <= body["n_answered"],
        invitation=body["invitation"],
        page=body["links"]["page"],
        body=body,
    )
