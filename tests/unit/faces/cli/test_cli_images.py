"""Images on the command line, as far as no registry is asked."""

import io
from dataclasses import replace
from pathlib import Path

import click
import pytest
from rich.console import Console

from countersign.core.types.artifacts import Digest
from countersign.faces.cli.images import Tagged, pinned, read_image
from countersign.faces.cli.lineage import MAX_SHOWN, Node, lineage_tree, show
from countersign.faces.cli.session import Exit
from countersign.ports import Attached, Other, Pinned
from countersign.usecases.lineage import Foreign, Lineage
from tests.support.cli import Run
from tests.support.release import DIGEST, IMAGE, Release

LEDGER = Pinned("ghcr.io/acme/ledger", Digest.parse(DIGEST))
REJECT = ("sign-off", "--cluster", "c", "--reject")
URGENT = (
    *("sign-off", "--cluster", "c", "--break-glass"),
    *("--incident", "I", "--justification", "J"),
)
EMPTY = Lineage(
    image=LEDGER, attached=Attached(), origins=(), sign_offs=(), besides=(), foreign=()
)


@pytest.mark.parametrize(
    ("text", "image"),
    [
        pytest.param(IMAGE, LEDGER, id="a digest"),
        pytest.param(f"ghcr.io/acme/ledger:1@{DIGEST}", LEDGER, id="tag and digest"),
        pytest.param("nginx", Tagged("docker.io/library/nginx", "latest"), id="short"),
        pytest.param("localhost:5000/x:1", Tagged("localhost:5000/x", "1"), id="port"),
    ],
)
def test_reads_references_as_the_kubelet_does(
    text: str, image: Pinned | Tagged
) -> None:
    """The same reader as the gate's."""
    assert read_image(text) == image


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("UPPER/case", id="no reference"),
        pytest.param("ghcr.io/acme/ledger@sha512:" + "0" * 128, id="another algorithm"),
        pytest.param("ghcr.io/acme/ledger@sha256:123", id="no digest"),
    ],
)
def test_what_pins_nothing_that_is_looked_for_is_refused(text: str) -> None:
    """On the spot."""
    with pytest.raises(click.UsageError, match="expected"):
        pinned([text])


@pytest.mark.parametrize(
    ("args", "hint"),
    [
        pytest.param(
            ["attest", "HEAD", "--cluster", "c", "--carrier", "oci"],
            "--image with --carrier oci",
            id="nothing to put it beside",
        ),
        pytest.param(
            ["attest", "HEAD", "--cluster", "c", "--carrier", "oci", "--sets-only"],
            "saw oci",
            id="sets and a registry",
        ),
        pytest.param(
            ["attest", "HEAD", "--cluster", "c", "--image", "x:1"],
            "countersign inspect x:1",
            id="a tag, offline",
        ),
        pytest.param(
            ["attest", "HEAD", "--declare-human", "--carrier", "oci"],
            "a range alone",
            id="a word about commits",
        ),
        pytest.param(
            [*URGENT, "--image", "x@y"],
            "saw --image",
            id="an image in an emergency",
        ),
        pytest.param(
            [*URGENT, "-f", "x", "--carrier", "oci"],
            "saw oci",
            id="a registry in an emergency",
        ),
        pytest.param(
            [*REJECT, "-f", "x", "--carrier", "oci", "--sets-only"],
            "saw oci",
            id="sets of a registry",
        ),
        pytest.param(
            ["verify", "--image", "x@y", "--review", "z"],
            "not both",
            id="two questions",
        ),
        pytest.param(["inspect", "x:1", __file__], "saw both", id="files and images"),
    ],
)
def test_what_does_not_go_together(args: list[str], hint: str, run: Run) -> None:
    """Said before anything is read or asked."""
    ran = run(*args)

    assert (ran.code, ran.out) == (Exit.USAGE, "")
    assert hint in ran.err


@pytest.mark.parametrize("name", ["bundle.json", "nginx", "some/folder"])
def test_a_file_that_is_not_there_is_no_image(name: str, run: Run) -> None:
    """Nobody is asked over the network for a typo."""
    ran = run("inspect", name)

    assert ran.code == Exit.NO_INPUT
    assert f"saw no {name}" in ran.err


