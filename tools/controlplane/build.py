"""Builds the programs with Go, from the pinned Go modules in this repository."""

import os
import signal
import subprocess
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from tools.controlplane.cache import Cache, Record, this_platform
from tools.controlplane.errors import Unobtainable, last_line
from tools.controlplane.golang import find_go
from tools.controlplane.programs import Program
from tools.controlplane.progress import Progress
from tools.controlplane.recipe import modules_in, recipe
from tools.controlplane.supported import Pins

_MEASURED_ON = 2  # cores, for `Program.cold_build_s`


class Build:
    """Builds into the cache, one program after the other."""

    name = "build with Go"

    def __init__(
        self,
        pins: Pins,
        cache: Cache,
        progress: Progress,
        environment: Mapping[str, str],
    ) -> None:
        self._pins = pins
        self._cache = cache
        self._progress = progress
        self._environment = {**environment, "CGO_ENABLED": "0", "GOWORK": "off"}
        self._gos: dict[Path, Path | Unobtainable] = {}

    def find(self, program: Program) -> Path | str:
        """Build `program`, or say why that failed."""
        if (module := program.module(self._pins)) is None:
            return f"no Go module here for {program.pinned(self._pins)}"
        try:
            return self._build(self._go_for(module), module, program)
        except Unobtainable as error:
            return str(error)
        except subprocess.CalledProcessError as error:
            return f"go build failed: {last_line(error)} (in {module}: go build {program.package})"
        except OSError as error:
            return f"go build failed: {error}"

    def _go_for(self, module: Path) -> Path:
        """Return the Go for `module`, looked for once, as is the reason for none.

        Raises:
            Unobtainable: There is none.
        """
        if module not in self._gos:
            try:
                self._gos[module] = find_go(
                    module,
                    package=self._pins.go_package,
                    folder=self._cache.root / "go",
                    environment=self._environment,
                    progress=self._progress,
                )
            except Unobtainable as error:
                self._gos[module] = error
        if isinstance(go := self._gos[module], Unobtainable):
            raise go
        return go

    def _build(self, go: Path, module: Path, program: Program) -> Path:
        # Read before the build: what changes while it runs makes it stale, not wrong.
        before = recipe(program, self._pins)
        with self._cache.partial(program) as made:
            command: list[str | Path] = [
                go,
                "build",
                "-mod=readonly",
                "-buildvcs=false",
            ]
            command += ["-trimpath", "-ldflags", before.ldflags, "-o", made]
            with self._progress.step(
                f"building {program.name} {program.pinned(self._pins)} with Go",
                estimate_s=program.cold_build_s * _MEASURED_ON / _cores(),
            ):
                self._go([*command, program.package], module)
            modules = modules_in(self._go([go, "version", "-m", made], module))
            record = Record(
                origin="build",
                version=str(program.pinned(self._pins)),
                platform=this_platform(),
                recipe=replace(before, modules=modules),
            )
            return self._cache.keep(program, made, record)

    def _go(self, command: list[str | Path], module: Path) -> str:
        """Run `command`; when this process is interrupted, Go and its compilers end too.

        Raises:
            CalledProcessError: It failed.
        """
        with subprocess.Popen(
            command,
            cwd=module,
            env=self._environment,
            process_group=0,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as running:
            try:
                out, err = running.communicate()
            except BaseException:
                os.killpg(running.pid, signal.SIGKILL)
                raise
        if running.returncode != 0:
            raise subprocess.CalledProcessError(running.returncode, command, out, err)
        return out


def _cores() -> int:
    return max(1, len(os.sched_getaffinity(0)))
