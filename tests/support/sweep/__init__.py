"""A machine that finds what binding does not know: every field, asked of a real server.

For each kind it starts from manifests that the server accepts, walks the type table, and
submits every field absent, null, zero and set. Whatever the server accepts must equal
what was sent, and must not equal what it was changed from, unless the server says the
same to both. The server's own complaints tell what a field needs beside it.
"""
