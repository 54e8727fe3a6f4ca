"""Tests of what a score is: the kernel, through the fold that the score stage runs."""
