"""Reads the configuration and runs the processes: supervisor, writer, workers."""

from malleposte.node.serve import serve, serve_configured

__all__ = ["serve", "serve_configured"]
