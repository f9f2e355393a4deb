"""Floor 3: what may change in the field. Imports `models` and `drivers`. Nothing lives here yet."""
