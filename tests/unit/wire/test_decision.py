"""What a reader of decisions refuses."""

from dataclasses import replace
from typing import Any

import orjson
import pytest

from countersign.core.errors import Malformed
from countersign.core.types.artifacts import Digest, Intent
from countersign.core.types.change import (
    Base,
    Deletion,
    ObjectChange,
    Operation,
    Uid,
)
from countersign.core.types.decision import Proposal
from countersign.wire.changes import render_change
from countersign.wire.decision import parse_batch, parse_kept, render_decision
from tests.support.decisions import denied

_TREE = b'{"apiVersion":"v1","kind":"ConfigMap"}'
_REF = denied().object
_INTENT = Intent(Digest.sha256(_TREE), {"apiVersion": "v1", "kind": "ConfigMap"})
_CHANGE = ObjectChange(
    object=_REF, digest=_INTENT.digest, operation=Operation.CREATE_OR_UPDATE
)
_WHOLE = denied(proposal=Proposal(change=_CHANGE, intent=_INTENT, version="v1"))


def _with(**fields: Any) -> bytes:
    tree = orjson.loads(render_decision(_WHOLE))
    tree["decision"] |= fields
    return orjson.dumps(tree)


def test_an_intent_is_written_as_the_text_that_was_digested() -> None:
    """Whoever signs it signs these bytes."""
    tree = orjson.loads(render_decision(_WHOLE))

    assert tree["decision"]["proposal"]["intent"] == _TREE.decode()
    assert parse_kept(render_decision(_WHOLE)) == _WHOLE


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"{}", id="neither a decision nor a sighting"),
        pytest.param(
            render_decision(denied()).replace(b'"at":', b'"id":"A","at":', 1),
            id="a key twice",
        ),
        pytest.param(_with(outcome="perhaps"), id="an unknown outcome"),
        pytest.param(_with(verb="create"), id="an unknown verb"),
        pytest.param(_with(id="01J"), id="an id that is none"),
        pytest.param(_with(id="I" * 26), id="letters that Crockford left out"),
        pytest.param(_with(at="2026-11-22T12:00:00"), id="a time without a zone"),
        pytest.param(_with(bundles=["YQ"]), id="base64 without its padding"),
        pytest.param(
            _with(bases=[{"policy": "p", "door": "signed", "bundles": ["sha256:00"]}]),
            id="a digest that is none",
        ),
        pytest.param(
            _with(bases=[{"policy": "p", "door": "window"}]), id="an unknown door"
        ),
        pytest.param(
            _with(
                findings=[
                    {
                        "policy": "p",
                        "reason": "no_reason",
                        "enforcement": "deny",
                        "message": "",
                    }
                ]
            ),
            id="an unknown reason",
        ),
        pytest.param(
            render_decision(_WHOLE).replace(b"ConfigMap", b"Secret"),
            id="an intent that is not what its change names",
        ),
    ],
)
def test_refuses(data: bytes) -> None:
    """What would mislead a reader, or what nobody wrote."""
    with pytest.raises(Malformed):
        parse_kept(data)


@pytest.mark.parametrize("base", [Base.ANY, Base.ABSENT, _INTENT.digest, Uid("u-1")])
def test_a_base_is_read_as_it_was_written(base: Digest | Base | Uid) -> None:
    """A state, no state, any, or one live object."""
    change = replace(_CHANGE, base=base)
    proposal = Proposal(change=change, intent=_INTENT, version="v1")
    whole = replace(_WHOLE, proposal=proposal)

    assert parse_kept(render_decision(whole)) == whole


def test_refuses_an_intent_of_a_deletion() -> None:
    """There is nothing to show of it."""
    entry, _ = render_change(Deletion(object=_REF, uid="u"), {})
    proposal = {"change": entry, "version": "v1", "intent": _TREE.decode()}

    with pytest.raises(Malformed, match="of a new state alone"):
        parse_kept(_with(proposal=proposal))


def test_refuses_a_decision_that_is_a_sighting_too() -> None:
    """One line, one meaning."""
    tree = orjson.loads(render_decision(denied()))
    tree["sighting"] = {"id": "0" * 26, "at": "2026-11-22T12:00:00Z", "requester": ""}

    with pytest.raises(Malformed, match="either a decision or a sighting"):
        parse_kept(orjson.dumps(tree))


def test_refuses_entries_out_of_order() -> None:
    """A position would skip one of them."""
    kept = orjson.loads(render_decision(denied()))
    entries = [{"sequence": n, "kept": kept} for n in (2, 1)]
    batch = {"spool": "0" * 32, "entries": entries, "lost": 0, "more": False}

    with pytest.raises(Malformed, match="in the order"):
        parse_batch(orjson.dumps(batch))


def test_reads_what_a_newer_writer_adds() -> None:
    """Replicas and the recorder are not replaced at once."""
    assert parse_kept(_with(weather="fine")) == _WHOLE


def test_writes_no_proposal_without_canonical_json() -> None:
    """Nobody could sign it."""
    odd = replace(_INTENT, tree={"n": 2**60})
    proposal = Proposal(change=_CHANGE, intent=odd, version="v1")

    with pytest.raises(Malformed, match="plain JSON"):
        render_decision(denied(proposal=proposal))
