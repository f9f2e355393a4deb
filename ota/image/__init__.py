"""The whole camera as one file to flash: two read-only roots, boot state, data.

`root.py` makes the root file system, `layout.py` says where things lie, `build.py` puts them
together and `verify.py` looks at what came out. Tools of the distribution do the rest.
"""
