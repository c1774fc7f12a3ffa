"""References, read by the kubelet's own parser: where ours differs, that one is right.

``tools/controlplane/kubernetes/references`` is built with the module of the control plane,
and so with the parser of that very release, and asked about thousands of references that
are drawn piece by piece.
"""

import json
import os
import random
import subprocess
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TypeAlias

import pytest

from countersign.binding.references import parse_reference
from tools.controlplane import cache, supported
from tools.controlplane.golang import find_go
from tools.controlplane.progress import Progress

MODULE = supported.HERE / "kubernetes"
SEED, DRAWN = 20261123, 30_000
HEX = "9ae97d36d26566ff84e8893c64a6dc4fe8ca6d1144bf5b87b2b85a32def253c7"
PINNED = f"@sha256:{HEX}"

PLAIN = 4  # of each piece these come first, and most often
HOSTS = (
    "",
    "docker.io/",
    "index.docker.io/",
    "registry.k8s.io:443/",
    "Docker.io/",
    "registry-1.docker.io/",
    "INDEX.docker.io/",
    "registry.k8s.io/",
    "REGISTRY.k8s.io/",
    "registry.k8s.io./",
    "registry.k8s.io:/",
    "localhost/",
    "localhost:5000/",
    "LOCALHOST/",
    "Host/",
    "host/",
    "host:5000/",
    "host:x/",
    "192.0.2.7/",
    "192.0.2.7:80/",
    "[2001:db8::7]/",
    "[2001:db8::7]:5000/",
    "[::ffff:192.0.2.7]/",
    "[fe80::1%25eth0]/",
    "2001:db8::7/",
    "a-.example/",
    "-a.example/",
    "a..example/",
    "a_b.example/",
    "xn--e1afmkfd.example/",
    "пример.example/",
    "\u212a.example/",
    "https://registry.k8s.io/",
    "//",
    "/",
    ".",
    "./",
    "../",
)
PATHS = (
    "nginx",
    "library/nginx",
    "a/b/c",
    "a--b",
    "library/a/b",
    "a__b",
    "a___b",
    "a._b",
    "a.b-c_d",
    "_a",
    "a_",
    ".a",
    "a.",
    "a/-b",
    "A",
    "a/B",
    "a//b",
    "a/",
    "",
    HEX,
    f"a/{HEX}",
    HEX[:-1],
    "sha256",
    "localhost",
    "nginx%2f",
    "a b",
    "ß",
    "b" * 255,
    "b" * 256,
    "b" * 120 + "/" + "c" * 134,
    "b" * 120 + "/" + "c" * 135,
)
TAGS = (
    *("", ""),
    ":1.27",
    ":latest",
    ":",
    ":-x",
    ":_x",
    ":A.b-c",
    ":é",
    ":1:2",
    f":{HEX}",
    ":" + "t" * 128,
    ":" + "t" * 129,
    ":5000",
    ":1/x",
    ": 1",
)
DIGESTS = (
    *("", "", PINNED, PINNED),
    f"@sha256:{HEX[:-1]}",
    f"@sha256:{HEX}0",
    f"@sha256:{HEX.upper()}",
    f"@SHA256:{HEX}",
    f"@sha384:{HEX}{HEX[:32]}",
    f"@sha512:{HEX}{HEX}",
    f"@sha512:{HEX}",
    f"@md5:{HEX[:32]}",
    f"@sha256+b64:{HEX}",
    f"@blake3:{HEX}",
    f"@{HEX}",
    "@",
    f"{PINNED}{PINNED}",
    f"{PINNED}:1",
    f"{PINNED}\n",
)
SPACES = (" ", "\t", "\n", "\u00a0", "\x00")
LETTERS = "aZ0-_./:@[]% \n\u212a\u0130é"

Read: TypeAlias = dict[str, str]
Kubelet: TypeAlias = Callable[[Sequence[str]], list[Read]]


@pytest.fixture(scope="module", name="kubelet")
def _kubelet(tmp_path_factory: pytest.TempPathFactory) -> Kubelet:
    """Build the program; ask it about references, all at once."""
    environment = {**os.environ, "CGO_ENABLED": "0", "GOWORK": "off"}
    go = find_go(
        MODULE,
        package=supported.load().go_package,
        folder=cache.root(os.environ) / "go",
        environment=environment,
        progress=Progress(),
    )
    program = tmp_path_factory.mktemp("references") / "references"
    build: list[str | Path] = [go, "build", "-mod=readonly", "-buildvcs=false"]
    subprocess.run(
        [*build, "-o", program, "./references"],
        check=True,
        cwd=MODULE,
        env=environment,
    )

    def ask(images: Sequence[str]) -> list[Read]:
        asked = "".join(json.dumps(image) + "\n" for image in images)
        done = subprocess.run(
            [program], check=True, input=asked, stdout=subprocess.PIPE, text=True
        )
        return [json.loads(line) for line in done.stdout.splitlines()]

    return ask


def drawn(draws: random.Random) -> Iterator[str]:
    """Yield references, most of them of valid parts, some a letter away from that."""
    while True:
        pieces = (HOSTS, PATHS, TAGS, DIGESTS)
        ends = [draws.choice((PLAIN, PLAIN, len(some))) for some in pieces]
        image = "".join(
            draws.choice(p[:end]) for p, end in zip(pieces, ends, strict=True)
        )
        if draws.random() < 0.3:
            at = draws.randrange(len(image) + 1)
            image = (
                image[:at] + draws.choice(LETTERS) + image[at + draws.randint(0, 1) :]
            )
        if draws.random() < 0.05:
            image = draws.choice(
                [draws.choice(SPACES) + image, image + draws.choice(SPACES)]
            )
        yield image


def ours(image: str) -> Read:
    """Return what we read, in the program's words."""
    read = parse_reference(image)
    if read is None:
        return {}
    said = {
        "repository": read.repository,
        "tag": read.tag or ("" if read.digest else "latest"),
        "digest": read.digest,
    }
    return {key: value for key, value in said.items() if value}


def test_reads_every_reference_as_the_kubelet_does(kubelet: Kubelet) -> None:
    """Seen to fail with ``$`` for the end, and without ``index.docker.io``."""
    draws = drawn(random.Random(SEED))  # noqa: S311 - a sample
    images = list(dict.fromkeys(next(draws) for _ in range(DRAWN)))
    answers = kubelet(images)

    assert len(answers) == len(images)
    differing = [
        (image, answer, ours(image))
        for image, answer in zip(images, answers, strict=True)
        if {k: answer[k] for k in ("repository", "tag", "digest") if k in answer}
        != ours(image)
    ]
    assert not differing, differing[:5]
    assert sum("error" not in answer for answer in answers) > DRAWN // 20
    assert sum("error" in answer for answer in answers) > DRAWN // 20


def test_of_tag_and_digest_the_digest_is_pulled(kubelet: Kubelet) -> None:
    """The tag beside it is a word for people: containerd drops it."""
    (answer,) = kubelet([f"ghcr.io/acme/app:1.4{PINNED}"])
    read = parse_reference(f"ghcr.io/acme/app:1.4{PINNED}")

    assert read is not None
    assert answer["pulled"] == f"{read.repository}@{read.digest}"


def test_an_overlong_reference_is_one_that_we_do_not_read(kubelet: Kubelet) -> None:
    """The kubelet knows no end; what we do not read is pinned by nothing."""
    image = f"{'a.' * 3000}example/app{PINNED}"

    assert kubelet([image])[0]["digest"] == PINNED[1:]
    assert parse_reference(image) is None
