"""Reads the configuration and runs the processes: supervisor, writer, workers (``node.serve``)."""
