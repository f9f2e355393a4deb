"""Cameras: one file per kind of source; each fills a Frame in place."""
