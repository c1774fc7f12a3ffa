"""The file of the audit store: opened once, by one process, and durable.

SQLite in WAL mode with ``synchronous=FULL``: what was committed survives the loss of
power, and only then is a spool told that it may forget.
"""

import fcntl
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import ConnectionPoolEntry, StaticPool

from countersign.adapters.audit.tables import SCHEMA, VERSION
from countersign.core.errors import Misconfigured

_OURS = 0x43535247  # application_id: "CSRG"
_BUSY_MS = 2000  # of somebody who looks at the file with sqlite3
_FILE, _LOCK = 0o600, ".lock"


@contextmanager
def opened(file: Path) -> Iterator[Engine]:
    """Open the store, or make it.

    The engine has one connection, which any one thread may use at a time. A folder
    that is not there is not made: a volume that was not mounted would go unnoticed.

    Args:
        file: Of the database. Beside it lie SQLite's own two, and a lock.

    Raises:
        Misconfigured: the folder is missing, another process has it open, it is
            corrupted, not ours, or of a later version.
    """
    with _locked(file):
        try:
            os.close(os.open(file, os.O_RDWR | os.O_CREAT, _FILE))
            file.chmod(_FILE)  # one restored from a copy may be open to all
        except OSError as error:
            raise Misconfigured(f"could not open {file}: {error.strerror}") from error
        engine = _engine(file)
        try:
            try:
                with engine.begin() as connection:
                    _prepare(connection, file)
            except SQLAlchemyError as error:
                raise _unusable(file, str(error.args[0])) from error
            yield engine
        finally:
            engine.dispose()


def check(file: Path) -> None:
    """Tell early that the folder of a store is not there, before it is opened.

    Raises:
        Misconfigured: it is not.
    """
    if not file.parent.is_dir():
        raise Misconfigured(f"expected a folder that is there, saw none: {file.parent}")


@contextmanager
def _locked(file: Path) -> Iterator[None]:
    """Keep a second recorder out: two would both acknowledge what one has."""
    beside = file.with_name(file.name + _LOCK)
    try:
        handle = os.open(beside, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, _FILE)
    except OSError as error:
        raise Misconfigured(
            f"could not open {beside}: {error.strerror}; expected a folder that is "
            "there and may be written to"
        ) from error
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(handle)
        raise Misconfigured(
            f"{file} is in use by another recorder; one at a time may run"
        ) from error
    try:
        yield
    finally:
        os.close(handle)


def _engine(file: Path) -> Engine:
    def connect() -> sqlite3.Connection:
        return sqlite3.connect(
            file,
            isolation_level=None,  # transactions are ours: theirs begins late
            check_same_thread=False,
        )

    engine = create_engine("sqlite://", creator=connect, poolclass=StaticPool)

    @event.listens_for(engine, "connect")
    def _set(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
        cursor = connection.cursor()
        for pragma in (
            f"busy_timeout = {_BUSY_MS}",
            "journal_mode = WAL",
            "synchronous = FULL",
            "foreign_keys = ON",
            "trusted_schema = OFF",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN")

    return engine


def _prepare(connection: Connection, file: Path) -> None:
    """Make the tables in an empty file; refuse one that is not ours to read."""
    trouble = connection.execute(text("PRAGMA quick_check(1)")).scalar_one()
    if trouble != "ok":
        raise _unusable(file, str(trouble))
    version = connection.execute(text("PRAGMA user_version")).scalar_one()
    ours = connection.execute(text("PRAGMA application_id")).scalar_one() == _OURS
    tables = connection.execute(text("SELECT count(*) FROM sqlite_schema")).scalar_one()
    if not tables:
        SCHEMA.create_all(connection)
        connection.exec_driver_sql(f"PRAGMA application_id = {_OURS}")
        connection.exec_driver_sql(f"PRAGMA user_version = {VERSION}")
    elif not ours:
        raise Misconfigured(f"expected an audit store in {file}, saw another database")
    elif version != VERSION:
        raise Misconfigured(
            f"expected an audit store of version {VERSION} in {file}, saw {version}; "
            "start the countersign that wrote it, or a later one"
        )


def _unusable(file: Path, why: str) -> Misconfigured:
    return Misconfigured(
        f"expected an audit store in {file}, saw a file that is damaged or none: {why}; "
        "restore it from a copy, or move it away to begin a new one"
    )
