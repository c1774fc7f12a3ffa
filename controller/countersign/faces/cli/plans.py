"""``--plan``, ``--saved-plan``: plans of Terraform and OpenTofu among the objects that a command sees."""

import shlex
from collections.abc import Iterable, Iterator, Sequence

import click

from countersign.core.errors import Malformed, Misconfigured
from countersign.core.types.artifacts import ObjectRef, Tree
from countersign.core.types.change import Operation
from countersign.core.types.evidence import Carrier
from countersign.core.types.verdict import Verdict
from countersign.faces.cli.files import STDIN, read_file
from countersign.faces.cli.inputs import Inputs
from countersign.report.phrases import clean
from countersign.report.steps import Way
from countersign.wire.plan import MAX_PLAN, read_plan
from countersign.wire.saved_plan import MAX_SAVED, read_code

_MAX_FILES = 2000  # characters of a command


def read_plans(inputs: Inputs) -> Iterator[tuple[Tree, str]]:
    """Yield the plans as objects, in order, and the file of each.

    They hold all that the files do: no command may write one.

    Raises:
        Malformed: a file holds something else, or a plan that cannot be applied; the
            message names it.
        Unavailable: a file cannot be read.
    """
    saved = dict(inputs.saved_plans)
    for name, file in inputs.plans:
        raw, code = read_file(file, MAX_PLAN), _code(saved[name])
        try:
            yield read_plan(raw, code, name=name, namespace=inputs.namespace), file
        except Malformed as error:
            raise Malformed(f"{file}: {error}") from error


def _code(file: str) -> dict[str, str]:
    """Return the digests of the code in a saved plan."""
    raw = read_file(file, MAX_SAVED)
    try:
        return read_code(raw)
    except Malformed as error:
        raise Malformed(f"{file}: {error}") from error


def require_signable(inputs: Inputs, carrier: str | None, operation: str) -> bool:
    """Refuse what makes no sense of a plan; tell whether there is one.

    No server takes it, so only its evidence is written.

    Raises:
        click.UsageError: another carrier than BundleSets, or the deletion of a plan.
    """
    if not inputs.plans:
        return False
    if carrier not in (None, Carrier.BUNDLE_SET):
        raise click.UsageError(
            f"expected the carrier bundleset with --plan, saw {carrier}: no server takes "
            "a plan, so nothing carries its evidence but a BundleSet"
        )
    if operation == Operation.DELETE:
        raise click.UsageError(
            "expected no --operation delete with --plan: what a plan destroys is signed "
            "with the plan (`plan -destroy`)"
        )
    return True


def require_protected(judged: Iterable[tuple[ObjectRef, Verdict]]) -> None:
    """Refuse a plan that no policy judges.

    What protects it is the namespace that the command line names: a slip there must not
    let the plan through.

    Raises:
        Misconfigured: no policy protects the namespace of a plan.
    """
    for ref, verdict in judged:
        if _is_plan(ref) and verdict.outside:
            raise Misconfigured(
                f"no policy protects {ref.namespace}, so nobody judged the plan "
                f"{ref.name}: give the namespace of its stack (-n), or have your platform "
                "team protect it"
            )


def is_about_plans(objects: Sequence[Tree]) -> bool:
    """Tell whether objects are BundleSets about plans alone: no server needs them.

    Raises:
        Malformed: a BundleSet that cannot be read.
    """
    # pydantic, which --help does not need
    from countersign.usecases.carry import unload  # noqa: PLC0415
    from countersign.wire.resources.bundleset_about import (  # noqa: PLC0415
        intent_ref,
    )

    rest, sets = unload(objects)
    about = [intent_ref(raw) for _, one in sets for raw in one.intents]
    return bool(about) and not rest and all(ref and _is_plan(ref) for ref in about)


def _is_plan(ref: ObjectRef) -> bool:
    return (ref.group, ref.kind) == ("countersign.dev", "Plan")


def plan_way(inputs: Inputs, commits: str) -> Way:
    """Return how a signature gets to plans: by the same files and options.

    What cannot be written on one line stays a placeholder, and so does standard input.
    """
    saved = dict(inputs.saved_plans)
    words = [
        f"{option} {shlex.quote(f'{name}={file}')}"
        for name, shown in inputs.plans
        for option, file in (("--plan", shown), ("--saved-plan", saved[name]))
    ]
    words.append(f"--namespace {shlex.quote(inputs.namespace)}")
    written = " ".join(words)
    files = [file for _, file in (*inputs.plans, *inputs.saved_plans)]
    if STDIN in files or clean(written, _MAX_FILES) != written:
        written = "--plan NAME=JSON --saved-plan NAME=FILE --namespace NAMESPACE"
    return Way(
        file=" -f ".join(map(shlex.quote, inputs.filenames)),
        plan=written,
        commits=commits,
        ahead=True,
    )
