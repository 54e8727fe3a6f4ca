"""A second, naive implementation of the model language, to hold the kernel against.

It shares no code with `scoring`: it keeps the whole history of every lead, works everything out again at every
moment, and is obviously right before it is fast. `evaluator.evaluate` is the way in.
"""
