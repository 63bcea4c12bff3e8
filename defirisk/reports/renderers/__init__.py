"""One renderer per format: text in, formatting here, escaping by `reports.escape`."""
