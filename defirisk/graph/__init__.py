"""The composability graph: who stands on what, in dollars, and what that says."""
