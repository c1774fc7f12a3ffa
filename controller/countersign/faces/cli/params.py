"""Values of options that have a grammar of their own."""

import re
from datetime import datetime, timedelta

import click

from countersign.core.errors import Malformed
from countersign.core.types.artifacts import Digest
from countersign.core.types.change import Base, Elastic, Stretch
from countersign.core.types.evidence import Trace
from countersign.wire.times import parse_duration, parse_instant

_STRETCH = re.compile(r"([^/]+)/([^:]+):(/.+)=([0-9]{1,9})\.\.([0-9]{1,9})")


class Duration(click.ParamType[timedelta]):
    """A span of time: ``30d``, ``72h``, ``1h30m``."""

    name = "duration"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> timedelta:
        """Read the span; zero is none."""
        if isinstance(value, timedelta):
            return value
        try:
            span = parse_duration(str(value))
        except Malformed as error:
            self.fail(str(error), param, ctx)
        if span <= timedelta(0):
            self.fail(f"expected a duration above zero, saw {value}", param, ctx)
        return span


class Until(click.ParamType[datetime | timedelta]):
    """A time, or a duration after the validity ends."""

    name = "time|duration"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> datetime | timedelta:
        """Read ``2027-01-21T00:00:00Z`` or ``60d``."""
        if isinstance(value, datetime | timedelta):
            return value
        try:
            return parse_instant(str(value))
        except Malformed:
            pass
        try:
            return parse_duration(str(value))
        except Malformed:
            self.fail(f"expected a time or a duration, saw {value}", param, ctx)


class TraceType(click.ParamType[Trace]):
    """``TYPE=ID`` or ``TYPE=ID=URI``."""

    name = "type=id[=uri]"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> Trace:
        """Read a link to a requirement, a ticket or a test."""
        if isinstance(value, Trace):
            return value
        kind, _, rest = str(value).partition("=")
        number, _, uri = rest.partition("=")
        if not (kind and number):
            self.fail(f"expected TYPE=ID or TYPE=ID=URI, saw {value}", param, ctx)
        return Trace(kind, number, uri)


class StretchType(click.ParamType[Stretch]):
    """``KIND/NAME:PATH=MIN..MAX``."""

    name = "kind/name:path=min..max"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> Stretch:
        """Read a value that scaling may move, and its bounds."""
        if isinstance(value, Stretch):
            return value
        read = _STRETCH.fullmatch(str(value))
        if read is None:
            self.fail(
                f"expected KIND/NAME:PATH=MIN..MAX, such as "
                f"Deployment/web:/spec/replicas=2..20, saw {value}",
                param,
                ctx,
            )
        kind, name, path, low, high = read.groups()
        try:
            return Stretch(kind, name, Elastic(path, int(low), int(high)))
        except Malformed as error:
            self.fail(str(error), param, ctx)


class BaseType(click.ParamType[Digest | Base]):
    """``any``, ``absent`` or ``sha256:…``."""

    name = "any|absent|digest"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> Digest | Base:
        """Read the state that is approved as the one before."""
        if isinstance(value, Digest | Base):
            return value
        try:
            return Base(str(value))
        except ValueError:
            pass
        try:
            return Digest.parse(str(value))
        except Malformed:
            self.fail(f"expected any, absent or sha256:…, saw {value}", param, ctx)


class NamedFile(click.ParamType[tuple[str, str]]):
    """A file, and what to call it: ``NAME=FILE``."""

    name = "name=file"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, str]:
        """Cut at the first ``=``."""
        if isinstance(value, tuple):
            return value
        name, _, file = str(value).partition("=")
        if not (name and file):
            self.fail(f"expected NAME=FILE, saw {value}", param, ctx)
        return name, file
