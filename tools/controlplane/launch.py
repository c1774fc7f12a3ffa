"""Starts a control plane for as long as a block lasts, or until `down` is called."""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tools.controlplane.binaries import ensure
from tools.controlplane.errors import ControlPlaneError, NotReady
from tools.controlplane.guard import Guard
from tools.controlplane.plane import ControlPlane
from tools.controlplane.processes import Ledger
from tools.controlplane.programs import KUBECTL, SERVERS
from tools.controlplane.progress import Progress
from tools.controlplane.servers import Layout, Options, Ports

_PREFIX = "countersign-controlplane-"
_TRIES = 3  # a port that was free may be taken before the server listens on it
_PORT_TAKEN = "address already in use"


@contextmanager
def running(
    options: Options | None = None, *, progress: Progress | None = None
) -> Iterator[ControlPlane]:
    """Run a control plane while the block lasts.

    Afterwards no process and no file of it is left: also if the block fails, on Ctrl-C,
    and if this process is killed. Only the servers' logs are kept if the block raises
    or `ControlPlane.keep_logs` is set, and their place is said.

    Args:
        options: What is different about it.
        progress: Told what takes long; stderr if None.

    Raises:
        Unobtainable: A program cannot be had.
        NotReady: It did not come up.
    """
    progress = progress or Progress()
    options = options or Options()
    binaries = ensure([*SERVERS, KUBECTL], minor=options.minor, progress=progress)
    layout = Layout(Path(tempfile.mkdtemp(prefix=_PREFIX)))
    guard = Guard(layout.folder, layout.ledger)
    keep_logs = False
    try:
        plane = launched(layout, binaries, options)
        try:
            yield plane
        finally:
            keep_logs = plane.keep_logs
    except Exception:
        keep_logs = True
        raise
    finally:
        _remove(layout, progress, keep_logs=keep_logs)
        guard.dismiss()


def up(
    folder: Path, options: Options | None = None, *, progress: Progress | None = None
) -> ControlPlane:
    """Start a control plane that outlives this process, in `folder`, until `down`.

    Args:
        folder: Made if it is not there; what an earlier one left behind is removed.
        options: What is different about it.
        progress: Told what takes long; stderr if None.

    Raises:
        ControlPlaneError: One runs there already, or the folder holds something else.
        Unobtainable: A program cannot be had.
        NotReady: It did not come up; nothing of it is left but its logs.
    """
    progress = progress or Progress()
    options = options or Options()
    layout = Layout(folder.absolute())
    _require_unused(layout)
    binaries = ensure([*SERVERS, KUBECTL], minor=options.minor, progress=progress)
    down(folder)
    layout.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    guard = Guard(layout.folder, layout.ledger)
    try:
        plane = launched(layout, binaries, options)
    except BaseException as error:
        _remove(layout, progress, keep_logs=isinstance(error, Exception))
        guard.dismiss()
        raise
    guard.release()
    return plane


def down(folder: Path) -> bool:
    """Stop what `up` started in `folder`, and remove the folder.

    Processes that ended by themselves, and numbers that belong to others by now, are
    passed over.

    Returns:
        Whether there was a control plane, alive or not.

    Raises:
        ValueError: The record of its processes is damaged; nothing is stopped.
    """
    layout = Layout(folder.absolute())
    if not layout.ledger.exists():
        return False
    Ledger(layout.ledger).stop_all(grace_s=0)
    shutil.rmtree(layout.folder)
    return True


def launched(
    layout: Layout,
    binaries: dict[str, Path],
    options: Options,
    *,
    ports: Callable[[], Ports] = Ports.free,
) -> ControlPlane:
    """Return a started control plane that nobody looks after yet.

    Args:
        layout: Where it lives.
        binaries: The programs by name.
        options: What is different about it.
        ports: Chooses them; asked again when another process was quicker to take one.

    Raises:
        NotReady: It did not come up; what of it runs is for the caller to remove.
    """
    tries_left = _TRIES
    while True:
        layout.make()
        plane = ControlPlane(layout, ports(), binaries, options)
        try:
            plane.start()
        except NotReady as error:
            tries_left -= 1
            if _PORT_TAKEN not in str(error) or not tries_left:
                raise
            Ledger(layout.ledger).stop_all(grace_s=0)
            shutil.rmtree(layout.data)
        else:
            return plane


def _remove(layout: Layout, progress: Progress, *, keep_logs: bool) -> None:
    ledger = Ledger(layout.ledger)
    ended = [one.name for one in ledger.entries if not one.is_alive()]
    ledger.stop_all(grace_s=0)
    if (ended or keep_logs) and layout.logs.is_dir():
        kept = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}logs-"))
        shutil.copytree(layout.logs, kept, dirs_exist_ok=True)
        what = f"{', '.join(ended)} ended by itself: " if ended else ""
        progress.say(f"{what}the servers' logs are kept in {kept}")
    shutil.rmtree(layout.folder)


def _require_unused(layout: Layout) -> None:
    """Refuse to take over a folder that is in use or that is not ours.

    Raises:
        ControlPlaneError: It is.
    """
    names = [one.name for one in Ledger(layout.ledger).entries if one.is_alive()]
    if names:
        raise ControlPlaneError(
            f"{', '.join(names)} of {layout.folder} still run: take them down first"
        )
    with suppress(FileNotFoundError):
        if not layout.ledger.exists() and any(layout.folder.iterdir()):
            raise ControlPlaneError(
                f"{layout.folder} holds something else: give an empty folder"
            )
