"""What can go wrong with an embedder: exit code 23."""

from __future__ import annotations

from satchel.runtime.knowledge.errors import KnowledgeError


class EmbedderError(KnowledgeError):
    """The embedder cannot be used: {reason}."""

    exit_code = 23


class EmbedderFolderError(EmbedderError):
    """{folder} is not a sentence-transformers model that can be read: {reason}."""

    remedy = "Give the folder that holds config.json, modules.json, tokenizer.json and model.safetensors."


class EmbedderMissingError(EmbedderError):
    """The embedder {name} is not on this machine."""

    remedy = "Satchel downloads nothing by itself: {command}."


class WrongEmbedderError(EmbedderError):
    """The vectors were made by {made_by}, and a question cannot be embedded by it on this machine."""

    remedy = (
        "Run `satchel models convert-embedder FOLDER` on that model, or `satchel index --rebuild` on the project; "
        "keyword search works meanwhile."
    )


class UnsupportedEmbedderError(EmbedderError):
    """{folder} cannot be run by llama.cpp: `{key}` in {file} is {value}, and supported is {supported}."""

    remedy = "Choose a BERT-like model, such as all-MiniLM, BGE, E5 or paraphrase-multilingual-MiniLM."


class ForeignCodeError(EmbedderError):
    """{folder} would choose what is run to open it, in {place}: {reason}."""

    remedy = "Choose a model that needs no code of its own; no option of Satchel trusts such a folder."


class WeightsError(EmbedderError):
    """{path} cannot be read as weights: {reason}."""

    remedy = "Copy or download the file again; `git lfs pull` if it is a pointer of a few lines."


class EmbedderLoadError(EmbedderError):
    """The embedder {path} could not be loaded: {reason}."""

    remedy = "Make it again with `satchel models convert-embedder`; the bundled one is rewritten by itself."


class EmbedderFailedError(EmbedderError):
    """The embedder {name} failed on a text: {reason}."""

    remedy = "This is a bug in Satchel; please report it with the file that was read."


class ConversionDiffersError(EmbedderError):
    """The converted {name} does not give the vectors of the original: lowest cosine {cosine}, needed {needed}."""

    remedy = "This model cannot be used without the extra `embed`; please report its name."
