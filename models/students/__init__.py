"""The students that ship with the runtime: one folder a package, described by its `model.toml`."""
