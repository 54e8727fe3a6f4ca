"""When and where: the Faust workers, the engine beneath them, every adapter, and the command line."""
