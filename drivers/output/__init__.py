"""Outputs: sirens, lamps and relays."""
