"""The read model on a real Redis, and what is told from it."""
