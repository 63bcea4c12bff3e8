"""The project as a whole: its wheel, its layers, its dependencies, its files."""
