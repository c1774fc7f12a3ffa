"""What each controller makes of its owner, a controller a module. Pure."""
