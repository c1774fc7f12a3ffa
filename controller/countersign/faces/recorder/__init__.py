"""The recorder: takes decisions from the spools, and shows them to whoever may look."""
