"""The table of the editor's tabs; one is made when it is first shown."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from satchel.builder.editor.knowledge_work import KnowledgeWork
from satchel.builder.editor.tab import Tab
from satchel.builder.language import translate
from satchel.builder.shell import Shell


@dataclass(frozen=True, slots=True)
class TabSpec:
    """A tab of the form."""

    key: str
    title: str
    make: Callable[[Shell, KnowledgeWork], Tab]


def tab_specs() -> tuple[TabSpec, ...]:
    """Return the tabs of the form, in their order."""
    return (
        TabSpec("persona", translate("Editor", "Persona"), _persona),
        TabSpec("knowledge", translate("Editor", "Knowledge"), _knowledge),
        TabSpec("tools", translate("Editor", "Tools"), _tools),
        TabSpec("model", translate("Editor", "Model"), _model),
        TabSpec("evals", translate("Editor", "Evals"), _evals),
    )


def _persona(shell: Shell, _work: KnowledgeWork) -> Tab:
    from satchel.builder.editor.persona_tab import PersonaTab

    return PersonaTab(shell)


def _knowledge(shell: Shell, work: KnowledgeWork) -> Tab:
    from satchel.builder.editor.knowledge_tab import KnowledgeTab

    return KnowledgeTab(shell, work)


def _tools(shell: Shell, _work: KnowledgeWork) -> Tab:
    from satchel.builder.editor.tools_tab import ToolsTab

    return ToolsTab(shell)


def _model(shell: Shell, _work: KnowledgeWork) -> Tab:
    from satchel.builder.editor.model_tab import ModelTab

    return ModelTab(shell)


def _evals(shell: Shell, work: KnowledgeWork) -> Tab:
    from satchel.builder.editor.evals_tab import EvalsTab

    return EvalsTab(shell, work)


def import_tabs() -> None:
    """Import what the tabs need, on a thread while the first one is looked at: showing one would wait for it."""
    import satchel.builder.editor.evals_tab
    import satchel.builder.editor.export_sheet
    import satchel.builder.editor.knowledge_tab
    import satchel.builder.editor.model_tab
    import satchel.builder.editor.tools_tab  # noqa: F401 - for its being there
