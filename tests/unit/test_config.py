"""Settings: one direction of precedence, nothing unknown, nothing silent."""

from pathlib import Path

import pytest

from countersign.config import Settings, load, paths, variable

NAMED = {"COUNTERSIGN_CLUSTER_NAME": "prod-eu"}


def test_the_cluster_must_be_named() -> None:
    """A default would make sign-offs of one cluster valid in another."""
    with pytest.raises(ValueError, match=r"cluster_name .*COUNTERSIGN_CLUSTER_NAME"):
        load(Settings, flags={}, environment={})


def test_flags_win_over_environment_over_file_over_defaults(tmp_path: Path) -> None:
    """Each source is peeled off in turn."""
    file = tmp_path / "settings.yaml"
    file.write_text("cluster_name: c\nlisten: {port: 1}\nlog: {level: ERROR}\n")
    environment = {"COUNTERSIGN_LISTEN_PORT": "2"}
    flags: dict[str, object] = {"listen.port": "3", "log.level": None}

    merged = load(Settings, flags=flags, environment=environment, file=file)

    assert merged.listen.port == 3
    assert load(Settings, flags={}, environment=environment, file=file).listen.port == 2
    assert load(Settings, flags={}, environment={}, file=file).listen.port == 1
    assert load(Settings, flags={}, environment=NAMED).listen.port == 8443
    assert merged.log.level == "ERROR"


def test_lists_are_written_with_commas() -> None:
    """As flags and the environment can say them."""
    settings = load(
        Settings,
        flags={"cluster.service_cidrs": "10.96.0.0/16,fd00::/108"},
        environment={**NAMED, "COUNTERSIGN_PROTECTED_NAMESPACES": "a, b-*"},
    )

    assert settings.protected_namespaces == ("a", "b-*")
    assert settings.cluster.service_cidrs == ("10.96.0.0/16", "fd00::/108")


def test_other_variables_with_our_prefix_are_left_alone() -> None:
    """They belong to other commands."""
    load(Settings, flags={}, environment={**NAMED, "COUNTERSIGN_PASSWORD": "x"})


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        pytest.param(
            "cluster_name: c\nlisten: {prot: 1}", "listen.prot", id="misspelt"
        ),
        pytest.param("cluster_name: c\nport: 1", "port", id="in no group"),
        pytest.param("cluster_name: c\nlisten: 7", "listen", id="no group"),
        pytest.param("- c", "expected a mapping", id="a list"),
        pytest.param("{", "expected YAML", id="no YAML"),
        pytest.param(
            "cluster_name: c\nlisten: {port: 70000}", "listen.port", id="no port"
        ),
        pytest.param(
            "cluster_name: c\ncluster: {watch_s: 40, stale_s: 60}",
            "twice watch_s",
            id="a watch that is stale before it is asked again",
        ),
        pytest.param(
            "cluster_name: c\ncluster: {service_cidrs: [10.96.0.1/16]}",
            "has host bits set",
            id="an address for a range",
        ),
        pytest.param(
            "cluster_name: c\nprotected_namespaces: [Payments]",
            "protected_namespaces.0",
            id="no namespace",
        ),
    ],
)
def test_refuses(tmp_path: Path, content: str, problem: str) -> None:
    """What, where, and how else it could have been said."""
    file = tmp_path / "settings.yaml"
    file.write_text(content)

    with pytest.raises(ValueError, match=problem):
        load(Settings, flags={}, environment={}, file=file)


def test_a_group_that_is_none_is_told_whatever_else_is_set(tmp_path: Path) -> None:
    """The environment is not merged into a number."""
    file = tmp_path / "settings.yaml"
    file.write_text("listen: 7")

    with pytest.raises(ValueError, match="listen: expected a mapping"):
        load(
            Settings,
            flags={},
            environment={**NAMED, "COUNTERSIGN_LISTEN_PORT": "1"},
            file=file,
        )


def test_every_setting_has_one_variable_of_its_own() -> None:
    """`cluster_name` and the group `cluster` must not meet."""
    names = [variable(path) for path in paths(Settings)]

    assert len(set(names)) == len(names)
    assert "COUNTERSIGN_CLUSTER_KUBECONFIG" in names
    assert "COUNTERSIGN_CLUSTER_NAME" in names


def test_settings_do_not_change() -> None:
    """They are read once."""
    settings = load(Settings, flags={}, environment=NAMED)

    with pytest.raises(ValueError, match="frozen"):
        settings.listen.port = 1  # type: ignore[misc]  # that is the test
