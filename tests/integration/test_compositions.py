"""Custom resources of platforms, made as Crossplane makes them, on the real API server.

A claim that people sign, the composite that the platform makes of it, the managed
resource that it makes of that, and a provider that fills in what the cloud chose. The
platform's controllers are played by whoever may impersonate their service accounts.
"""

import contextlib
import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.gate import Gate, Judged, written
from tools.stack.ready import until

Tree = dict[str, Any]

SPACE = "orders"
PLATFORM, CLOUD = "platform.example", "cloud.example"
CORE = f"system:serviceaccount:{SPACE}:crossplane"
PROVIDER = f"system:serviceaccount:{SPACE}:provider-cloud"
EXTERNAL = "crossplane.io/external-name"
CLAIMED = "crossplane.io/claim-name"
FINALIZER = "finalizer.apiextensions.crossplane.io"

_EXTERNAL_PATH = f"/metadata/annotations/{EXTERNAL.replace('/', '~1')}"
CONTROLLERS: list[Tree] = [
    {
        "user": CORE,
        "own": [
            {
                "group": PLATFORM,
                "kind": "Bucket",
                "paths": [
                    "/spec/compositionRef",
                    "/spec/resourceRef",
                    "/metadata/finalizers",
                ],
            }
        ],
        "children": [
            {
                "group": PLATFORM,
                "kind": "XBucket",
                "owner": {"group": PLATFORM, "version": "v1", "kind": "Bucket"},
                "link": "annotation",
                "key": CLAIMED,
                "fields": {
                    "derive": [{"from": "/spec/region"}],
                    "free": ["/spec/compositionRef", "/spec/resourceRefs"],
                },
            },
            {
                "group": CLOUD,
                "kind": "Store",
                "owner": {"group": PLATFORM, "version": "v1", "kind": "XBucket"},
                "fields": {
                    "derive": [
                        {"from": "/spec/region", "to": "/spec/forProvider/region"}
                    ],
                    "free": ["/spec/forProvider/acl", _EXTERNAL_PATH],
                },
            },
        ],
    },
    {
        "user": PROVIDER,
        "own": [
            {
                "group": CLOUD,
                "kind": "Store",
                "paths": [
                    "/spec/forProvider/acl",
                    "/metadata/finalizers",
                    _EXTERNAL_PATH,
                ],
            }
        ],
    },
]

_TEXT = {"type": "string"}
_REF = {"type": "object", "properties": {"name": _TEXT, "kind": _TEXT}}
_FREE = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}


def _definition(group: str, kind: str, spec: Tree) -> Tree:
    plural = f"{kind.lower()}s"
    schema = {
        "type": "object",
        "properties": {"spec": {"type": "object", "properties": spec}, "status": _FREE},
    }
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.{group}"},
        "spec": {
            "group": group,
            "scope": "Namespaced",
            "names": {"plural": plural, "kind": kind},
            "versions": [
                {
                    "name": "v1",
                    "served": True,
                    "storage": True,
                    "subresources": {"status": {}},
                    "schema": {"openAPIV3Schema": schema},
                }
            ],
        },
    }


def _setting() -> list[Tree]:
    """Return what a platform team installs: kinds, and who may read and write them."""
    rbac = "rbac.authorization.k8s.io"
    rules = [{"apiGroups": [PLATFORM, CLOUD], "resources": ["*"], "verbs": ["*"]}]
    roles = (
        ("platform-owners", "countersign.dev/aggregate-to-serve", ["get"]),
        ("platform-users", f"{rbac}/aggregate-to-admin", ["*"]),
    )
    region = {"region": _TEXT, "compositionRef": _REF}
    provided = {"type": "object", "properties": {"region": _TEXT, "acl": _TEXT}}
    config = {**_REF, "default": {"name": "default"}}
    return [
        _definition(PLATFORM, "Bucket", {**region, "resourceRef": _REF}),
        _definition(
            PLATFORM,
            "XBucket",
            {**region, "resourceRefs": {"type": "array", "items": _REF}},
        ),
        _definition(
            CLOUD, "Store", {"forProvider": provided, "providerConfigRef": config}
        ),
        *(
            {
                "apiVersion": f"{rbac}/v1",
                "kind": "ClusterRole",
                "metadata": {"name": name, "labels": {label: "true"}},
                "rules": [{**rules[0], "verbs": verbs}],
            }
            for name, label, verbs in roles
        ),
    ]


