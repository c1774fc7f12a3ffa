"""The type tables of ``countersign.binding``: how Kubernetes' Go types look on the wire.

Which kinds there are, where they live and which have a status subresource is what the
API server itself answers with every API turned on: Kubernetes keeps that answer beside
its code (``api/discovery``). Their fields are parsed from the Go sources by ``wire``.
Both come from the modules that also build the control plane of the tests: table and
server cannot be of different versions.
"""

import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tools.controlplane import supported
from tools.gen import ROOT, Generator

FOLDER = "controller/countersign/binding/data"
_WIRE = ROOT / "tools/gen/wire/main.go"
_SERVER = "k8s.io/kubernetes"  # has the discovery; the rest has the types
_TYPES = (
    "k8s.io/api",
    "k8s.io/apimachinery",
    "k8s.io/apiextensions-apiserver",
    "k8s.io/kube-aggregator",
)


def _go(*arguments: str, folder: Path, stdin: str = "") -> str:
    go = shutil.which("go")
    if go is None:
        raise SystemExit("gotypes: expected Go on PATH: the type tables come from it")
    done = subprocess.run(
        [go, *arguments],
        cwd=folder,
        env={**os.environ, "CGO_ENABLED": "0", "GOWORK": "off"},
        check=True,
        input=stdin,
        stdout=subprocess.PIPE,
        text=True,
    )
    return done.stdout


def sources(module: Path) -> Mapping[str, Path]:
    """Return the folders of the modules that are needed, downloaded if they are not.

    Args:
        module: The Go module that builds a control plane: it pins their versions.
    """
    answer = _go("mod", "download", "-json", _SERVER, *_TYPES, folder=module)
    decoder, found, at = json.JSONDecoder(), {}, 0
    while at < len(answer):
        one, at = decoder.raw_decode(answer, at)
        found[one["Path"]] = Path(one["Dir"])
        at += len(answer[at:]) - len(answer[at:].lstrip())
    return found


def discovered(folder: Path) -> Mapping[str, Mapping[str, Any]]:
    """Read what the server serves: by ``GROUP/VERSION/KIND``, the core group empty.

    Args:
        folder: ``api/discovery``: an ``APIResourceList`` for each group and version.
    """
    kinds: dict[str, dict[str, Any]] = {}
    for file in sorted([*folder.glob("api__v*.json"), *folder.glob("apis__*__*.json")]):
        listed = json.loads(file.read_bytes())
        group, _, version = listed["groupVersion"].rpartition("/")
        names = {one["name"] for one in listed["resources"]}
        for one in listed["resources"]:
            if "version" in one:  # of another group: autoscaling's Scale
                group_version = f"{one.get('group', '')}/{one['version']}"
            else:
                group_version = f"{group}/{version}"
            resource, _, below = one["name"].partition("/")
            key = f"{group_version}/{one['kind']}"
            if below and key in kinds:
                continue
            kinds[key] = {
                "namespaced": one["namespaced"],
                "status": not below and f"{resource}/status" in names,
                "resource": "" if below else resource,
                "listed": not below and "list" in one["verbs"],
            }
    return kinds


def table(pins: supported.Pins) -> Mapping[str, Any]:
    """Return the kinds of one minor, and the types that they reach."""
    if pins.kubernetes_module is None:
        raise SystemExit(f"gotypes: Kubernetes {pins.kubernetes} has no Go module")
    folders = sources(pins.kubernetes_module)
    served = discovered(folders[_SERVER] / "api/discovery")
    modules = [f"{name}={folders[name]}" for name in _TYPES]
    stdin = "".join(f"{key}\n" for key in served)
    read = json.loads(_go("run", str(_WIRE), *modules, folder=ROOT, stdin=stdin))
    kinds = {
        key.removeprefix("/"): {**served[key], "type": name}
        for key, name in read["kinds"].items()
    }
    minor = f"{pins.kubernetes.major}.{pins.kubernetes.minor}"
    return {"minor": minor, "kinds": kinds, "types": read["types"]}


def difference(newer: Any, older: Any) -> Any:  # noqa: ANN401 - JSON
    """Return the merge patch (RFC 7396) that makes `older` of `newer`."""
    if not (isinstance(newer, Mapping) and isinstance(older, Mapping)):
        return older
    gone = dict.fromkeys(newer.keys() - older.keys())
    return gone | {
        key: difference(newer.get(key), value)
        for key, value in older.items()
        if newer.get(key) != value
    }


def render(table: Mapping[str, Any]) -> bytes:
    """Write a table, or a patch of one, with one kind or type a line, for diffs."""
    sections = []
    for name in ("kinds", "types"):
        lines = (
            f"  {json.dumps(key)}: {json.dumps(value, sort_keys=True)}"
            for key, value in sorted(table[name].items())
        )
        sections.append(f'"{name}": {{\n' + ",\n".join(lines) + "\n}")
    minor = f'"minor": {json.dumps(table["minor"])}'
    return ("{" + ",\n".join([minor, *sections]) + "}\n").encode()


def make() -> Mapping[str, bytes]:
    """Return each minor's table under its minor and digest.

    That of the newest is whole, each older one a patch of the next newer one.
    """
    made: dict[str, bytes] = {}
    newer: Mapping[str, Any] = {}
    for minor in supported.minors():
        whole = table(supported.load(minor))
        patch = {"kinds": {}, "types": {}} | difference(newer, whole)
        content = render(patch if newer else whole)
        digest = hashlib.sha256(content).hexdigest()[:12]
        made[f"{FOLDER}/types-{minor}-{digest}.json"] = content
        newer = whole
    return made


TYPE_TABLES = Generator("type tables", f"{FOLDER}/types-*.json", make)
