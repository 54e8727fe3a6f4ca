"""Tests of the stages and of what surrounds them."""
