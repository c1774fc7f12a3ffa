"""Where people and servers come in: the command line and the webhook."""
