"""A server of OpenAI's protocol on 127.0.0.1, over real HTTP, that answers as a test demands and counts its requests.

with ChatServer() as server:
    server.script(Status(429, headers={"Retry-After": "7"}), {"colour": "red"})   # one for each request, then
    server.answer = lambda asked: {"colour": "blue"}                             # this, from the request
    ...  # server.url goes into EVALSITE_ENDPOINTS of this or another process
"""

import base64
import json
import re
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from types import TracebackType
from typing import Any

from PIL import Image

Json = dict[str, Any]


@dataclass(frozen=True)
class Asked:
    """A request as it came, its headers by lower-case names.

    text: all it says, joined; images: the files in it; schema: the name of the one that the answer must fit
    """

    path: str
    headers: Mapping[str, str]
    body: Json

    @property
    def messages(self) -> list[Json]:
        return list(self.body.get("messages", []))

    @property
    def parts(self) -> list[Json]:
        found: list[Json] = []
        for message in self.messages:
            content = message["content"]
            found += content if isinstance(content, list) else [{"type": "text", "text": content}]
        return found

    @property
    def text(self) -> str:
        return "\n".join(part["text"] for part in self.parts if part["type"] == "text")

    @property
    def images(self) -> list[bytes]:
        urls = [part["image_url"]["url"] for part in self.parts if part["type"] == "image_url"]
        return [base64.b64decode(url.partition(",")[2]) for url in urls]

    @property
    def schema(self) -> str:
        if name := self.body.get("response_format", {}).get("json_schema", {}).get("name"):
            return str(name)
        return (["", *re.findall(r'"title":"(\w+)","type":"object"}$', self.text, re.MULTILINE)])[-1]


@dataclass(frozen=True)
class Says:
    """A completion with this text. usage: tokens in and out; None: the server does not say."""

    text: str | None
    finish_reason: str = "stop"
    refusal: str | None = None
    usage: tuple[int, int] | None = (100, 10)
    model: str = ""


@dataclass(frozen=True)
class Status:
    """Any status with a body: JSON, or text as it is."""

    status: int
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Drops:
    """Promises a whole answer, sends a part and hangs up."""

    part: bytes = b'{"id": "chatcmpl-1", "choices": [{"mess'


@dataclass(frozen=True)
class Sleeps:
    """Says nothing for so long, then hangs up."""

    seconds: float


@dataclass(frozen=True)
class Trickles:
    """Begins at once and sends a blank every `pause_s`: no single read takes long."""

    seconds: float
    pause_s: float = 0.05


@dataclass(frozen=True)
class Pictures:
    """An answer with an image: b64_json of these bytes, or a link."""

    image: bytes | None
    revised_prompt: str | None = None
    usage: tuple[int, int] | None = None


Reply = Says | Status | Drops | Sleeps | Trickles | Pictures | Json | str
"""A dict is said as JSON, a str as it is."""


def colourful(asked: Asked) -> Reply:
    """The answer where a test says nothing: an image whose colour depends on the prompt, or an empty object."""
    if not asked.path.endswith("/images/generations"):
        return {}
    prompt = str(asked.body["prompt"])
    width, height = map(int, str(asked.body.get("size", "64x64")).split("x"))
    colour = tuple(sum(map(ord, prompt[i::3])) % 256 for i in range(3))
    file = BytesIO()
    Image.new("RGB", (width, height), colour).save(file, "PNG")
    return Pictures(file.getvalue(), f"A picture of: {prompt}")


