"""An assistant as a session needs it."""

from __future__ import annotations

from helpers.packs import manifest, write_plain_pack

from satchel.runtime.packfile.verified import VerifiedFiles
from satchel.runtime.project.folder import Example, Project
from satchel.runtime.project.schema import Adapter, Assistant, ModelPreference, Retrieval, Sampling
from satchel.runtime.session.assistant import from_pack, from_project

ASSISTANT = Assistant(
    id="0d5f1a52-8a3c-4d7e-9b1f-2c3d4e5f6a7b",
    name="Guide",
    version="2.1",
    author="A. Author",
    description="Helps.",
    greeting="Ahoy.",
    starters=["When?"],
    attribution="CC BY",
    examples=1,
    retrieval=Retrieval(k=3),
    sampling=Sampling(temperature=0.7),
    models=[ModelPreference(name="Q")],
    adapter=Adapter(sha256="a" * 64, source="x"),
)


def test_everything_of_a_project_is_there(tmp_path):
    examples = (Example("a", "b"), Example("c", "d"))

    loaded = from_project(Project(tmp_path, ASSISTANT, "Be kind.", examples), None)

    for field in ("id", "name", "version", "author", "description", "greeting", "attribution", "retrieval", "sampling"):
        assert getattr(loaded, field) == getattr(ASSISTANT, field), field
    assert (loaded.starters, loaded.models, loaded.adapter) == (
        ("When?",),
        (ModelPreference(name="Q"),),
        ASSISTANT.adapter,
    )
    assert (loaded.instructions, loaded.examples, loaded.pack_id) == ("Be kind.", examples[:1], "")
    assert not loaded.has_knowledge


def test_a_pack_without_files_has_its_id_and_no_knowledge(tmp_path, home):
    verified = VerifiedFiles(home.cache / "verified").verify_once(write_plain_pack(tmp_path / "a.pack"))

    with verified.open() as pack:
        loaded = from_pack(pack, verified)

    assert loaded.pack_id == verified.pack_id
    assert loaded.name == manifest().identity.name
    assert loaded.instructions
    assert not loaded.has_knowledge
