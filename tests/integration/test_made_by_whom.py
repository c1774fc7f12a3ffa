"""Provenance that only other collectors would write: prompters, workflows, declarations.

The first collector reads no prompters and nobody signs declarations by command yet; the
gate judges both, so they are written here as other tools will.
"""

import asyncio
from datetime import UTC, datetime

import pytest

from countersign.adapters.sign.key import KeySigner, load_key
from countersign.core.types.artifacts import Algorithm, Digest, Subject
from countersign.core.types.evidence import (
    Assistance,
    CommitRange,
    Contributor,
    Declaration,
    Part,
    Provenance,
)
from countersign.core.types.time import Interval
from countersign.usecases.prepare import prepare
from countersign.wire.declaration import render_declaration
from countersign.wire.provenance_statement import render_provenance
from tests.support import chart
from tests.support.gate import Gate, days, written
from tools.sigstore import Workflow
from tools.stack import history
from tools.stack.people import CI, DANA, LEE, RAVI, REPOSITORY, WORKFLOW, Someone


def _carrying(tree: chart.Tree, *bundles: bytes) -> str:
    (one,) = prepare([tree], namespace="", salt=bytes)
    return written([one.annotated(bundles)])


def _signed(gate: Gate, statement: bytes, by: Someone) -> bytes:
    key = load_key(gate.stack.key(by).read_bytes(), "")
    return asyncio.run(KeySigner(key).sign(statement))


def _provenance(
    gate: Gate,
    tree: chart.Tree,
    span: CommitRange,
    *contributors: Contributor,
    beside: tuple[Subject, ...] = (),
) -> bytes:
    (one,) = prepare([tree], namespace="", salt=bytes)
    marked = any(c.part is Part.PROMPTER for c in contributors)
    claim = Provenance(
        repository=REPOSITORY,
        range=span,
        assistance=Assistance.MIXED if marked else Assistance.UNKNOWN,
        complete=True,
        marked=marked,
        contributors=frozenset(contributors),
        tools=("amazon-q 2026-03",) if marked else (),
        clusters=frozenset({"local"}),
        validity=Interval(datetime.now(UTC) - days(1), datetime.now(UTC) + days(1)),
        collected_on=datetime.now(UTC),
        collector="another collector",
    )
    return _signed(gate, render_provenance(claim, [one.subject, *beside]), CI)


def _range(gate: Gate, target: str = "") -> CommitRange:
    past = gate.stack.history
    return CommitRange(_commit(past.baseline), _commit(target or past.head))


def _commit(text: str) -> Digest:
    return Digest(Algorithm.GIT_COMMIT, text)


def test_signed_by_the_prompter(gate: Gate, name: str) -> None:
    """Whoever asked the assistant made the change, too."""
    tree = chart.config_map(name)
    bundle = _provenance(
        gate,
        tree,
        _range(gate),
        Contributor(Part.AUTHOR, LEE.email),
        Contributor(Part.COMMITTER, LEE.email),
        Contributor(Part.PROMPTER, DANA.email),
    )
    text = _carrying(tree, bundle)

    denied = gate.apply(gate.sign(text, by=DANA))
    admitted = gate.apply(gate.sign(text, by=RAVI))

    assert set(denied.reasons) == {"slot_open", "not_independent"}
    assert admitted.admitted, admitted.out


def test_an_author_whom_nobody_knows(gate: Gate, name: str) -> None:
    """Independence of somebody unknown cannot be judged."""
    tree = chart.config_map(name)
    bundle = _provenance(
        gate, tree, _range(gate), Contributor(Part.AUTHOR, "who@elsewhere.example")
    )
    denied = gate.apply(gate.sign(_carrying(tree, bundle)))

    assert set(denied.reasons) == {"slot_open", "author_unresolved"}
    assert "who@elsewhere.example" in denied.out


def test_a_declared_human_change_needs_no_sign_off(gate: Gate, name: str) -> None:
    """Complete, without marks, anchored, and the author's own word for it."""
    past = gate.stack.history
    bare = history.commit_on(past.path, past.baseline, LEE, "Set it by hand")
    files = Digest(Algorithm.GIT_TREE, history.tree_of(past.path, bare))
    tree = chart.config_map(name)
    span = _range(gate, bare)
    claimed = _provenance(
        gate,
        tree,
        span,
        Contributor(Part.AUTHOR, LEE.email),
        Contributor(Part.COMMITTER, LEE.email),
        beside=(Subject("tree", files),),
    )
    word = render_declaration(
        Declaration(repository=REPOSITORY, range=span, declared_on=datetime.now(UTC)),
        [Subject("tree", files)],
    )

    alone = gate.apply(_carrying(tree, claimed))
    by_another = gate.apply(_carrying(tree, claimed, _signed(gate, word, DANA)))
    admitted = gate.apply(_carrying(tree, claimed, _signed(gate, word, LEE)))

    assert alone.reasons == ("slot_open",)
    assert by_another.reasons == ("declaration_rejected", "slot_open")
    assert admitted.bases == ("payments: signed declared=lee",), admitted.out


@pytest.mark.parametrize(
    ("repository", "revision"),
    [
        pytest.param("https://git.acme.example/mallory/fork", "", id="of another repo"),
        pytest.param(REPOSITORY, "00" * 20, id="on another commit"),
    ],
)
def test_the_workflow_speaks_for_its_own_run_only(
    gate: Gate, name: str, repository: str, revision: str
) -> None:
    """A reusable workflow has the same name whoever calls it."""
    stack = gate.stack
    run = Workflow(
        file=WORKFLOW,
        repository=repository,
        revision=revision or stack.history.head,
    )
    token = gate.folder / "workflow.token"
    token.write_text(stack.sigstore.token(run))
    text = gate.attest(chart.config_map(name), token=token)

    denied = gate.apply(gate.sign(text))

    assert set(denied.reasons) == {"slot_open", "authors_unknown"}