class ChatServer:
    """`requests` came so far; tokens_in and tokens_out are what it would bill."""

    def __init__(self, answer: Callable[[Asked], Reply] = colourful) -> None:
        self.answer = answer
        self.requests: list[Asked] = []
        self.tokens_in = self.tokens_out = 0
        self._scripted: deque[Reply] = deque()
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), _handler_of(self))
        self._http.daemon_threads = True
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._http.server_address[1]}/v1"

    def script(self, *replies: Reply) -> None:
        """What it answers next, one for each request; after that it answers by `answer` again."""
        self._scripted.extend(replies)

    def __enter__(self) -> "ChatServer":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopping.set()
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    def reply_to(self, asked: Asked) -> Reply:
        with self._lock:
            self.requests.append(asked)
            scripted = self._scripted.popleft() if self._scripted else None
        reply = self.answer(asked) if scripted is None else scripted
        if isinstance(reply, dict):
            reply = json.dumps(reply)
        if isinstance(reply, str):
            reply = Says(reply, usage=(len(asked.text.split()), len(reply.split())))
        if isinstance(reply, (Says, Pictures)) and reply.usage is not None:
            with self._lock:
                self.tokens_in += reply.usage[0]
                self.tokens_out += reply.usage[1]
        return reply

    def wait(self, seconds: float) -> None:
        self._stopping.wait(seconds)


def completion(says: Says, model: str) -> Json:
    """A chat completion as it goes over the wire."""
    message = {"role": "assistant", "content": says.text, "refusal": says.refusal}
    body: Json = {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": int(time.time()),
        "model": says.model or model,
        "choices": [{"index": 0, "message": message, "finish_reason": says.finish_reason}],
    }
    if says.usage is not None:
        n_in, n_out = says.usage
        body["usage"] = {"prompt_tokens": n_in, "completion_tokens": n_out, "total_tokens": n_in + n_out}
    return body


def pictures(drawn: Pictures) -> Json:
    """An answer of the images endpoint as it goes over the wire."""
    one: Json = {"url": "https://images.example.org/1.png"}
    if drawn.image is not None:
        one = {"b64_json": base64.b64encode(drawn.image).decode()}
    if drawn.revised_prompt is not None:
        one["revised_prompt"] = drawn.revised_prompt
    body: Json = {"created": int(time.time()), "data": [one]}
    if drawn.usage is not None:
        body["usage"] = {"input_tokens": drawn.usage[0], "output_tokens": drawn.usage[1]}
    return body


def _handler_of(server: ChatServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            asked = Asked(self.path, {name.lower(): value for name, value in self.headers.items()}, body)
            if self.path not in ("/v1/chat/completions", "/v1/images/generations"):
                return self.send(404, {"error": {"message": f"No route {self.path}"}})
            reply = server.reply_to(asked)
            if isinstance(reply, Says):
                return self.send(200, completion(reply, str(body.get("model", ""))))
            if isinstance(reply, Pictures):
                return self.send(200, pictures(reply))
            if isinstance(reply, Status):
                return self.send(reply.status, reply.body, reply.headers)
            self.close_connection = True
            if isinstance(reply, Sleeps):
                server.wait(reply.seconds)
            elif isinstance(reply, Drops):
                self.begin(200, {"Content-Type": "application/json", "Content-Length": "5000"})
                self.wfile.write(reply.part)
            elif isinstance(reply, Trickles):
                self.begin(200, {"Content-Type": "application/json", "Content-Length": "5000"})
                end = time.monotonic() + reply.seconds
                while time.monotonic() < end and not server._stopping.is_set():
                    self.wfile.write(b" ")
                    server.wait(reply.pause_s)
            return None

        def do_GET(self) -> None:
            """Where a redirected POST would arrive as a GET."""
            server.reply_to(Asked(self.path, {name.lower(): value for name, value in self.headers.items()}, {}))
            self.send(200, {})

        def send(self, status: int, body: Any, headers: Mapping[str, str] | None = None) -> None:
            is_text = isinstance(body, str)
            content = body.encode() if is_text else json.dumps({} if body is None else body).encode()
            kind = "text/html" if is_text else "application/json"
            self.begin(status, {"Content-Type": kind, "Content-Length": str(len(content)), **(headers or {})})
            self.wfile.write(content)

        def begin(self, status: int, headers: Mapping[str, str]) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()

        def handle(self) -> None:
            try:
                super().handle()
            except (BrokenPipeError, ConnectionResetError):
                self.close_connection = True  # the client did not wait: that is what some tests are about

        def log_message(self, format: str, *args: Any) -> None:
            """A test's output is not the place for an access log."""

    return Handler
