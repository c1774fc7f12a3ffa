"""The admission webhook: bytes in, a verdict out, over TLS. It parses, calls, answers."""
