"""The load: a process of its own that asks a webhook, and nothing else.

It writes bytes that are ready and reads the answer on plain sockets, a thread for each
connection: most of its time is spent waiting. ``busy`` in its answer says how much of a
core it used, so that nobody has to believe it is not the bottleneck.

    python -m tests.bench.load < job.json > answer.json
"""

import json
import os
import resource
import socket
import ssl
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from itertools import count
from pathlib import Path
from typing import Any

_UID = b'"uid":"'
_UID_LENGTH = 36
_READ = 1 << 16  # bytes
_RUN = os.getpid()  # so that no two runs ask with the same uid


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What to ask, and for how long.

    Attributes:
        port: On loopback.
        authority: PEM file of who signed the server's certificate.
        bodies: File of AdmissionReviews, one a line. The uid of each is made anew for
            each request.
        connections: Kept open; each has one request in flight.
        seconds: How long to go round; 0: each body is asked once.
        skip: Bodies at the beginning of the file that are left out.
        requests: How many are asked at most, where each body is asked once.
    """

    port: int
    authority: str
    bodies: str
    connections: int
    seconds: float = 0.0
    skip: int = 0
    requests: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What was seen.

    Attributes:
        latencies_ms: Of each request, in no order.
        wall_s: From the first request to the last answer.
        busy: Of one core, that this process used.
        denied: Answers that do not allow, or are no answer; the first one in `sample`.
    """

    latencies_ms: list[float]
    wall_s: float
    busy: float
    denied: int = 0
    sample: str = ""


@dataclass(frozen=True, slots=True)
class _Review:
    """A body, but for its uid."""

    before: bytes
    after: bytes

    @classmethod
    def of(cls, body: bytes) -> "_Review":
        start = body.index(_UID) + len(_UID)
        return cls(body[:start], body[start + _UID_LENGTH :])

    def request(self, number: int) -> bytes:
        """Return the whole HTTP request."""
        uid = f"{number:08d}-0000-4000-8000-{_RUN:012d}".encode()
        body = b"".join((self.before, uid, self.after))
        head = (
            "POST /validate?timeout=10s HTTP/1.1\r\nHost: 127.0.0.1\r\n"
            "Accept: application/json\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        return head.encode() + body


class _Asking:
    """All connections together."""

    def __init__(self, job: Job) -> None:
        lines = Path(job.bodies).read_bytes().splitlines()[job.skip :]
        self._job = job
        self._reviews = [_Review.of(line) for line in lines]
        if job.requests:
            self._reviews = self._reviews[: job.requests]
        self._context = ssl.create_default_context(cafile=job.authority)
        self._numbers = count()
        self._begin = threading.Barrier(job.connections + 1)
        self._end = 0.0
        self.latencies_ms: list[float] = []
        self.denied: list[str] = []

    def run(self) -> Answer:
        """Ask; return what was seen."""
        threads = [
            threading.Thread(target=self._connection)
            for _ in range(self._job.connections)
        ]
        for thread in threads:
            thread.start()
        used = _cpu_s()
        began = time.perf_counter()
        self._end = began + self._job.seconds
        self._begin.wait()
        for thread in threads:
            thread.join()
        wall = time.perf_counter() - began
        return Answer(
            latencies_ms=self.latencies_ms,
            wall_s=wall,
            busy=(_cpu_s() - used) / wall,
            denied=len(self.denied),
            sample=self.denied[0] if self.denied else "",
        )

    def _connection(self) -> None:
        address = ("127.0.0.1", self._job.port)
        with (
            socket.create_connection(address) as plain,
            self._context.wrap_socket(plain, server_hostname=address[0]) as wire,
        ):
            wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._begin.wait()
            for request in self._requests():
                began = time.perf_counter()
                wire.sendall(request)
                answer = _answer(wire)
                took = (time.perf_counter() - began) * 1000
                self.latencies_ms.append(took)
                if b'"allowed":true' not in answer:
                    self.denied.append(answer[-2000:].decode(errors="replace"))

    def _requests(self) -> Iterator[bytes]:
        if self._job.seconds:
            while time.perf_counter() < self._end:
                yield self._request(next(self._numbers))
            return
        while (number := next(self._numbers)) < len(self._reviews):
            yield self._request(number)

    def _request(self, number: int) -> bytes:
        skipped = self._job.skip + number
        return self._reviews[number % len(self._reviews)].request(skipped)


def _answer(wire: ssl.SSLSocket) -> bytes:
    """Read one answer.

    Raises:
        ConnectionError: the server hung up.
    """
    data = b""
    head, rest = b"", b""
    while not rest:
        part = wire.recv(_READ)
        if not part:
            raise ConnectionError("expected an answer, saw the end")
        data += part
        head, _, rest = data.partition(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n", 1)[0])
    while len(rest) < length:
        rest += wire.recv(_READ)
    return rest


def _cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def main() -> None:
    """Do the job on standard input."""
    sys.setswitchinterval(0.0005)  # 32 threads that hardly work: let them take turns
    job: dict[str, Any] = json.load(sys.stdin)
    with suppress(BrokenPipeError):
        json.dump(asdict(_Asking(Job(**job)).run()), sys.stdout)


if __name__ == "__main__":
    main()
