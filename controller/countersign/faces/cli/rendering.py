"""``--render`` and ``-k``: objects from the programs that people render them with."""

import json
import shlex
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import click

from countersign.adapters.programs import output_of
from countersign.binding.tree import Value
from countersign.core.errors import Malformed
from countersign.core.types.artifacts import Tree
from countersign.faces.cli.text import one_line
from countersign.usecases.renders import Unstable, unstable
from countersign.wire.manifests import parse_manifests

ZONES = ("UTC", "Pacific/Kiritimati", "America/Los_Angeles", "Asia/Kathmandu")
"""Time zones of the renderings: what says the time of day says another one in each."""

_MAX_TOLD = 10  # places
_MAX_VALUE = 60  # characters
_SECOND = 1.0

_HINT = """\
What is applied later is rendered anew, and would be denied. Then either
  * give the values yourself (--set, -f values.yaml), or a Secret that is there already
    (existingSecret), where the chart asks for them instead of making them up;
  * where the chart looks for what is live (lookup), render against the cluster
    (helm template --dry-run=server) after its first installation;
  * or render once into a file, sign that (-f FILE), and apply that very file."""


def kustomized(folder: str) -> bytes:
    """Return what ``kubectl kustomize`` builds of a folder: what ``apply -k`` sends.

    Raises:
        Malformed: it does not build.
        Unavailable: there is no kubectl.
    """
    return output_of(["kubectl", "kustomize", folder])


def rendered(command: str) -> bytes:
    """Return what a command renders, if it renders the same each time.

    It is run several times, as a fresh process each: once, and after the second has
    passed once more in each other zone, all at once. So what is random, made of the time
    or ordered as it comes shows itself, save by rare chance.

    Args:
        command: As a shell takes it; no shell sees it, so nothing is expanded.

    Raises:
        click.UsageError: no command.
        Malformed: it failed, or gave other objects than before; the message says where.
        Unavailable: it cannot be run.
    """
    words = split(command)
    began = time.time()
    first = output_of(words, {"TZ": ZONES[0]})
    _pass_second(began)
    with ThreadPoolExecutor(len(ZONES) - 1) as pool:
        others = pool.map(lambda zone: output_of(words, {"TZ": zone}), ZONES[1:])
        renders = [first, *others]
    if any(other != first for other in renders):
        _require_same(command, [_read(command, raw) for raw in renders])
    return first


def split(command: str) -> list[str]:
    """Return the words of a command.

    Raises:
        click.UsageError: there is none, or a quote stays open.
    """
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise click.UsageError(f"--render: {error}") from error
    if not words:
        raise click.UsageError(
            "expected a command with --render, saw none: "
            "give --render 'helm template NAME CHART -n NAMESPACE'"
        )
    return words


def render_folders(folders: Sequence[str]) -> list[tuple[str, bytes]]:
    """Return each folder of ``-k``, with what is built of it."""
    return [(str(Path(each)), kustomized(each)) for each in folders]


def _pass_second(began: float) -> None:
    """Wait until the clock shows another second than at `began`; mostly it does."""
    time.sleep(max(0.0, _SECOND - (began % _SECOND) - (time.time() - began)))


def _read(command: str, raw: bytes) -> tuple[Tree, ...]:
    try:
        return parse_manifests(raw)
    except Malformed as error:
        raise Malformed(f"{command}: {error}") from error


def _require_same(command: str, renders: Sequence[tuple[Tree, ...]]) -> None:
    found = unstable(renders)
    if not found:
        return
    told = [f"  {_line(one)}" for one in found[:_MAX_TOLD]]
    if more := len(found) - _MAX_TOLD:
        told += [f"  … and {more} more"] if more > 0 else []
    text = "\n".join(told)
    raise Malformed(
        f"expected the same objects each time, saw others from {one_line(command)}:\n"
        f"{text}\n{_HINT}"
    )


def _line(one: Unstable) -> str:
    about = one_line(one.about)
    if not one.path:
        return f"{about}: is only there at times, or has another name each time"
    if one.secret:
        said = "another value each time, not shown: it is a Secret's"
    elif one.reordered:
        said = f"the same items in another order: {_value(one.first)}"
    else:
        said = f"{_value(one.first)}, then {_value(one.other)}"
    return f"{about}: {one_line(one.path, 300)}: {said}"


def _value(value: Value) -> str:
    if value is None:
        return "nothing"
    return one_line(json.dumps(value, ensure_ascii=False), _MAX_VALUE)
