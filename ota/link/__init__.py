"""The link: frames over a serial cable, TCP or a Unix socket; the camera's side and the technician's."""
