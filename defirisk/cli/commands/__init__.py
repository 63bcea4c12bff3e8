"""One command a file. Heavy imports stay inside the functions, so that --help is fast."""
