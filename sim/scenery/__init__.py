"""The site: ground, structures, machines, and the light of the day."""
