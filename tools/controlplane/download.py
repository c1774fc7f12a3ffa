"""Prebuilt programs from the projects' own release pages, checksums verified.

etcd, kube-apiserver and kubectl come as one archive, the one that `setup-envtest`
downloads; kube-controller-manager and helm, which it lacks, from their own projects.
"""

import hashlib
import http.client
import platform
import re
import shutil
import tarfile
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from tools.controlplane.cache import Cache, Record, this_platform
from tools.controlplane.errors import last_line
from tools.controlplane.programs import (
    ALL,
    APISERVER,
    CONTROLLER_MANAGER,
    ETCD,
    HELM,
    KUBECTL,
    Program,
    version_of,
)
from tools.controlplane.progress import Progress
from tools.controlplane.supported import Pins, Version

_TIMEOUT_S = 15  # for each answer of the network: a closed one is noticed soon
_MAX_TEXT = 4 << 20  # bytes: indexes and checksums
_MAX_ARCHIVE = 1 << 30  # bytes: five times what they are today
_CHUNK = 1 << 20  # bytes
_ALGORITHMS = {64: "sha256", 128: "sha512"}  # by the number of hexadecimal digits
_FAILURES = (OSError, ValueError, tarfile.TarError, http.client.HTTPException)
_PROCESSORS = {"x86_64": "amd64", "aarch64": "arm64"}
_ENVTEST = (ETCD, APISERVER, KUBECTL)


class _UnusableError(Exception):
    """The answer is not what was expected; the message says how."""


@dataclass(frozen=True, slots=True)
class _Artifact:
    """Something to download: where, its checksum in hexadecimal, whether an archive."""

    url: str
    checksum: str
    archive: bool


class Download:
    """Downloads into the cache."""

    name = "download"

    def __init__(self, pins: Pins, cache: Cache, progress: Progress) -> None:
        self._pins = pins
        self._cache = cache
        self._progress = progress
        processor = platform.machine().lower()
        self._system = platform.system().lower()
        self._processor = _PROCESSORS.get(processor, processor)
        self._answers: dict[str, Path | str] = {}

    def find(self, program: Program) -> Path | str:
        """Download `program` and what comes with it, or say why that failed."""
        if program not in ALL:
            return "not looked for: Go builds it in minutes"
        together = _ENVTEST if program in _ENVTEST else (program,)
        if program.name not in self._answers:
            try:
                self._fetch(together)
            except (*_FAILURES, _UnusableError) as error:
                for one in together:
                    self._answers.setdefault(one.name, last_line(error))
        return self._answers[program.name]

    def _fetch(self, programs: tuple[Program, ...]) -> None:
        artifact = self._artifact(programs[0])
        with (
            self._progress.step(f"downloading {artifact.url}"),
            self._cache.partial(programs[0]) as partial,
        ):
            raw = partial.with_name("downloaded")
            _save(artifact, raw)
            for program in programs:
                made = raw
                if artifact.archive:
                    made = _extract(raw, partial.with_name(program.name))
                self._keep(program, made)

    def _keep(self, program: Program, made: Path) -> None:
        made.chmod(0o755)
        version = version_of(program, made)
        if version is None or not program.fits(version, self._pins):
            raise _UnusableError(
                f"downloaded {program.name} is {version or 'unusable'} here"
            )
        record = Record(
            origin="download", version=str(version), platform=this_platform()
        )
        self._answers[program.name] = self._cache.keep(program, made, record)

    def _artifact(self, program: Program) -> _Artifact:
        if program is CONTROLLER_MANAGER:
            version = f"v{self._pins.kubernetes}"
            url = f"{self._pins.mirrors.kubernetes}/{version}/bin/{self._system}/{self._processor}/{program.name}"
            return _Artifact(url, _checksum(f"{url}.sha256"), archive=False)
        if program is HELM:
            name = f"helm-v{self._pins.helm}-{self._system}-{self._processor}.tar.gz"
            url = f"{self._pins.mirrors.helm}/{name}"
            return _Artifact(url, _checksum(f"{url}.sha256sum"), archive=True)
        return self._envtest()

    def _envtest(self) -> _Artifact:
        """Return the archive of this minor: of the pinned patch, else of the newest."""
        index = _text(self._pins.mirrors.envtest_index)
        rows = re.findall(
            rf"^\s*(envtest-v\S+-{self._system}-{self._processor}\.tar\.gz):\s*\n"
            r"\s*hash:\s*([0-9a-f]+)\s*\n\s*selfLink:\s*(\S+)\s*$",
            index,
            re.MULTILINE,
        )
        fitting = {
            version: _Artifact(url, checksum, archive=True)
            for name, checksum, url in rows
            if APISERVER.fits(version := Version.of(name), self._pins)
        }
        if not fitting:
            raise _UnusableError(
                f"no archive of {self._pins.kubernetes} in envtest's list"
            )
        exact = fitting.get(self._pins.kubernetes)
        return exact or fitting[max(fitting)]


def _checksum(url: str) -> str:
    """Return the digits in the file at `url`, which may name the file after them."""
    if not (words := _text(url).split()):
        raise _UnusableError(f"no checksum at {url}")
    return words[0]


def _text(url: str) -> str:
    with _opened(url) as answer:
        return answer.read(_MAX_TEXT).decode()


def _save(artifact: _Artifact, to: Path) -> None:
    """Write what is at the URL to the file `to`, and compare the checksum."""
    if (algorithm := _ALGORITHMS.get(len(artifact.checksum))) is None:
        raise _UnusableError(f"no SHA-256 or SHA-512: {artifact.checksum[:140]!r}")
    digest, size = hashlib.new(algorithm), 0
    with _opened(artifact.url) as answer, to.open("wb") as file:
        while chunk := answer.read(_CHUNK):
            if (size := size + len(chunk)) > _MAX_ARCHIVE:
                raise _UnusableError(
                    f"more than {_MAX_ARCHIVE} bytes at {artifact.url}"
                )
            digest.update(chunk)
            file.write(chunk)
    if digest.hexdigest() != artifact.checksum:
        raise _UnusableError(f"the checksum of {artifact.url} is not the published one")


def _extract(archive: Path, to: Path) -> Path:
    """Write the file of the archive that is called like `to` there; no other is read."""
    with tarfile.open(archive) as tar:
        for member in tar:
            if member.isfile() and Path(member.name).name == to.name:
                if member.size > _MAX_ARCHIVE:
                    break
                source = tar.extractfile(member)
                if source is not None:
                    with source, to.open("wb") as file:
                        shutil.copyfileobj(source, file)
                    return to
    raise _UnusableError(f"no {to.name} of a sensible size in {archive.name}")


@contextmanager
def _opened(url: str) -> Iterator[IO[bytes]]:
    """Open `url`, which `supported.toml` or an index named: https, or a local mirror."""
    if not url.startswith(("https:", "file:")):
        raise _UnusableError(f"not https: {url}")
    try:
        answering = urllib.request.urlopen(url, timeout=_TIMEOUT_S)  # noqa: S310
    except urllib.error.HTTPError as error:
        raise _UnusableError(f"{url} answers {error.code}") from error
    except urllib.error.URLError as error:
        raise _UnusableError(f"{url} cannot be reached: {error.reason}") from error
    with answering as answer:
        if not answer.url.startswith(("https:", "file:")):
            raise _UnusableError(f"{url} leads to {answer.url}, which is not https")
        yield answer
