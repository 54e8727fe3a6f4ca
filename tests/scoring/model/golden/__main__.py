"""Writes the golden files anew."""

from tests.scoring.model.golden import write

write()
