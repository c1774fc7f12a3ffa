"""The law, one rule a file. ``decide.py`` reads them in order."""
