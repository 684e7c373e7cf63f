"""A folder with an embedder is data: nothing that it brings is run, whichever library would open it."""

from __future__ import annotations

import importlib.metadata
import pickle
from pathlib import Path

import pytest
from helpers.embedder_folders import write_embedder_folder

from satchel.runtime.knowledge.embedders.errors import EmbedderFolderError, ForeignCodeError
from satchel.runtime.knowledge.embedders.model_folder import read_embedder_folder
from satchel.runtime.knowledge.embedders.safe_loading import has_sentence_transformers, open_model, refuse_foreign_code
from satchel.runtime.knowledge.embedders.sentence_transformers_embedder import reference_vectors

POOLING = {"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"}


class _Touch:
    """Unpickled, it writes a file."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __reduce__(self):
        return Path.touch, (self._path,)


def test_classes_of_the_folders_own_are_refused_and_never_imported(tmp_path):
    ran = tmp_path / "ran"
    own = [{"idx": 0, "name": "0", "path": "", "type": "evil.Transformer"}, POOLING]
    folder = write_embedder_folder(tmp_path / "model", modules=own)
    (folder / "evil.py").write_text(
        f"import pathlib\npathlib.Path({str(ran)!r}).touch()\nfrom sentence_transformers.models import Transformer\n"
    )
    for opened in (read_embedder_folder, open_model, lambda path: reference_vectors(path, ["a tide"])):
        with pytest.raises(ForeignCodeError, match=r"`type` in modules\.json: it names the class evil\.Transformer"):
            opened(folder)
    assert not ran.exists()


@pytest.mark.parametrize(
    "kind", ["Transformer", "sentence_transformers", "sentence_transformersx.Transformer", "os.path", None, 7]
)
def test_only_the_librarys_own_classes_pass(tmp_path, kind):
    folder = write_embedder_folder(tmp_path, modules=[{"idx": 0, "name": "0", "path": "", "type": kind}, POOLING])
    with pytest.raises(ForeignCodeError, match=r"modules\.json"):
        refuse_foreign_code(folder)


def test_modules_that_are_no_list_are_refused(tmp_path):
    with pytest.raises(ForeignCodeError, match=r"modules\.json"):
        refuse_foreign_code(write_embedder_folder(tmp_path, modules='{"type": "sentence_transformers.Transformer"}'))


@pytest.mark.parametrize("file", ["config", "tokenizer_config", "processor_config", "preprocessor_config"])
def test_an_auto_map_is_refused_wherever_it_stands(tmp_path, file):
    folder = write_embedder_folder(tmp_path, **{file: {"auto_map": {"AutoModel": "modeling.Evil"}}})
    with pytest.raises(ForeignCodeError, match=rf"`auto_map` in {file}\.json"):
        read_embedder_folder(folder)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("model_args", {"attn_implementation": "somebody/kernel"}),
        ("model_kwargs", {"use_safetensors": False}),
        ("tokenizer_args", {"use_fast": False}),
        ("processor_kwargs", {"tokenizer_file": "/etc/passwd"}),
        ("config_kwargs", {"trust_remote_code": True}),
        ("tokenizer_name_or_path", "somebody/else"),
        ("of a later version", 1),
    ],
)
def test_arguments_for_the_libraries_are_refused(tmp_path, key, value):
    folder = write_embedder_folder(tmp_path, sentence_bert_config={key: value})
    with pytest.raises(ForeignCodeError, match=f"`{key}` in sentence_bert_config.json"):
        read_embedder_folder(folder)


def test_what_sentence_transformers_writes_today_passes(tmp_path):
    settings = {
        "transformer_task": "feature-extraction",
        "modality_config": {"text": {"method": "forward", "method_output_name": "last_hidden_state"}},
        "module_output_name": "token_embeddings",
        "model_args": {},
    }
    refuse_foreign_code(write_embedder_folder(tmp_path, sentence_bert_config=settings))


@pytest.mark.parametrize("key", ["transformers_weights", "quantization_config"])
def test_weights_named_by_the_configuration_are_refused(tmp_path, key):
    with pytest.raises(ForeignCodeError, match=f"`{key}` in config.json"):
        read_embedder_folder(write_embedder_folder(tmp_path, config={key: "other.safetensors"}))


def test_settings_under_an_older_name_are_refused(tmp_path):
    folder = write_embedder_folder(tmp_path, sentence_roberta_config={"model_args": {"use_safetensors": False}})
    with pytest.raises(ForeignCodeError, match=r"sentence_roberta_config\.json"):
        read_embedder_folder(folder)


def test_an_adapter_for_another_model_is_refused(tmp_path):
    folder = write_embedder_folder(tmp_path, adapter_config={"base_model_name_or_path": "/somewhere/else"})
    with pytest.raises(ForeignCodeError, match=r"adapter_config\.json: it names another model"):
        read_embedder_folder(folder)


def test_pickled_weights_are_refused_and_never_opened(tmp_path):
    folder = write_embedder_folder(tmp_path / "model")
    (folder / "model.safetensors").unlink()
    (folder / "pytorch_model.bin").write_bytes(pickle.dumps(_Touch(tmp_path / "ran")))
    for opened in (read_embedder_folder, open_model):
        with pytest.raises(ForeignCodeError, match=r"pytorch_model\.bin: it is a pickle") as caught:
            opened(folder)
        assert "model.safetensors" in caught.value.message
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("content", [b"{", b"\xff\xfe{}", b'"\xff"', b"[" * 100_000 + b"]" * 100_000])
@pytest.mark.parametrize("file", ["modules.json", "config.json", "sentence_bert_config.json", "tokenizer_config.json"])
def test_a_file_that_is_no_json_is_named(tmp_path, file, content):
    folder = write_embedder_folder(tmp_path)
    (folder / file).write_bytes(content)
    with pytest.raises(EmbedderFolderError, match=file):
        read_embedder_folder(folder)


@pytest.mark.parametrize(("version", "enough"), [("4.1.0", False), ("5.0.0", True), ("6.2.0", True), ("none", False)])
def test_an_older_library_counts_as_none(monkeypatch, version, enough):
    monkeypatch.setattr(importlib.metadata, "version", lambda _name: version)
    assert has_sentence_transformers() is enough


def test_without_the_library_there_is_none(monkeypatch):
    def missing(name: str) -> str:
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "version", missing)
    assert has_sentence_transformers() is False
