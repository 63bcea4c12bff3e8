"""Reports: a document of raw numbers (`model`), and one renderer per format (`renderers`)."""
