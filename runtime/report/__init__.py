"""What a site manager reads: a journal added up, what few account for withheld, one page. It writes
no picture; the background it shows was anonymised by the camera."""
