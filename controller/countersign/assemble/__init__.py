"""The composition roots: settings in, working parts out. Nothing here decides."""
