"""The demo: believable behaviour, and the whole of it as a process."""
