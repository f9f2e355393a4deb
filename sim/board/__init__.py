"""The virtual board: devices made of code behind the interfaces of `drivers`, and their faults."""
