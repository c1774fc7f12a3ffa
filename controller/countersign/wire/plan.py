"""Plans of Terraform and OpenTofu (``show -json PLANFILE``), as objects to be signed.

The object holds a plan whole, but for the time at which it was made: fields that nobody
here knows, too; and the digest of each file of its code, which ``show -json`` does not
print (`wire.saved_plan`). Each resource that changes is a text of its own, and each field of the
plan is one, in canonical JSON. So a difference has a name, and a plan of any size an
intent of a few lines for each change (`binding.plan`, which masks the texts).

What a program of the tests prints twice for one state gives the same object twice.

Source:
    OpenTofu's internal/command/jsonplan/plan.go (``Marshal``), format version 1.2;
    developer.hashicorp.com/terraform/internals/json-format.
"""

import json
import re
from collections.abc import Mapping
from typing import Final, NamedTuple

from countersign.core.errors import Malformed
from countersign.core.types.artifacts import Digits, Json, Tree
from countersign.wire.strict_json import VERBATIM, parse_json

MAX_PLAN: Final = 64 << 20  # bytes; 20 000 resources with their state
MAX_CHANGES: Final = 4000  # resources that change; their intent stays below 1 MiB
MAX_ADDRESSES: Final = 400_000  # characters of their addresses, for the same reason
IGNORED: Final = frozenset({"timestamp"})
"""When the plan was made: applying it does the same whenever that was."""

NOT_SHOWN: Final = frozenset(
    {
        "applyable",
        "complete",
        "errored",
        "format_version",
        "planned_values",
        "prior_state",
        "relevant_attributes",
        "resource_changes",
        "terraform_version",
    }
)
"""What tells people nothing that the resources that change do not. All else is looked
at, what nobody here knows, too: Terraform's ``action_invocations`` are run."""

CHANGES: Final = "resource_changes"
CODE: Final = (
    "code"  # no field of a plan; its texts are no JSON, so none looks like one
)
_NAME = re.compile(r"[a-z0-9]([-.a-z0-9]{0,251}[a-z0-9])?")
_FORMAT = re.compile(r"1\.\d{1,4}")
_VERSION = "terraform_version"
_MADE_OF = ("configuration", "planned_values")  # in each plan, and in no state
_UNCHANGED = ["no-op"]
_SAVED = b"PK\x03\x04"  # a ZIP archive: what `plan -out` writes


def read_plan(
    raw: bytes, code: Mapping[str, str], *, name: str, namespace: str
) -> Tree:
    """Read a plan as an object: raw, to be masked before anybody else sees it.

    Args:
        raw: What ``show -json`` printed of a plan that was saved.
        code: Digests of the code in that plan, by file (`wire.saved_plan`).
        name: What the plan is called; with the namespace it says of which stack it is.
        namespace: That protects the stack.

    Raises:
        Malformed: no plan, or one that readers could disagree about; one that cannot be
            applied, or only in part; a name that objects do not have.

    Limits:
        `MAX_PLAN`, `MAX_CHANGES`, `MAX_ADDRESSES`.
    """
    if not _NAME.fullmatch(name):
        raise Malformed(
            "expected a plan's name of small letters, digits, - and ., "
            f"saw {name[:80]!r}"
        )
    if not namespace:
        raise Malformed(
            "expected the namespace that protects the stack, saw none: give --namespace"
        )
    if raw.startswith(_SAVED):
        raise Malformed(
            "expected JSON, saw a plan as it was saved: give what "
            "`tofu show -json PLANFILE` prints of it"
        )
    plan = parse_json(raw, limit=MAX_PLAN, verbatim=True)
    if not isinstance(plan, dict):
        raise Malformed("expected a plan as JSON, saw no object")
    _require_plan(plan)
    _require_whole(plan)
    changes, data = _changes(plan)
    for field, value in plan.items():
        if field.startswith(f"{CODE} "):
            raise Malformed(f"expected a plan's fields, saw {field[:120]!r}")
        if field not in IGNORED:
            _put(data, field, value)
    data |= {f"{CODE} {file}": digest for file, digest in code.items()}
    return {
        "apiVersion": "countersign.dev/v1alpha1",
        "kind": "Plan",
        "metadata": {"name": name, "namespace": namespace},
        "plan": {"changes": changes},
        "data": data,
    }


def _require_plan(plan: Tree) -> None:
    version = plan.get("format_version")
    if not (isinstance(version, str) and isinstance(plan.get(_VERSION), str)):
        raise Malformed(
            "expected what `tofu show -json PLANFILE` prints, saw other JSON"
        )
    if not _FORMAT.fullmatch(version):
        raise Malformed(f"expected a plan of format 1, saw {version[:40]!r}")
    if not all(isinstance(plan.get(field), dict) for field in _MADE_OF):
        raise Malformed(
            "expected a plan, saw a state or a part of one: give the file of the plan "
            "to `tofu show -json`"
        )


