"""The command line: an adapter over `commands/` and `session/`; it parses, prints and maps errors to exit codes.

A folder rather than the one file of DESIGN 3, because each verb's arguments and printing are a room of their own,
and `satchel --help` must import none of them.
"""
