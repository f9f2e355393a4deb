"""What happens between the scene and the picture: weather, glass, sensor, compression."""
