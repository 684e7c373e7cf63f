"""What tells one call from another."""

from __future__ import annotations

from satchel.runtime.permissions.calls import Call


def test_an_answer_to_one_function_of_a_tool_is_none_to_another_with_the_same_arguments():
    read = Call("files", {"file": "a.txt"}, function="files_read")
    delete = Call("files", {"file": "a.txt"}, function="files_delete")

    assert read.digest != delete.digest
