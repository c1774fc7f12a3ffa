"""The tables of the audit store, in SQLAlchemy Core: SQLite's today, any later.

Times are whole microseconds since 1970 in UTC: they sort, and every database holds them.
What is searched for has a column; all else of a decision is its JSON, less its bundles
and intent, which are kept once however many decisions carry them.
"""

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
)

VERSION = 1
"""Of these tables. Raised with every change of them."""

SCHEMA = MetaData()

BLOBS = Table(
    "blobs",
    SCHEMA,
    Column("digest", String(80), primary_key=True),
    Column("data", LargeBinary, nullable=False),  # gzip
)

DECISIONS = Table(
    "decisions",
    SCHEMA,
    Column("id", String(26), primary_key=True),
    Column("first", BigInteger, nullable=False),
    Column("last", BigInteger, nullable=False),
    Column("times", Integer, nullable=False),
    Column("outcome", String(16), nullable=False),
    Column("namespace", String(63)),  # null: nobody knows
    Column("group", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("verb", String(16), nullable=False),
    Column("requester", Text, nullable=False),
    Column("incident", Text, nullable=False),
    Column("review_due", BigInteger),
    Column("intent", ForeignKey(BLOBS.c.digest)),
    Column("document", Text),  # null: its particulars were lost
)
Index("decisions_newest", DECISIONS.c.last)
Index("decisions_of_namespace", DECISIONS.c.namespace, DECISIONS.c.last)
Index("decisions_to_review", DECISIONS.c.review_due)

CARRIED = Table(
    "carried",
    SCHEMA,
    Column("decision", ForeignKey(DECISIONS.c.id), primary_key=True),
    Column("place", Integer, primary_key=True),
    Column("bundle", ForeignKey(BLOBS.c.digest), nullable=False),
)

APPROVERS = Table(
    "approvers",
    SCHEMA,
    Column("decision", ForeignKey(DECISIONS.c.id), primary_key=True),
    Column("policy", Text, primary_key=True),
    Column("role", Text, primary_key=True),  # "": declared it human
    Column("person", Text, primary_key=True),
    Column("bundle", String(80), primary_key=True),
)
Index("approvers_by_person", APPROVERS.c.person)

REQUESTERS = Table(
    "requesters",
    SCHEMA,
    Column("decision", ForeignKey(DECISIONS.c.id), primary_key=True),
    Column("name", Text, primary_key=True),
)

POSITIONS = Table(
    "positions",
    SCHEMA,
    Column("spool", String(64), primary_key=True),
    Column("sequence", BigInteger, nullable=False),
    Column("lost", BigInteger, nullable=False),
    Column("heard", BigInteger, nullable=False),  # its rank: the newest is the largest
)

REVIEWS = Table(
    "reviews",
    SCHEMA,
    Column("decision", ForeignKey(DECISIONS.c.id), primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("persons", Text, nullable=False),  # a JSON list
)
