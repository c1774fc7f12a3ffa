"""Runs what a Pod of ours would run, as a process of this machine.

The command, the arguments, the environment and the mounted files are those that the
chart renders. What a kubelet does by a mount namespace is done here by paths: each
setting that names a file under a mount is pointed at the folder that stands for it.
"""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from countersign.config import OperateSettings, Settings, load, paths, variable

Tree = Mapping[str, Any]
Files = Mapping[str, bytes]

_MODELS: Mapping[str, type[Settings | OperateSettings]] = {
    "serve": Settings,
    "operate": OperateSettings,
}
# what the Dockerfile's ENTRYPOINT starts; a test holds them together
ENTRYPOINT = (sys.executable, "-m", "countersign")


@dataclass(frozen=True, slots=True)
class Process:
    """What to start.

    Attributes:
        command: With its arguments.
        environment: Of the container alone.
        mounts: The folder on this machine by the path that the container knows.
    """

    command: tuple[str, ...]
    environment: Mapping[str, str]
    mounts: Mapping[Path, Path]

    def file(self, path: str | Path) -> Path:
        """Return where a file of the container lies on this machine.

        Raises:
            ValueError: Nothing is mounted there: the container would not find it.
        """
        wanted = Path(path)
        for mount, folder in self.mounts.items():
            if wanted.is_relative_to(mount):
                return folder / wanted.relative_to(mount)
        raise ValueError(f"expected a volume that holds {path}, saw none")


def process(
    workload: Tree,
    folder: Path,
    *,
    secrets: Mapping[str, Files],
    config_maps: Mapping[str, Files] | None = None,
) -> Process:
    """Return what the first container of `workload` runs, its volumes made in `folder`.

    Args:
        workload: Anything with a Pod template.
        folder: Made if it is not there. What its ``emptyDir`` and claims hold stays.
        secrets: What the volumes may show, by name and key.
        config_maps: The same.

    Raises:
        ValueError: A setting names a file that no volume holds, or a variable is of a
            source that this does not know.
        KeyError: A volume shows what is not given.
    """
    pod = workload["spec"]["template"]["spec"]
    (container, *_) = pod["containers"]
    known = {"secret": secrets, "configMap": config_maps or {}}
    volumes = {
        volume["name"]: _fill(volume, folder / "volumes", known)
        for volume in pod.get("volumes", [])
    }
    mounts = {
        Path(mount["mountPath"]): volumes[mount["name"]] / mount.get("subPath", "")
        for mount in container.get("volumeMounts", [])
    }
    told = {one["name"]: _value(one) for one in container.get("env", [])}
    arguments = (*container.get("args", ()),)
    made = Process((*container.get("command", ENTRYPOINT), *arguments), told, mounts)
    moved = _moved(made, _MODELS[arguments[0]]) if arguments[0] in _MODELS else {}
    return Process(made.command, {**told, **moved}, mounts)


def _fill(volume: Tree, folder: Path, known: Mapping[str, Mapping[str, Files]]) -> Path:
    """Make the folder of a volume, as the kubelet would fill it."""
    made = folder / str(volume["name"])
    made.mkdir(parents=True, exist_ok=True)
    for kind, found in known.items():
        if source := volume.get(kind):
            name = source.get("secretName", source.get("name"))
            if source.get("optional") and name not in found:
                continue
            data = found[name]
            items = source.get("items", [{"key": key, "path": key} for key in data])
            for item in items:
                (made / item["path"]).touch(mode=0o600)
                (made / item["path"]).write_bytes(data[item["key"]])
    return made


def _value(variable: Tree) -> str:
    if "valueFrom" in variable:
        raise ValueError(f"{variable['name']}: expected a value, saw {variable!r}")
    return str(variable.get("value", ""))  # which the API server drops if empty


def _moved(made: Process, model: type[Settings | OperateSettings]) -> dict[str, str]:
    """Return the variables of settings that name files, defaults among them."""
    settings = load(model, flags={}, environment=made.environment)
    named = {path: _at(settings, path) for path in paths(model)}
    return {
        variable(path): str(made.file(value))
        for path, value in named.items()
        if isinstance(value, Path)
    }


def _at(settings: BaseModel, path: str) -> object:
    value: object = settings
    for name in path.split("."):
        value = getattr(value, name)
    return value
