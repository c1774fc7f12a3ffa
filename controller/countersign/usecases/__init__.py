"""One verb a file: what countersign does, in terms of its ports."""
