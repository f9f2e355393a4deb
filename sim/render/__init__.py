"""From triangles to pixels: rasteriser, light and shadow, the lens, and the world put on screen."""
