"""The link: frames over serial, TCP or a Unix socket; the camera's side and the technician's."""
