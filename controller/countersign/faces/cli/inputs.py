"""``-f`` and its like: what a command looks at, given as one value."""

import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from functools import wraps
from pathlib import PurePath
from typing import Any, TypeVar, cast

import click

from countersign.faces.cli.options import together
from countersign.faces.cli.params import NamedFile

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """What a command looks at: the objects that ``-f`` and its like name.

    Attributes:
        filenames: Files, folders, patterns, or ``-``.
        namespace: Of objects that name none.
        recursive: Whether folders are read with those below them.
        kustomizations: Folders that ``kubectl kustomize`` builds.
        render: Command that prints objects, and is held to print the same each time;
            ``""``: none.
        plans: Plans of infrastructure: what each is called, and the file that
            ``show -json`` was written to.
        saved_plans: Of each of them the plan as it was saved: it holds the code.
    """

    filenames: tuple[str, ...] = ()
    namespace: str = ""
    recursive: bool = False
    kustomizations: tuple[str, ...] = ()
    render: str = ""
    plans: tuple[tuple[str, str], ...] = ()
    saved_plans: tuple[tuple[str, str], ...] = ()

    @property
    def given(self) -> bool:
        """Whether anything is named."""
        named = self.filenames or self.kustomizations or self.render or self.plans
        return bool(named)


_INPUTS = (
    click.option(
        "-f",
        "--filename",
        "filenames",
        multiple=True,
        help="Manifests: a file, a folder, a pattern, or - for standard input. "
        "Repeatable.",
    ),
    click.option(
        "-R",
        "--recursive",
        is_flag=True,
        help="Read folders of -f with those below them.",
    ),
    click.option(
        "-k",
        "--kustomize",
        "kustomizations",
        multiple=True,
        metavar="DIR",
        help="A folder that kubectl kustomize builds. Repeatable.",
    ),
    click.option(
        "--render",
        default="",
        metavar="COMMAND",
        help="What prints the objects: 'helm template web ./chart -n payments'. It is "
        "run several times, and refused if it gives others each time. No shell sees it.",
    ),
    click.option(
        "--plan",
        "plans",
        multiple=True,
        type=NamedFile(),
        help="A plan of Terraform or OpenTofu, as show -json printed it, and what to "
        "call it; -n is the namespace whose policies protect its stack. Repeatable.",
    ),
    click.option(
        "--saved-plan",
        "saved_plans",
        multiple=True,
        type=NamedFile(),
        help="The same plan as plan -out saved it, under the same name: it holds the "
        "code that is applied. Needed with each --plan. Repeatable.",
    ),
    click.option(
        "-n", "--namespace", default="", help="Namespace of manifests that name none."
    ),
)


def inputs(function: F) -> F:
    """Add the options that name objects, given as one `Inputs`."""

    @wraps(function)
    def gathered(*args: Any, **given: Any) -> Any:  # noqa: ANN401 - click's own calls
        chosen = {field.name: given.pop(field.name) for field in fields(Inputs)}
        _require_pairs(chosen["plans"], chosen["saved_plans"])
        chosen["namespace"] = chosen["namespace"] or _namespace_of(chosen["render"])
        return function(*args, inputs=Inputs(**chosen), **given)

    return together(*_INPUTS)(cast("F", gathered))


def _require_pairs(
    plans: Sequence[tuple[str, str]], saved: Sequence[tuple[str, str]]
) -> None:
    """Refuse a plan without the code that it was made of, and code without a plan.

    Raises:
        click.UsageError: with what to write.
    """
    shown, held = [name for name, _ in plans], [name for name, _ in saved]
    for option, names in (("--plan", shown), ("--saved-plan", held)):
        if twice := next((one for one in names if names.count(one) > 1), ""):
            raise click.UsageError(f"expected {option} {twice}=FILE once, saw it twice")
    for name, file in plans:
        if name not in held:
            raise click.UsageError(
                f"expected --saved-plan {name}=FILE with --plan {name}={file}, saw none: "
                "give the plan that `tofu plan -out=FILE` saved; it holds the code, "
                "which its JSON does not"
            )
    for name in held:
        if name not in shown:
            raise click.UsageError(
                f"expected --plan {name}=JSON with --saved-plan {name}=…, saw none: give "
                "what `tofu show -json FILE` prints of that plan"
            )


def _namespace_of(command: str) -> str:
    """Return the namespace that a command of Helm is told, or ``""``."""
    try:
        program, *words = shlex.split(command) or [""]
    except ValueError:  # whoever runs it says so
        return ""
    if PurePath(program).name != "helm":
        return ""
    found = ""
    for word, following in zip(words, [*words[1:], ""], strict=True):
        name, equals, value = word.partition("=")
        if name in ("-n", "--namespace"):
            found = value if equals else following
    return found
