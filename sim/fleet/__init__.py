"""A fleet on paper: 100,000 cameras that poll one static channel, as an event simulation."""
