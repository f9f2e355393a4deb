"""People: skeletons that walk, bend, climb and fall, and the bodies around them."""
