"""The scoring kernel and its language."""
