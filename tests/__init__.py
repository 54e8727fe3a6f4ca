"""Everything that holds leadstream to its word."""
