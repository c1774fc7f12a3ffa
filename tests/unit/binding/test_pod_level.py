"""Resources of a whole Pod: what the server sums up from its containers."""

from typing import Any

import pytest

from countersign.binding.canonical import canonical
from countersign.binding.match import match
from tests.support.trees import Tree, pod, ref, served


def container(name: str = "main", **resources: Any) -> Tree:
    """Return a container with requests and limits."""
    always = {"restartPolicy": "Always"} if resources.pop("beside", False) else {}
    return {"name": name, "image": "app:1", "resources": resources, **always}


def cpu(amount: str, name: str = "main", **fields: Any) -> Tree:
    """Return a container that asks for so much of a processor."""
    return container(name, requests={"cpu": amount}, **fields)


def equal(said: Tree, seen: Tree, *first: Tree, then: list[Tree]) -> bool:
    """Tell whether a Pod's resources may be what is seen."""
    rest: dict[str, Any] = {
        "initContainers": [*first],
        "containers": then,
        "automountServiceAccountToken": False,
    }
    signed, shown = pod(**rest, resources=said), pod(**rest, resources=seen)
    intent = canonical(signed).tree
    return not match(intent, served(shown), identity=ref(shown))


@pytest.mark.parametrize(
    ("first", "then", "sum_"),
    [
        pytest.param([], [cpu("1"), cpu("500m", "b")], "1500m", id="all at once"),
        pytest.param([cpu("2", "i")], [cpu("1")], "2", id="one before"),
        pytest.param([cpu("2", "i"), cpu("2", "j")], [cpu("1")], "2", id="in turn"),
        pytest.param([cpu("1", "s", beside=True)], [cpu("3")], "4", id="beside all"),
        pytest.param(
            [cpu("1", "s", beside=True), cpu("3", "i")],
            [cpu("1")],
            "4",
            id="beside one before",
        ),
        pytest.param(
            [cpu("3", "i"), cpu("1", "s", beside=True)],
            [cpu("1")],
            "3",
            id="after one before",
        ),
        pytest.param(
            [cpu("1", "s", beside=True), cpu("1", "t", beside=True), cpu("2", "i")],
            [container()],
            "4",
            id="only before",
        ),
        pytest.param(
            [cpu("2", "s", beside=True)], [container()], "2", id="only beside"
        ),
        pytest.param([], [cpu("0")], "0", id="nothing, spelled out"),
        pytest.param([cpu("0", "i")], [container()], "0", id="nothing before"),
        pytest.param(
            [cpu("0", "i"), container("j")], [container()], "0", id="nothing in turn"
        ),
    ],
)
def test_requests_are_what_is_asked_for_at_one_time(
    first: list[Tree], then: list[Tree], sum_: str
) -> None:
    """Exactly: nobody may ask for more in the Pod's name."""
    said = {"limits": {"cpu": "8"}}

    assert equal(said, {**said, "requests": {"cpu": sum_}}, *first, then=then)
    for other in {"0", "1n", "2500m", "6"} - {sum_}:
        assert not equal(said, {**said, "requests": {"cpu": other}}, *first, then=then)


def test_what_the_pod_says_stands() -> None:
    """And what only its limits say is asked for, too."""
    then = [container(requests={"cpu": "1", "memory": "1Gi", "x.io/gpu": "1"})]
    said = {"requests": {"cpu": "2"}, "limits": {"cpu": "4", "hugepages-2Mi": "2Mi"}}
    filled = {"cpu": "2", "memory": "1Gi", "hugepages-2Mi": "2Mi"}

    assert equal(said, {**said, "requests": filled}, then=then)
    assert not equal(said, {**said, "requests": {**filled, "cpu": "1"}}, then=then)
    assert not equal(said, {**said, "requests": {**filled, "x.io/gpu": "1"}}, then=then)