@pytest.fixture(name="gate", scope="module")
def _gate(gate: Gate) -> Iterator[Gate]:
    """Let ``orders`` name the platform's controllers."""
    plane = gate.stack.plane
    plane.kubectl("apply", "-f", "-", stdin=written(_setting())).check()

    def say(controllers: list[Tree] | None) -> None:
        patch = json.dumps({"spec": {"exceptions": {"controllers": controllers}}})
        flags = ("--type=merge", "-p", patch)
        plane.kubectl("patch", "protectionpolicy", SPACE, *flags).check()

    def unknown() -> str:
        made = signed(gate, bucket("probe"))
        return "" if made.admitted else made.out

    until(unknown, what="the claim's kind")
    say(CONTROLLERS)

    def passes() -> str:
        done = act(gate, CORE, "create", composite("probe"), "--dry-run=server")
        return "" if done.admitted else f"{done.reasons} {done.out}"

    until(passes, what="the platform of the policy")
    with contextlib.ExitStack() as stack:
        stack.callback(say, None)
        yield gate


def bucket(name: str, region: str = "eu-west-1") -> Tree:
    """Return the claim that people sign."""
    return _object(PLATFORM, "Bucket", name, {"region": region})


def composite(name: str, region: str = "eu-west-1", claim: str = "") -> Tree:
    """Return what the platform makes of a claim."""
    spec = {"region": region, "compositionRef": {"name": "buckets"}}
    tree = _object(PLATFORM, "XBucket", f"{name}-x7k2p", spec)
    tree["metadata"]["annotations"] = {CLAIMED: claim or name}
    return tree


