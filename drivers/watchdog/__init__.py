"""Watchdogs: what resets the board or the service when the loop no longer feeds it."""
