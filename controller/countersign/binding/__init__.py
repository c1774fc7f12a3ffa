"""Is the object being admitted exactly the change that was signed? Pure."""
