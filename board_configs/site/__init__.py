"""Site files that a technician starts from."""
