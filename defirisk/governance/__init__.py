"""Parameter changes: what they would do, how they are written, executed and repeated."""
