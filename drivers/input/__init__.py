"""Inputs: push buttons on GPIO lines."""
