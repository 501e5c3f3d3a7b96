"""`malleposte bench`: measures this server beside its peers, in one run."""
