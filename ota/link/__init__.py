"""The link: frames over a cable, TCP or a Unix socket; the camera's and the technician's side."""
