"""Boards as data: one TOML file a board; the site files are in `site/`."""
