"""Floor 5: a board made of code.

Implements the interfaces of `drivers` from above and starts the same boot.
"""
