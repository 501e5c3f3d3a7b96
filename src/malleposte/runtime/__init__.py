"""What runs beside the protocols: push hub, jobs, TLS."""
