"""A naive second implementation of routing and clocks, from the words of the language alone: no code of ours in it."""
