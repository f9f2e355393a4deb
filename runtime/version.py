"""The version of the runtime, as bundles ask for it; the same as in pyproject.toml."""

from typing import Final

VERSION: Final = "0.1.0"
