"""What is written of a decision is read again, and nothing else is.

Each was seen to fail: with a field left out of a rendering, with the digest check out,
and with `frame_batch` numbering anew.
"""

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from countersign.core.errors import Malformed
from countersign.core.types.artifacts import Tree
from countersign.core.types.decision import Batch, Decision, Recorded, Sighting
from countersign.wire.decision import (
    parse_batch,
    parse_kept,
    parse_recorded,
    render_batch,
    render_decision,
    render_recorded,
)
from countersign.wire.strict_json import parse_json
from tests.support import decisions

_LIMIT = 1 << 20


@given(decisions.decisions | decisions.sightings)
def test_what_is_kept_comes_back(kept: Decision | Sighting) -> None:
    """On one line, since a spool has one record a line."""
    line = render_decision(kept)

    assert parse_kept(line) == kept
    assert b"\n" not in line


@given(decisions.recorded)
def test_a_recorded_decision_comes_back_whole(recorded: Recorded) -> None:
    """With its intent and bundles."""
    text = orjson.dumps(render_recorded(recorded, whole=True))

    assert parse_recorded(parse_json(text, limit=_LIMIT)) == recorded


@given(decisions.recorded)
def test_a_short_one_has_neither_intent_nor_bundles(recorded: Recorded) -> None:
    """Lists of decisions stay small."""
    text = orjson.dumps(render_recorded(recorded, whole=False))
    seen = parse_recorded(parse_json(text, limit=_LIMIT)).decision

    assert seen.bundles == ()
    assert seen.proposal is None or seen.proposal.intent is None
    assert seen.id == recorded.decision.id


@given(decisions.batches())
def test_a_batch_comes_back(batch: Batch) -> None:
    """With the sequences that it was written under."""
    assert parse_batch(render_batch(batch)) == batch


@given(st.binary())
def test_arbitrary_bytes_are_only_ever_malformed(data: bytes) -> None:
    """No other error leaves a reader."""
    for parse in (parse_kept, parse_batch):
        with pytest.raises(Malformed):
            parse(data)


def _nodes(tree: object) -> list[Tree]:
    if isinstance(tree, dict):
        return [tree, *(n for v in tree.values() for n in _nodes(v))]
    if isinstance(tree, list):
        return [n for v in tree for n in _nodes(v)]
    return []


@given(decisions.decisions, st.data())
def test_a_value_of_another_kind_anywhere_is_malformed_or_read(
    decision: Decision, data: st.DataObject
) -> None:
    """What is read is a decision that can be written."""
    tree = orjson.loads(render_decision(decision))
    node = data.draw(st.sampled_from([n for n in _nodes(tree) if n]))
    key = data.draw(st.sampled_from(sorted(node)))
    node[key] = data.draw(decisions.scalars | decisions.trees)
    try:
        seen = parse_kept(orjson.dumps(tree))
    except Malformed:
        return

    assert parse_kept(render_decision(seen)) == seen
