"""What can go wrong with a model or its engine. Exit codes 40-49; 40 itself is `WorkerDiedError`."""

from __future__ import annotations

from satchel.runtime.errors import SatchelError


class EngineMissingError(SatchelError):
    """llama-cpp-python, which runs models, is not installed."""

    exit_code = 41
    remedy = "Install Satchel's requirements again: in the checkout run pip install ."


class ModelMissingError(SatchelError):
    """There is no model {reference!r}: {reason}."""

    exit_code = 42
    remedy = "Give a .gguf file, or `starter`, or `reader`. Models on this disk: {known}."


class NotAGgufError(SatchelError):
    """{path} is not a GGUF model: {reason}."""

    exit_code = 43
    remedy = "Choose a file in the GGUF format; it begins with the four letters GGUF."


class TruncatedModelError(SatchelError):
    """{path} is not whole: {reason}."""

    exit_code = 43
    remedy = "Download or copy the file again, and compare its size."


class MissingPartError(SatchelError):
    """{path} is one of {count} parts of a model, and {missing} is not beside it."""

    exit_code = 43
    remedy = "Put all {count} parts into one folder."


class UnsupportedModelError(SatchelError):
    """{path} cannot be run here: {reason}."""

    exit_code = 44
    remedy = "Choose another file, or a newer llama-cpp-python if the model is newer than this one."


class ModelLoadError(SatchelError):
    """{path} could not be loaded: {reason}."""

    exit_code = 45
    remedy = "Run `satchel doctor`: it shows what fits into this machine."


class ModelTooLargeError(SatchelError):
    """{path} needs {needed} of memory and this machine has {available}: {sums}."""

    exit_code = 46
    remedy = "Choose a smaller model or a stronger quantisation, or a shorter context."


class AdapterError(SatchelError):
    """The adapter {path} does not fit this model: {reason}."""

    exit_code = 45
    remedy = "Use an adapter that was trained on this very model, as GGUF."


class PromptTooLongError(SatchelError):
    """The prompt has {prompt_tokens} tokens, room for {room} (context {context_tokens}, {reserved} for answering)."""

    exit_code = 47
    remedy = "Ask a shorter question, or give the model a longer context."


class TemplateError(SatchelError):
    """The model's chat template cannot render this conversation: {reason}."""

    exit_code = 48
    remedy = "Choose another model, or report this with the model's name."


class GrammarError(SatchelError):
    """The grammar cannot be used: {reason}."""

    exit_code = 49
    remedy = "This is a bug in what made the grammar; please report it."


class NotLoadedError(SatchelError):
    """No model is loaded."""

    exit_code = 49
    remedy = "Load a model first."


class DecodeError(SatchelError):
    """llama.cpp could not compute the next token: {reason}."""

    exit_code = 49
    remedy = "Ask again with a shorter context; if it stays, run `satchel doctor`."


class ChangedStarterError(SatchelError):
    """{path} is not the Starter that this version of Satchel was tested with: its bytes differ."""

    exit_code = 43
    remedy = "Install it again: in the checkout run pip install --force-reinstall '.[starter]'"
