"""The editor: a form at the left, the assistant as the form has it at the right."""
