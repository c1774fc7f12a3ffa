"""Where a trust root says that it is published, and what it may not say there."""

import copy
import json
from typing import Any

import pytest

from countersign.wire.resources import objects
from countersign.wire.resources.read import Invalid
from tests.support import resources as stored

ROOT = json.dumps({"signed": {"_type": "root", "version": 1}, "signatures": []})


def published(**tuf: Any) -> Any:
    """Return a TrustRoot that names a mirror."""
    tree = copy.deepcopy(stored.sigstore_root())
    tree["spec"]["tuf"] = {"mirror": "https://tuf.acme.example", "root": ROOT, **tuf}
    return tree


def test_what_it_says() -> None:
    """The target has the name that every Sigstore gives it."""
    mirror = objects.mirror(published(versions={"timestamp": 7}))

    assert mirror is not None
    assert mirror.url == "https://tuf.acme.example"
    assert mirror.root == ROOT.encode()
    assert mirror.target == "trusted_root.json"
    assert mirror.versions == {"timestamp": 7}
    assert objects.mirror(stored.sigstore_root()) is None


@pytest.mark.parametrize(
    "tuf",
    [
        {"mirror": "http://tuf.acme.example"},
        {"mirror": "https://user@tuf.acme.example"},
        {"mirror": "https://tuf.acme.example/?a=b"},
        {"mirror": "https://tuf.acme.example/#a"},
        {"mirror": "https://tuf.acme.example\n"},
        {"mirror": "https:///etc"},
        {"mirror": "file:///etc"},
        {"target": "../trusted_root.json"},
        {"target": "a/b"},
        {"target": ""},
        {"root": "{}"},
        {"root": "[]"},
        {"root": "no JSON"},
        {"root": ROOT.replace("root", "timestamp", 1)},
        {"root": ROOT + " " * 65536},
        {"versions": {"timestamp": 0}},
        {"versions": {"root": 1}},
        {"versions": {"timestamp": "1"}},
        {"mirrors": []},
    ],
    ids=lambda tuf: json.dumps(tuf)[:50],
)
def test_what_it_may_not_say(tuf: Any) -> None:
    """The path of the field is named."""
    with pytest.raises(Invalid, match=r"spec\.tuf"):
        objects.mirror(published(**tuf))


def test_nothing_is_published_that_is_not_in_force() -> None:
    """Else there would be no trust until somebody signs."""
    tree = published()
    tree["spec"]["keys"] = [{"name": "a", "pem": stored.public_pem()}]
    del tree["spec"]["sigstore"]
    with pytest.raises(Invalid, match="beside tuf"):
        objects.trust_root(tree)