def store(gate: Gate, name: str, region: str = "eu-west-1", **metadata: Any) -> Tree:
    """Return what the platform makes of a composite."""
    owner = live(gate, f"xbuckets.{PLATFORM}", f"{name}-x7k2p")
    tree = _object(
        CLOUD, "Store", f"{name}-x7k2p-4w9", {"forProvider": {"region": region}}
    )
    reference = {
        "apiVersion": f"{PLATFORM}/v1",
        "kind": "XBucket",
        "name": owner["metadata"]["name"],
        "uid": owner["metadata"]["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }
    tree["metadata"] |= {"ownerReferences": [reference], **metadata}
    return tree


def _object(group: str, kind: str, name: str, spec: Tree) -> Tree:
    return {
        "apiVersion": f"{group}/v1",
        "kind": kind,
        "metadata": {"name": name, "namespace": SPACE},
        "spec": spec,
    }


def live(gate: Gate, resource: str, name: str) -> Tree:
    """Return an object as it is."""
    flags = ("-n", SPACE, "-o", "json")
    shown = gate.stack.plane.kubectl("get", resource, name, *flags).check()
    tree: Tree = json.loads(shown.stdout)
    return tree


def signed(gate: Gate, *trees: Tree) -> Judged:
    """Sign for objects, and apply them as a developer."""
    return gate.apply(gate.sign(written(trees)))


def act(gate: Gate, user: str, verb: str, tree: Tree, *flags: str) -> Judged:
    """Ask for something under a service account's name."""
    play = ("-n", SPACE, "--as", user, "--as-group", "system:masters")
    return gate.kubectl(verb, *play, "-f", "-", *flags, by=None, stdin=tree)


def patch(gate: Gate, user: str, what: str, change: Tree, *flags: str) -> Judged:
    """Patch an object; `user` empty: as a developer."""
    play = ("--as", user, "--as-group", "system:masters") if user else ()
    by: Any = {"by": None} if user else {}
    words = ("patch", what, "-n", SPACE, "--type=merge", "-p", json.dumps(change))
    return gate.kubectl(*words, *play, *flags, **by)


@pytest.fixture(name="made")
def _made(gate: Gate, name: str) -> str:
    """A claim that is signed, with all that the platform makes of it."""
    short = name[:24].strip("-")
    claim, uses = f"bucket.{PLATFORM}/{short}", f"{short}-x7k2p"
    assert signed(gate, bucket(short)).admitted
    done = [
        patch(gate, CORE, claim, {"metadata": {"finalizers": [FINALIZER]}}),
        act(gate, CORE, "create", composite(short)),
        patch(
            gate,
            CORE,
            claim,
            {
                "spec": {
                    "compositionRef": {"name": "buckets"},
                    "resourceRef": {"name": uses, "kind": "XBucket"},
                }
            },
        ),
        act(gate, CORE, "create", store(gate, short)),
        patch(
            gate,
            CORE,
            f"xbucket.{PLATFORM}/{uses}",
            {"spec": {"resourceRefs": [{"name": f"{uses}-4w9", "kind": "Store"}]}},
        ),
        patch(
            gate,
            PROVIDER,
            f"store.{CLOUD}/{uses}-4w9",
            {
                "metadata": {"annotations": {EXTERNAL: "bucket-0042"}},
                "spec": {"forProvider": {"acl": "private"}},
            },
        ),
    ]
    assert [one.out for one in done if not one.admitted] == []
    doors = [door for one in done for door in one.doors]
    assert doors == ["delta", "derived", "delta", "derived", "derived", "delta"]
    return short


def test_what_a_platform_makes_of_a_claim_passes(gate: Gate, made: str) -> None:
    """References, finalizers, what the provider chose; and it all stays afterwards."""
    status = {"status": {"conditions": [{"type": "Ready", "status": "True"}]}}
    ready = patch(
        gate, CORE, f"bucket.{PLATFORM}/{made}", status, "--subresource=status"
    )

    moved = signed(gate, bucket(made, "us-east-1"))
    followed = [
        patch(gate, CORE, what, change)
        for what, change in (
            (f"xbucket.{PLATFORM}/{made}-x7k2p", {"spec": {"region": "us-east-1"}}),
            (
                f"store.{CLOUD}/{made}-x7k2p-4w9",
                {"spec": {"forProvider": {"region": "us-east-1"}}},
            ),
        )
    ]

    assert ready.code == 0, ready.out
    assert moved.doors == {"signed"}, moved.out
    assert live(gate, f"buckets.{PLATFORM}", made)["spec"] == {
        "region": "us-east-1",
        "compositionRef": {"name": "buckets"},
        "resourceRef": {"name": f"{made}-x7k2p", "kind": "XBucket"},
    }
    assert [one.doors for one in followed] == [{"derived"}] * 2, followed


def test_a_developer_is_no_controller(gate: Gate, made: str) -> None:
    """The same writes under another name are denied."""
    claim = f"bucket.{PLATFORM}/{made}"
    stored = f"store.{CLOUD}/{made}-x7k2p-4w9"
    elsewhere = {"spec": {"resourceRef": {"name": "of-another-team"}}}

    for what, change in (
        (claim, elsewhere),
        (claim, {"metadata": {"finalizers": ["other.example/finalizer"]}}),
        (stored, {"metadata": {"annotations": {EXTERNAL: "their-bucket"}}}),
        (stored, {"spec": {"forProvider": {"acl": "public-read"}}}),
        (stored, {"spec": {"forProvider": {"region": "eu-north-1"}}}),
        (f"xbucket.{PLATFORM}/{made}-x7k2p", {"spec": {"compositionRef": None}}),
    ):
        denied = patch(gate, "", what, change)
        assert denied.code == 1, change
        assert denied.reasons, denied.out
    # what a controller wrote may stay, and need not: this is the very state that was
    # signed, and the deletion that a finalizer is there for is signed by itself
    back = patch(gate, "", claim, {"metadata": {"finalizers": None}})
    assert back.doors == {"signed"}, back.out


def test_a_controller_keeps_to_what_was_signed(gate: Gate, made: str) -> None:
    """Its name alone opens nothing: another region, another owner, another field."""
    stored = f"store.{CLOUD}/{made}-x7k2p-4w9"
    region = {"spec": {"forProvider": {"region": "eu-north-1"}}}
    forged = composite("forged", claim="nobody-signed-this")
    forged_store = store(gate, made)
    forged_store["metadata"]["name"] = "forged"
    forged_store["metadata"]["ownerReferences"][0]["uid"] = "0f0f0f0f-0000-4000"

    core = patch(gate, CORE, stored, region)
    provider = patch(gate, PROVIDER, stored, region)
    claim = patch(
        gate, CORE, f"bucket.{PLATFORM}/{made}", {"spec": {"region": "eu-north-1"}}
    )
    unowned = act(gate, CORE, "create", forged)
    orphan = act(gate, CORE, "create", forged_store)

    assert "child_differs" in core.reasons, core.out
    assert provider.code == 1
    assert provider.reasons
    assert claim.code == 1
    assert claim.reasons
    assert "owner_unproven" in unowned.reasons, unowned.out
    assert "owner_unproven" in orphan.reasons, orphan.out


def test_deletion_is_signed_for(gate: Gate, made: str) -> None:
    """What a claim holds in the cloud goes with it, so somebody signs for that."""
    claim = ("bucket." + PLATFORM, made, "-n", SPACE)
    stored = (f"store.{CLOUD}", f"{made}-x7k2p-4w9", "-n", SPACE)

    denied = gate.kubectl("delete", *claim, "--wait=false")
    directly = gate.kubectl("delete", *stored, "--wait=false")
    sets = gate.sign(
        written([bucket(made)]), "--operation", "delete", "--carrier", "bundleset"
    )
    assert gate.kubectl("apply", "-f", "-", stdin=sets).code == 0
    gone = gate.kubectl("delete", *claim, "--wait=false")
    ended = patch(
        gate, CORE, f"bucket.{PLATFORM}/{made}", {"metadata": {"finalizers": None}}
    )

    assert "deletion" in denied.reasons, denied.out
    assert directly.code == 1, directly.bases
    assert gone.admitted, gone.out
    assert ended.code == 0, ended.out
