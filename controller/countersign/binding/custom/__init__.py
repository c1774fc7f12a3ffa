"""Custom resources: what a live CustomResourceDefinition says of their objects."""
