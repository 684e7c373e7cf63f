"""What an assistant can do besides talking: one tool a file (see README.md: "Add a tool").

`base` is what a tool is, `calls` reads calls out of a model's text, `grammar` keeps them well formed, and `runner`
checks and runs one call that the broker allowed.
"""
