"""The tools that an assistant ticked, made ready for one chat; those that this machine or version has not are named."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from satchel.runtime.errors import SatchelError
from satchel.runtime.knowledge.client import KnowledgeClient
from satchel.runtime.sandbox.known import KnownSandbox
from satchel.runtime.session.assistant import LoadedAssistant
from satchel.runtime.session.chat_labels import label_of_file
from satchel.runtime.session.events import Warned
from satchel.runtime.settings import ImageSettings
from satchel.runtime.tools.ask_user import Asker, AskUser
from satchel.runtime.tools.base import CallContext, Tool
from satchel.runtime.tools.calculator import Calculator
from satchel.runtime.tools.clock import Clock
from satchel.runtime.tools.egress import Egress
from satchel.runtime.tools.files import Files, PickedFolder
from satchel.runtime.tools.memory import Memory
from satchel.runtime.tools.notes import Notes
from satchel.runtime.tools.search_knowledge import KnowledgePassage, SearchKnowledge
from satchel.runtime.tools.secret_store import SecretStore

Setting = str | int | bool | list[str]


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What tools reach beyond their arguments."""

    notes: Path
    """The file of the assistant's memory."""
    sandbox: KnownSandbox
    secrets: Callable[[], SecretStore]
    """Opens the person's secrets; called when a service wants one."""
    subject: str
    """Whose secrets and grants count (`Subject.key`)."""
    knowledge: KnowledgeClient | None = None
    ask: Asker | None = None
    folders: Mapping[str, PickedFolder] = field(default_factory=dict)
    """Those that the person picked for this assistant."""
    image: ImageSettings = field(default_factory=ImageSettings)
    egress: Egress = field(default_factory=Egress)
    """The chat's one way out, whichever tool goes."""


def build_tools(assistant: LoadedAssistant, around: Surroundings) -> tuple[list[Tool], list[Warned]]:
    """Return the assistant's tools in the order of their names, and a warning for each that is not there."""
    makers = _makers(assistant, around)
    tools: list[Tool] = []
    missing: list[Warned] = []
    # Actions last: their functions are named by somebody's document, and take no name of ours.
    for name, wanted in sorted(assistant.tools.items(), key=lambda item: (item[0] == "http_action", item[0])):
        try:
            made = makers[name](wanted.settings, tools) if name in makers else [_UNKNOWN]
        except SatchelError as error:
            made = [error.message.rstrip(".")]
        for one in made:
            if isinstance(one, str):
                missing.append(Warned("tool-off", f"The tool {name} is off: {one}."))
            else:
                tools.append(one)
    return tools, missing


_UNKNOWN = "this version of Satchel does not know it"
_Made = Sequence["Tool | str"]
_Maker = Callable[[Mapping[str, Setting], Sequence[Tool]], _Made]
"""Makes tools from the settings, knowing those that there are, or says why there is none."""


def _makers(assistant: LoadedAssistant, around: Surroundings) -> dict[str, _Maker]:
    return {
        "ask_user": lambda _, __: [AskUser(around.ask)],
        "calculator": lambda _, __: [Calculator()],
        "clock": lambda _, __: [Clock()],
        "files": lambda _, __: [Files(around.folders, launch=around.sandbox.launch)],
        "http_action": lambda _, tools: _actions(assistant, around, tools),
        "image": lambda _, __: [_image(around)],
        "mcp": lambda _, __: [_mcp(assistant, around)],
        "memory": lambda _, __: [Memory(Notes(around.notes))],
        "python": lambda _, __: [_python(around)],
        "search_knowledge": lambda _, __: [_search(assistant, around.knowledge)],
        "web_fetch": lambda _, __: [_web_fetch(around)],
        "web_search": lambda settings, _: [_web_search(settings, around)],
    }


def _python(around: Surroundings) -> Tool | str:
    # Probing starts a process: only for those who want to run code.
    state = around.sandbox.state()
    if state.confinement is None:
        return f"the sandbox is {state.in_words}"
    from satchel.runtime.tools.python import Python

    return Python(state)


def _search(assistant: LoadedAssistant, knowledge: KnowledgeClient | None) -> Tool | str:
    if knowledge is None:
        return "there are no files to search"

    def search(query: str, count: int, _context: CallContext) -> list[KnowledgePassage]:
        summary = knowledge.open()
        found = knowledge.ask(query, k=count, quote=False)
        return [
            KnowledgePassage(one.text, one.file, one.page, label_of_file(assistant, summary, one.file))
            for one in found.passages
        ]

    return SearchKnowledge(search)


def _web_fetch(around: Surroundings) -> Tool:
    from satchel.runtime.tools.web_fetch import WebFetch

    return WebFetch(around.egress, launch=around.sandbox.launch)


def _web_search(settings: Mapping[str, Setting], around: Surroundings) -> Tool | str:
    from satchel.runtime.permissions.places import parse_place
    from satchel.runtime.tools.web_search import WebSearch, ddgs, searxng

    address = settings.get("searxng", "")
    if not address:
        return WebSearch(ddgs())
    place = parse_place(str(address))
    return WebSearch(searxng(place, around.egress)) if place else f'"{address}" is no address of a SearXNG'


def _image(around: Surroundings) -> Tool | str:
    from satchel.runtime.permissions.places import parse_address
    from satchel.runtime.tools.image import Image, ImageEndpoint

    address = parse_address(around.image.address)
    if address is None:
        return "no image endpoint is set; [image] in settings.toml takes its address"
    # The person wrote it into their own settings, so that it may be on this computer; for this tool alone.
    return Image(ImageEndpoint(address, around.image.model), around.egress.naming(address.place))


def _actions(assistant: LoadedAssistant, around: Surroundings, tools: Sequence[Tool]) -> _Made:
    from satchel.runtime.tools.assistant_secrets import secret_finder, wanted_by_actions
    from satchel.runtime.tools.http_action import HttpAction

    taken = {function.name for tool in tools for function in tool.functions}
    made: list[Tool | str] = []
    for file in assistant.tool_files.actions():
        if file.problem:
            made.append(file.problem.rstrip("."))
            continue
        operations = []
        for operation in file.operations:
            name = operation.function if operation.function not in taken else f"{file.name}_{operation.function}"[:64]
            if name in taken:
                made.append(f"{file.name} has an operation {operation.function}, and so has another document")
                continue
            taken.add(name)
            operations.append(replace(operation, function=name))
        wanted = wanted_by_actions(file.name, operations)
        finder = secret_finder(wanted, around.subject, around.secrets, around.egress)
        made.append(HttpAction("http_action", tuple(operations), around.egress, finder, launch=around.sandbox.launch))
    return made or ["there is no actions/*.openapi.json"]


def _mcp(assistant: LoadedAssistant, around: Surroundings) -> Tool | str:
    servers = assistant.tool_files.servers()
    if not servers:
        return "there is no server in mcp.json"
    from satchel.runtime.tools.assistant_secrets import ServerSecrets, wanted_by_server
    from satchel.runtime.tools.mcp import Mcp, RemoteServer, SpawnedServer
    from satchel.runtime.tools.mcp_file import secrets_of, with_secrets
    from satchel.runtime.tools.mcp_servers import McpServers

    def make(server: SpawnedServer | RemoteServer) -> Mcp:
        if secrets_of(server):
            server = with_secrets(server, ServerSecrets(around.secrets(), around.subject, wanted_by_server(server)))
        return Mcp(server, around.sandbox.state(), around.egress)

    return McpServers(servers, make)