@pytest.mark.parametrize(
    ("request_", "limit"),
    [("1", "3"), ("3", "3"), ("5", "5")],
)
def test_limits_are_summed_where_all_are_limited(request_: str, limit: str) -> None:
    """Since 1.37, and never less than what is asked for; servers before left it."""
    limited = [container(limits={"cpu": "1"}), container("b", limits={"cpu": "2"})]
    said = {"requests": {"cpu": request_}}

    assert equal(said, {**said, "limits": {"cpu": limit}}, then=limited)
    assert equal(said, said, then=limited)
    assert not equal(said, {**said, "limits": {"cpu": "4"}}, then=limited)
    half = [limited[0], container("b")]
    assert not equal(said, {**said, "limits": {"cpu": limit}}, then=half)
    assert equal(said, said, then=half)


def test_huge_pages_are_limited_as_the_containers_say() -> None:
    """Where the Pod does not ask for them itself."""
    huge = {"hugepages-2Mi": "2Mi"}
    then = [container(limits={"cpu": "1", **huge}), container("b", limits=huge)]
    both = {"hugepages-2Mi": "4Mi"}
    said = {"limits": {"cpu": "1"}}
    seen = {"requests": {"cpu": "1", **both}, "limits": {"cpu": "1", **both}}

    assert equal(said, seen, then=then)
    assert not equal(said, {**seen, "limits": {"cpu": "1", **huge}}, then=then)


def test_a_pod_that_says_nothing_gets_nothing() -> None:
    """However much its containers say."""
    then = [container(requests={"cpu": "1"}, limits={"cpu": "1"})]

    assert equal({}, {}, then=then)
    assert not equal({}, {"requests": {"cpu": "1"}}, then=then)
    assert not equal({}, {"limits": {"cpu": "1"}}, then=then)


def test_older_servers_filled_in_less() -> None:
    """No limits, and nothing at all where the Pod says none."""
    then = [container(limits={"memory": "1Gi"})]
    limits = {"limits": {"cpu": "4"}}
    requests = {"requests": {"cpu": "4", "memory": "1Gi"}}

    assert equal(limits, {**limits, **requests}, then=then)
    both = {"limits": {"cpu": "4", "memory": "1Gi"}, **requests}
    assert equal(limits, both, then=then)
    assert not equal(limits, limits, then=then)
    asked = {"requests": {"cpu": "4"}}
    assert equal(asked, asked, then=then)
    assert equal(asked, {**requests, "limits": {"memory": "1Gi"}}, then=then)
    assert not equal(asked, requests, then=then)
    loose = [container(requests={"memory": "1Gi"})]
    assert equal(asked, requests, then=loose)


def test_only_huge_pages_are_limited_by_some_containers() -> None:
    """And not where the Pod asks for them: then all must be limited."""
    some = [container(limits={"cpu": "1"}), container("b")]
    said = {"limits": {"memory": "1Gi"}}
    seen = {"requests": {"cpu": "1", "memory": "1Gi"}, **said}
    assert equal(said, seen, then=some)
    assert not equal(said, {**seen, "limits": {"cpu": "1", "memory": "1Gi"}}, then=some)

    huge = {"hugepages-2Mi": "2Mi"}
    some = [container(limits={"cpu": "1", **huge}), container("b", limits={"cpu": "1"})]
    said = {"requests": huge, "limits": {"cpu": "2"}}
    seen = {"requests": {"cpu": "2", **huge}, "limits": {"cpu": "2"}}
    assert equal(said, seen, then=some)
    assert not equal(said, {**seen, "limits": {"cpu": "2", **huge}}, then=some)


def test_other_resources_are_no_pods() -> None:
    """A Pod's limits never come from its containers for those."""
    gpu = {"x.io/gpu": "1"}
    then = [container(limits={**gpu, "cpu": "1"})]
    said = {"requests": gpu, "limits": {"cpu": "1"}}
    seen = {"requests": {"cpu": "1", **gpu}, "limits": {"cpu": "1"}}

    assert equal(said, seen, then=then)
    assert not equal(said, {**seen, "limits": {"cpu": "1", **gpu}}, then=then)
