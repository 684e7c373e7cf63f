"""The editable folder of an assistant: plain files, friendly to git."""
