"""What an image is made of besides the board file: one small file a board, for `haetae image`."""
