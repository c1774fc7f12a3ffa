"""What lies beside an image, as a tree: what stands on what, and what is proven of it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from rich.console import Console
from rich.text import Text
from rich.tree import Tree

from countersign.core.types.artifacts import Json
from countersign.core.types.change import ObjectChange
from countersign.core.types.evidence import Build, Declaration, Provenance, SignOff
from countersign.faces.cli import words
from countersign.faces.cli.inspected import inspected_json
from countersign.faces.cli.text import one_line
from countersign.ports import Other
from countersign.usecases.inspect import Inspected
from countersign.usecases.lineage import Foreign, Lineage, Origin

MAX_SHOWN = 64  # pieces of one sort; whoever wants more takes -o json
_PROVEN, _UNPROVEN = "green", "yellow"


@dataclass(slots=True)
class Node:
    """A line, and what stands on it.

    Attributes:
        line: Visible text.
        style: On a terminal.
        under: In the order to show it.
    """

    line: str
    style: str = ""
    under: list["Node"] = field(default_factory=list)


def show(console: Console, tree: Node) -> None:
    """Write a tree: drawn on a terminal, else indented."""
    if not console.is_terminal:
        for line in _indented(tree, 0):
            console.print(line)
        return
    drawn = Tree(_text(tree))
    _draw(drawn, tree.under)
    console.print(drawn, soft_wrap=False)


def lineage_tree(found: Lineage, tag: str) -> Node:
    """Return a lineage as lines.

    Args:
        found: What lies beside the image.
        tag: By which the image was asked for, or ``""``.
    """
    root = Node(f"image {found.image}", "bold")
    if tag:
        root.under.append(Node(f"tag {tag} is at it now; it can be moved"))
    if found.attached.platforms:
        count = words.counted(len(found.attached.platforms), "platform")
        within = [Node(str(digest)) for digest in sorted(found.attached.platforms)]
        root.under.append(Node(f"index of {count}", under=_some(within)))
    root.under += map(_origin, found.origins)
    root.under += _some([_sign_off(one) for one in found.sign_offs])
    if not (found.origins or found.sign_offs):
        root.under.append(Node("nothing says what it was made of, or who approved it"))
    if found.besides:
        beside = [_statement(one) for one in found.besides]
        root.under.append(Node("also there, about something else", under=_some(beside)))
    foreign = [*map(_foreign, found.foreign), *map(_other, found.attached.others)]
    if foreign:
        known = "also there, of which countersign makes nothing"
        root.under.append(Node(known, under=_some(foreign)))
    root.under += (
        Node(f"problem: {one_line(text, 400)}", "red")
        for text in found.attached.problems[:MAX_SHOWN]
    )
    if not found.attached.complete:
        root.under.append(Node("NOT all that lies there was seen", "red"))
    return root


def lineage_json(found: Lineage, tag: str) -> dict[str, Json]:
    """Return a lineage for machines."""
    return {
        "image": str(found.image),
        "tag": tag,
        "platforms": [str(digest) for digest in sorted(found.attached.platforms)],
        "origins": [
            {
                "repository": origin.repository,
                "commit": str(origin.commit),
                "links": _each(origin.links),
                "provenance": _each(origin.provenance),
                "declarations": _each(origin.declarations),
                "signOffs": _each(origin.sign_offs),
            }
            for origin in found.origins
        ],
        "signOffs": _each(found.sign_offs),
        "besides": _each(found.besides),
        "others": [*_others(found)],
        "problems": [*found.attached.problems],
        "complete": found.attached.complete,
    }


def _others(found: Lineage) -> Iterator[Json]:
    for one in found.foreign:
        yield {
            "type": one.predicate,
            "digest": str(one.bundle),
            "problem": "" if one.predicate else one.problem,
        }
    for other in found.attached.others:
        yield {
            "type": other.type,
            "digest": str(other.digest),
            "about": str(other.about),
        }


def _each(found: Iterable[Inspected]) -> list[Json]:
    return [_told(one) for one in found]


def _told(one: Inspected) -> dict[str, Json]:
    told = inspected_json("", one)
    del told["file"]
    return told


def _origin(origin: Origin) -> Node:
    commit = words.short(origin.commit)
    node = Node(f"built from {one_line(origin.repository)} at {commit}", "bold")
    links = {one.bundle for one in origin.links}
    builds = [one for one in origin.links if isinstance(one.claim, Build)]
    node.under += _some([_statement(one) for one in builds])
    for one in origin.provenance[:MAX_SHOWN]:
        about = _statement(one)
        if one.bundle in links:
            about.under.append(Node("links the image to this commit"))
        node.under.append(about)
    if not origin.provenance:
        node.under.append(Node("nothing says how the commit was made", _UNPROVEN))
    node.under += _some([_statement(one) for one in origin.declarations])
    node.under += _some([_sign_off(one) for one in origin.sign_offs])
    return node


def _statement(one: Inspected) -> Node:
    claim = one.claim
    if isinstance(claim, SignOff):
        return _sign_off(one)
    if isinstance(claim, Provenance):
        unseen = "" if claim.complete else "; NOT complete"
        said = [
            f"of {words.span(claim)}{unseen}",
            f"made by {words.made_by(claim)}",
            f"statement {one.statement}",
        ]
        return _node(f"provenance: {words.made_how(claim)}", one, said)
    if isinstance(claim, Declaration):
        said = [f"of {words.span(claim)}"]
        return _node("declaration: no AI had a hand in it", one, said)
    builder = one_line(claim.builder) or "unnamed"
    said = [f"of {one_line(claim.repository)} at {claim.commit}"]
    return _node(f"build by {builder}", one, said)


def _sign_off(one: Inspected) -> Node:
    claim = one.claim
    assert isinstance(claim, SignOff)  # noqa: S101 - for mypy: sorted out by `trace`
    what = "break-glass" if claim.emergency else str(claim.result)
    who = one_line(claim.reviewer) or "unnamed"
    changes = [
        f"{change.operation} {one_line(str(change.object), 600)}"
        if isinstance(change, ObjectChange)
        else words.change(change)
        for change in claim.changes
    ]
    said = [
        f"for {words.listed(claim.clusters)} until {words.when(claim.validity.end)}",
        *(f"approves: {change}" for change in changes[:MAX_SHOWN]),
        *(["approves no object: an image or a source as such"] if not changes else []),
        *(f"has seen statement {digest}" for digest in sorted(claim.inputs)),
    ]
    return _node(f"sign-off by {who}: {what}", one, said)


def _node(line: str, one: Inspected, said: Iterable[str]) -> Node:
    """Return a statement: what it says, and apart from that what is proven of it."""
    if one.evidence is None:
        proof = Node(f"NOT PROVEN: {one_line(one.problem, 400)}", _UNPROVEN)
    else:
        proof = Node(f"PROVEN: signed by {words.signer(one.evidence)}", _PROVEN)
    return Node(line, under=[proof, *map(Node, said)])


def _foreign(one: Foreign) -> Node:
    if not one.predicate:
        problem = one_line(one.problem, 400)
        return Node(f"a bundle that cannot be read: {problem}", _UNPROVEN)
    return Node(f"attestation {one_line(one.predicate)} {one.bundle}")


def _other(one: Other) -> Node:
    return Node(f"{one_line(one.type)} {one.digest}")


def _some(nodes: list[Node]) -> list[Node]:
    """Return as many as anybody reads, and how many more there are."""
    if len(nodes) <= MAX_SHOWN:
        return nodes
    return [*nodes[:MAX_SHOWN], Node(f"… and {len(nodes) - MAX_SHOWN} more")]


def _indented(node: Node, depth: int) -> Iterator[str]:
    yield f"{'  ' * depth}{node.line}"
    for one in node.under:
        yield from _indented(one, depth + 1)


def _draw(tree: Tree, nodes: Iterable[Node]) -> None:
    for node in nodes:
        _draw(tree.add(_text(node)), node.under)


def _text(node: Node) -> Text:
    """Return a line that a narrow terminal breaks, and never cuts: digests matter."""
    return Text(node.line, style=node.style, overflow="fold")