def _require_whole(plan: Tree) -> None:
    """Refuse what could not be applied as it is, or would be followed by another."""
    if plan.get("errored", False) is not False:
        raise Malformed("expected a plan without errors, saw one that ended in some")
    if plan.get("complete", True) is not True:
        raise Malformed(
            "expected a plan of the whole stack, saw one of a part (-target, or deferred "
            "changes): plan all of it"
        )
    if plan.get("applyable", True) is not True:
        raise Malformed(
            "expected a plan that changes something, saw one that does not: there is "
            "nothing to apply, and nothing to sign (`plan -detailed-exitcode` exits "
            "with 2 where there is)"
        )


def _changes(plan: Tree) -> tuple[dict[str, Json], dict[str, Json]]:
    """Return what happens to which address, and a text for each that changes.

    In `plan` a name takes the place of what has a text of its own: the order stays.
    """
    listed = plan.get(CHANGES, [])
    if not isinstance(listed, list):
        raise Malformed(f"/{CHANGES}: expected a list")
    changes: dict[str, Json] = {}
    data: dict[str, Json] = {}
    rest: list[Json] = []
    for one in listed:
        address, actions = _read_change(one)
        if actions == _UNCHANGED and not _is_moved(one):
            rest.append(one)
            continue
        key = f"{CHANGES} {address}"
        _put(data, key, one)
        changes[address] = ", ".join(actions)
        rest.append(key)
    if len(changes) > MAX_CHANGES or sum(map(len, changes)) > MAX_ADDRESSES:
        raise Malformed(
            f"expected at most {MAX_CHANGES} resources that change, saw "
            f"{len(changes)}: nobody reviews so many; part the stack"
        )
    if CHANGES in plan:
        plan[CHANGES] = rest
    return changes, data


def _read_change(one: Json) -> tuple[str, list[str]]:
    """Return the address, with the key of what was deposed, and the actions."""
    if isinstance(one, dict) and isinstance(change := one.get("change"), dict):
        address, actions = one.get("address"), change.get("actions")
        deposed = one.get("deposed", "")
        if (
            isinstance(address, str)
            and isinstance(deposed, str)
            and isinstance(actions, list)
            and actions
        ):
            # whatever the name, more actions than one are told apart by the comma
            said = [str(action) for action in actions]
            return f"{address} (deposed {deposed})" if deposed else address, said
    raise Malformed(f"/{CHANGES}: expected address and change.actions of each")


def _is_moved(one: Json) -> bool:
    """Tell whether something happens without an action: it is imported, or moved."""
    change = one.get("change") if isinstance(one, dict) else None
    imported = isinstance(change, dict) and "importing" in change
    return imported or (isinstance(one, dict) and "previous_address" in one)


def _put(data: dict[str, Json], key: str, value: Json) -> None:
    if key in data:
        raise Malformed(f"expected each part of a plan once, saw {key[:120]!r} twice")
    data[key] = json.dumps(value, sort_keys=True, separators=(",", ":"))


class Parts(NamedTuple):
    """What people see of a plan.

    Attributes:
        changes: Of its ``resource_changes`` those in which something happens.
        others: All its other fields, but for `NOT_SHOWN`.
        code: The files of code that are signed with it, by name.
    """

    changes: tuple[Json, ...]
    others: dict[str, Json]
    code: frozenset[str]


def read_parts(tree: Tree) -> Parts:
    """Return what people see of a plan. Numbers that are no short integers are `Digits`.

    Args:
        tree: As `read_plan` made it; of a masked one nothing is seen.
    """
    data = tree.get("data")
    texts = data if isinstance(data, dict) and "salt" not in tree else {}
    own = {k: v for k, v in texts.items() if k.startswith(f"{CHANGES} ")}
    code = {k for k in texts if k.startswith(f"{CODE} ")}
    others = texts.keys() - own.keys() - code - NOT_SHOWN
    return Parts(
        tuple(map(_read, own.values())),
        {k: _read(texts[k]) for k in others},
        frozenset(k.removeprefix(f"{CODE} ") for k in code),
    )


def _read(text: Json) -> Json:
    value: Json = json.loads(str(text), object_pairs_hook=_shown)
    return value


def _shown(pairs: list[tuple[str, Json]]) -> Json:
    value = dict(pairs)
    return Digits(str(value[VERBATIM])) if VERBATIM in value else value
