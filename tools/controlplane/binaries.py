"""Finds the programs, in this order: on the machine, cached, downloaded, built."""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Protocol

from tools.controlplane import cache as caches
from tools.controlplane import supported
from tools.controlplane.build import Build
from tools.controlplane.download import Download
from tools.controlplane.errors import Unobtainable
from tools.controlplane.local import Local
from tools.controlplane.programs import ALL, Program
from tools.controlplane.progress import Progress
from tools.controlplane.supported import Pins


class Source(Protocol):
    """A place that programs come from."""

    @property
    def name(self) -> str:
        """What a person calls it."""

    def find(self, program: Program) -> Path | str:
        """Return the executable, or in one line why it cannot be had here."""


def ensure(
    programs: Iterable[Program] = ALL,
    *,
    minor: str | None = None,
    pins: Pins | None = None,
    environment: Mapping[str, str] | None = None,
    progress: Progress | None = None,
) -> dict[str, Path]:
    """Return where the programs are, after downloading or building what is missing.

    The first time on a machine without a way to the release pages that takes minutes;
    ever after, milliseconds. Two runs at once do the work once.

    Args:
        programs: Those that are needed.
        minor: Of Kubernetes, as in ``1.37``; the default one if None.
        pins: Instead of `minor`, versions of the caller's own.
        environment: Where ``KUBEBUILDER_ASSETS``, ``PATH`` and ``XDG_CACHE_HOME`` are
            read; that of this process if None.
        progress: Told what takes long, and why; stderr if None.

    Returns:
        The absolute path of each program by its name.

    Raises:
        Unobtainable: One cannot be had; the message says why of each of the four ways.
    """
    environment = os.environ if environment is None else environment
    progress = progress or Progress()
    pins = pins or supported.load(minor)
    cache = caches.Cache(caches.root(environment), pins)
    search = _Search(programs)
    for near in (Local(pins, environment), _Cached(cache)):
        search.ask(near)
    if not search.missing:
        return search.found
    with cache.locked(progress):
        search.ask(_Cached(cache))  # another run may have filled it while we waited
        for why in search.reasons:
            progress.say(why)
        for far in (
            Download(pins, cache, progress),
            Build(pins, cache, progress, environment),
        ):
            if search.missing and (why := search.ask(far)):
                progress.say(why)
    if search.missing:
        names = ", ".join(program.name for program in search.missing)
        raise Unobtainable("\n  ".join([f"cannot get {names}:", *search.reasons]))
    return search.found


class _Cached:
    """What earlier runs put into the cache."""

    name = "cache"

    def __init__(self, cache: caches.Cache) -> None:
        self.find = cache.find


class _Search:
    """What has been found, and why the rest has not."""

    def __init__(self, programs: Iterable[Program]) -> None:
        self.found: dict[str, Path] = {}
        self.missing = list(programs)
        self._reasons: dict[str, str] = {}

    @property
    def reasons(self) -> list[str]:
        """A line for each source that did not have all, in the order they were asked.

        Empty when nothing is missing.
        """
        return list(self._reasons.values()) if self.missing else []

    def ask(self, source: Source) -> str:
        """Look for what is missing in `source`; return why some of it is not there."""
        answers = {program: source.find(program) for program in self.missing}
        names_by_reason: dict[str, list[str]] = {}
        for program, answer in answers.items():
            if isinstance(answer, Path):
                self.found[program.name] = answer
            else:
                names_by_reason.setdefault(answer, []).append(program.name)
        self.missing = [one for one in self.missing if one.name not in self.found]
        whys = [f"{', '.join(names)}: {why}" for why, names in names_by_reason.items()]
        self._reasons[source.name] = f"{source.name}: {'; '.join(whys)}"
        return self._reasons[source.name] if whys else ""
