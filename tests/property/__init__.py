"""Random cases: the kernel against the reference evaluator."""
