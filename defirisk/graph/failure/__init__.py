"""Failures on the graph: what can fail, who is exposed to it, how the loss travels, who matters."""
