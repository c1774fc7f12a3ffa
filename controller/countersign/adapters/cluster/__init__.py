"""The Kubernetes API: credentials, GET, LIST and WATCH, and the ports made of them.

``client`` is the one importer of ``kubernetes``; everything above it sees paths, bytes
and trees. Nothing here writes by itself; who may, calls `ApiServer.apply` or `create`.
"""