def test_a_file_is_a_file_whatever_its_name(run: Run, tmp_path: Path) -> None:
    """As ``name:tag`` could be one."""
    file = tmp_path / "web:1.2"
    file.write_text("kind: ConfigMap\n")

    assert run("inspect", file).code == Exit.NO_INPUT


def test_nothing_goes_beside_an_image_that_is_not_pinned(
    run: Run, release: Release, answers: Path
) -> None:
    """A tag is at another place tomorrow; nobody is asked where."""
    file = release.path("ledger.yaml")
    file.write_text(file.read_text().replace(f"@{DIGEST}", ":1"))

    ran = run(
        *("sign-off", "-f", file, "-n", "payments", "--cluster", "prod"),
        *("--key", release.path("dana.key"), "--answers", answers),
        *("--carrier", "oci"),
    )

    assert (ran.code, ran.out) == (Exit.USAGE, "")
    assert "pinned by digest" in ran.err


def test_nothing_goes_where_no_policy_has_it_looked_for(
    run: Run, release: Release, attested: Path, answers: Path
) -> None:
    """Said before anybody signs, and before a registry is asked."""
    ran = run(
        *("sign-off", "-f", attested, "--cluster", "prod", "--carrier", "oci"),
        *("--key", release.path("dana.key"), "--answers", answers),
        *("--policies", release.path("policies")),
    )

    assert (ran.code, ran.out) == (Exit.USAGE, "")
    assert "beside ghcr.io/acme/ledger is not looked for by all policies" in ran.err


def test_a_tree_is_drawn_on_a_terminal_and_indented_elsewhere() -> None:
    """The same lines; no colour or line-drawing in a file."""
    tree = Node("image", "bold", [Node("built", under=[Node("PROVEN", "green")])])
    drawn, plain = io.StringIO(), io.StringIO()

    show(Console(file=drawn, force_terminal=True, width=80), tree)
    show(Console(file=plain), tree)

    assert plain.getvalue() == "image\n  built\n    PROVEN\n"
    assert "└── built" in drawn.getvalue()
    assert "\x1b[32mPROVEN" in drawn.getvalue()


def test_a_narrow_terminal_cuts_nothing() -> None:
    """A digest of which half is shown is none. Seen to fail with soft wrapping."""
    drawn = io.StringIO()

    show(
        Console(file=drawn, force_terminal=True, width=40, soft_wrap=True),
        Node("image", under=[Node("a" * 60 + "z")]),
    )

    assert drawn.getvalue().count("a") == len("a" * 60) + len("a")
    assert "z" in drawn.getvalue()


def test_no_more_is_shown_than_anybody_reads() -> None:
    """Whoever may push must not flood a terminal."""
    much = tuple(
        Foreign(Digest.sha256(f"{n}".encode()), "https://x.example") for n in range(99)
    )
    tree = lineage_tree(replace(EMPTY, foreign=much), "")

    (_, others) = tree.under
    assert len(others.under) == MAX_SHOWN + 1
    assert others.under[-1].line == f"… and {99 - MAX_SHOWN} more"


def test_nothing_of_a_registry_moves_the_cursor() -> None:
    """Types, predicates and problems are written by whoever pushed."""
    evil = "\x1b[2Jclean\nimage forged"
    lying = Attached(
        others=(Other(evil, LEDGER.digest, LEDGER.digest),),
        problems=(evil,),
        complete=False,
    )
    foreign = (
        Foreign(LEDGER.digest, evil),
        Foreign(LEDGER.digest, "", problem=evil),
    )
    plain = io.StringIO()

    show(
        Console(file=plain, soft_wrap=True),
        lineage_tree(replace(EMPTY, attached=lying, foreign=foreign), ""),
    )

    assert "\x1b" not in plain.getvalue()
    assert "\nimage forged" not in plain.getvalue()
    assert "NOT all that lies there was seen" in plain.getvalue()
