"""The tests, run on one wrong version of a module, each run in a process of its own.

Processes fork from one that has imported pytest and hypothesis already, and nothing of
ours; the wrong version is put in as the module is imported, so no file is written.
"""

import importlib.machinery
import importlib.util
import multiprocessing
import os
import resource
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType

import pytest

_SERVER = multiprocessing.get_context("forkserver")
_SERVER.set_forkserver_preload(["pytest", "hypothesis.strategies", "tests.mutation"])
_MEMORY = 4 << 30  # bytes; a list without end is noticed, too
_CAUGHT = (1, 2)  # pytest's codes: a test failed, or the module was not importable
_OPTIONS = (
    *("-x", "-q", "--no-header", "--tb=no", "--hypothesis-seed=0"),
    *("-p", "no:cacheprovider", "-W", "ignore::pytest.PytestAssertRewriteWarning"),
)


class _Wrong(SourceFileLoader):
    """Loads one module from a source that is not the file's."""

    def __init__(self, module: str, path: str, source: str) -> None:
        super().__init__(module, path)
        self._source = source

    def get_code(self, fullname: str) -> CodeType:
        """Compile what was given: no cached bytecode is read or written."""
        return self.source_to_code(self._source.encode(), self.get_filename(fullname))


class _Finder:
    """Finds that one module before anybody else does."""

    def __init__(self, module: str, path: Path, source: str) -> None:
        self._loader = _Wrong(module, str(path), source)

    def find_spec(
        self, name: str, _path: object = None, _target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return the spec of the wrong version."""
        if name != self._loader.name:
            return None
        return importlib.util.spec_from_file_location(name, loader=self._loader)


def fails(
    tree: Path, module: str, source: str, tests: Sequence[str], patience_s: float
) -> bool:
    """Tell whether one of `tests` fails, or does not end, with the module as `source`.

    Args:
        tree: A copy of the project, that nobody else writes to.
        module: Its dotted name.
        source: All of it.
        tests: Files and folders, relative to `tree`. None of them: False.
        patience_s: How long the tests may take, in seconds.
    """
    if not tests:
        return False
    run = _SERVER.Process(target=_run, args=(tree, module, source, tests), daemon=True)
    run.start()
    run.join(patience_s)
    if run.is_alive():
        run.kill()
        run.join()
        return True
    # a crash (no memory, too deep) is no passing either
    return run.exitcode in _CAUGHT or (run.exitcode or 0) < 0


def _run(tree: Path, module: str, source: str, tests: Sequence[str]) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nowhere, stream)
    os.chdir(tree)
    path = (tree / "controller").joinpath(*module.split(".")).with_suffix(".py")
    sys.path[:0] = [str(tree / "controller"), str(tree)]
    sys.meta_path.insert(0, _Finder(module, path, source))
    os._exit(pytest.main([*_OPTIONS, *tests]))
