"""Evidence beside objects, for tests with the whole gate: as files would bring it."""

import asyncio
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from countersign.adapters.sign.key import KeySigner, load_key
from countersign.core import questions
from countersign.core.types.change import Change
from countersign.core.types.evidence import (
    Answer,
    AnswerVerdict,
    Emergency,
    Result,
    SignOff,
)
from countersign.core.types.time import Interval
from countersign.wire.annotations import BUNDLES, INTENT, read_annotations
from countersign.wire.resources.bundleset import render_bundle_set
from countersign.wire.signoff import render_sign_off
from tests.support.chart import NAMESPACE
from tests.support.gate import Gate, documents
from tools.stack import policies
from tools.stack.people import DANA, Someone

Tree = dict[str, Any]


def parted(text: str, namespace: str = NAMESPACE) -> tuple[Tree, list[Tree]]:
    """Return the evidence that the objects of `text` carry as a set, and them without."""
    trees = documents(text)
    bundles: dict[bytes, None] = {}
    intents: list[bytes] = []
    for tree in trees:
        annotations = tree["metadata"]["annotations"]
        carried = read_annotations(
            {k: v for k, v in annotations.items() if k in (BUNDLES, INTENT)}
        )
        bundles |= dict.fromkeys(carried.bundles)
        assert carried.intent is not None
        intents.append(carried.intent)
        del annotations[BUNDLES], annotations[INTENT]
    name = trees[0]["metadata"]["name"]
    return render_bundle_set(name, list(bundles), intents, namespace), trees


def approval(
    gate: Gate, *changes: Change, by: Someone = DANA, incident: str = ""
) -> bytes:
    """Return the sign-off of `changes` by somebody's key, in an emergency if named."""
    now = datetime.now(UTC)
    span = timedelta(minutes=50) if incident else timedelta(days=1)
    claim = SignOff(
        result=Result.APPROVED,
        meanings=frozenset({"review", "approval"}),
        reviewer=by.name,
        started_on=now - timedelta(minutes=5),
        reviewed_on=now,
        clusters=frozenset({policies.CLUSTER}),
        changes=changes,
        question_set=(questions.DEFAULT.uri, questions.DEFAULT.digest),
        answers=tuple(
            Answer(one.id, AnswerVerdict.ADDRESSED, "It was looked into, and is right.")
            for one in questions.DEFAULT_QUESTIONS
        ),
        validity=Interval(now - timedelta(seconds=1), now + span),
        emergency=Emergency(incident, "Payments are down.") if incident else None,
    )
    key = load_key(gate.stack.key(by).read_bytes(), "")
    return asyncio.run(KeySigner(key).sign(render_sign_off(claim)))


def beside(
    what: str,
    bundles: Iterable[bytes],
    intents: Iterable[bytes] = (),
    namespace: str = NAMESPACE,
) -> Tree:
    """Return a set."""
    return render_bundle_set(what, list(bundles), list(intents), namespace)


def put(gate: Gate, *sets: Tree) -> None:
    """Create sets, as somebody who may."""
    for tree in sets:
        place = str(tree["metadata"]["namespace"])
        made = gate.kubectl("create", "-n", place, "-f", "-", by=None, stdin=tree)
        assert made.code == 0, made.out
