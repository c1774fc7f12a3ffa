"""What applying makes of a live object: what others wrote stays, what we wrote follows."""

import json
from typing import Any

import pytest

from countersign.binding import applied as binding

LAST = "kubectl.kubernetes.io/last-applied-configuration"


def _live(earlier: Any = None, **fields: Any) -> Any:
    noted = {} if earlier is None else {LAST: json.dumps(earlier)}
    metadata = {
        "name": "x",
        "uid": "u",
        "annotations": {"a.example/of": "hpa", **noted},
    }
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, **fields}


def _said(**fields: Any) -> Any:
    metadata = {"name": "x"}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, **fields}


def applied(live: Any, said: Any) -> Any:
    """Return what applying `said` makes of `live`."""
    return binding.applied(live, said)


def test_what_others_wrote_stays() -> None:
    """An annotation of a controller, and what the server allocated."""
    made = applied(_live(spec={"clusterIP": "10.0.0.1"}), _said(spec={"type": "x"}))

    assert made["metadata"]["annotations"] == {"a.example/of": "hpa"}
    assert made["metadata"]["uid"] == "u"
    assert made["spec"] == {"clusterIP": "10.0.0.1", "type": "x"}


@pytest.mark.parametrize("noted", ["client-side", "server-side"])
def test_what_the_manifest_said_before_and_no_longer_says_goes(noted: str) -> None:
    """Whichever apply wrote it."""
    live = _live({"data": {"a": "1", "b": "2"}}, data={"a": "1", "b": "2", "c": "3"})
    if noted == "server-side":
        live = _live(data={"a": "1", "b": "2", "c": "3"})
        owned: Any = {"f:data": {".": {}, "f:a": {}, "f:b": {}}}
        live["metadata"]["managedFields"] = [
            {"operation": "Apply", "fieldsV1": owned},
            {"operation": "Update", "fieldsV1": {"f:data": {"f:c": {}}}},
        ]

    assert applied(live, _said(data={"a": "9"}))["data"] == {"a": "9", "c": "3"}


def test_null_takes_away() -> None:
    """As in a merge patch."""
    assert applied(_live(data={"a": "1"}), _said(data={"a": None}))["data"] == {}


def test_containers_are_merged_by_name() -> None:
    """A sidecar that somebody injected stays, one that the manifest had before goes."""
    before = [{"name": "app", "image": "a"}, {"name": "old", "image": "o"}]
    injected = {"name": "sidecar", "image": "s"}
    live = _live(
        {"spec": {"containers": before}},
        spec={"containers": [{**before[0], "tty": True}, before[1], injected]},
    )

    made = applied(live, _said(spec={"containers": [{"name": "app", "image": "b"}]}))

    app = {"name": "app", "image": "b", "tty": True}
    assert made["spec"]["containers"] == [app, injected]


def test_a_union_keeps_only_what_is_said() -> None:
    """The volume that was an emptyDir is not one any more."""
    live = _live(spec={"volumes": [{"name": "v", "emptyDir": {}}]})
    said = [{"name": "v", "configMap": {"name": "c"}}]

    assert applied(live, _said(spec={"volumes": said}))["spec"]["volumes"] == said


def test_other_lists_are_replaced() -> None:
    """Rules of a role are one value."""
    live = _live(rules=[{"verbs": ["get"]}, {"verbs": ["list"]}])

    assert applied(live, _said(rules=[{"verbs": ["*"]}]))["rules"] == [{"verbs": ["*"]}]


def test_finalizers_are_added() -> None:
    """Those of controllers stay."""
    live, said = _live(), _said()
    live["metadata"]["finalizers"] = ["a"]
    said["metadata"]["finalizers"] = ["b"]

    assert applied(live, said)["metadata"]["finalizers"] == ["a", "b"]


@pytest.mark.parametrize("noted", ["no JSON", "[]", "null"])
def test_a_note_that_is_none_removes_nothing(noted: str) -> None:
    """Anybody can write that annotation."""
    live = _live(data={"a": "1"})
    live["metadata"]["annotations"][LAST] = noted

    assert applied(live, _said(data={}))["data"] == {"a": "1"}


def test_what_server_side_apply_remembers_of_items() -> None:
    """Its sets name items by their keys, and have no values for fields of theirs."""
    key = 'k:{"port":80,"protocol":"TCP"}'
    fields: dict[str, Any] = {
        "f:spec": {"f:ports": {key: {".": {}, "f:port": {}, "f:name": {}}}}
    }
    live = {
        "metadata": {"managedFields": [{"operation": "Apply", "fieldsV1": fields}]},
        "spec": {"ports": [{"port": 80, "name": "a"}, {"port": 81, "name": "b"}]},
    }
    made = applied(live, {"metadata": {}, "spec": {"ports": [{"port": 82}]}})

    assert made["spec"] == {"ports": [{"port": 82}, {"port": 81, "name": "b"}]}
