"""Partner intake: an institution's own system pushes many rows, and learns what became of each."""
