"""One verb a file: a typed function from arguments to a result; no printing, no exit, no dialogs."""
