"""A conversation as the text that a model was trained on: by the GGUF's own chat template, else ChatML."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import msgspec

from satchel.runtime.engine.base import ChatMessage, Note
from satchel.runtime.engine.errors import TemplateError
from satchel.runtime.engine.special_text import Guard, SpecialTexts
from satchel.runtime.engine.template_limits import CompiledTemplate

CHATML = """\
{%- for message in messages -%}
{{ '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>\\n' }}
{%- endfor -%}
{%- if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif -%}
"""
"""What a model without a template is given; its marks are then plain text to most such models, and end an answer."""
CHATML_STOPS = ("<|im_end|>", "<|im_start|>")

CALL_TAG = "<tool_call>"
"""What a call begins with in the documented form (DESIGN 3.2), and in that of many models."""
_PROBE = (ChatMessage("user", "Hello"),)


class ChatTemplate:
    """Renders conversations for one model."""

    def __init__(
        self,
        source: str | None,
        *,
        with_tools: str | None = None,
        bos: str = "",
        eos: str = "",
        control_texts: Sequence[str] = (),
        mark_texts: Sequence[str] = (),
    ) -> None:
        """`source` is the model's own template, `with_tools` the one it has for conversations with tools.

        A template that cannot be compiled, or fails on a single "Hello", is replaced by ChatML, with a note.
        """
        self.notes: list[Note] = []
        self._variables = {"bos_token": bos, "eos_token": eos}
        self._control = SpecialTexts(control_texts)
        self._control_and_marks = SpecialTexts([*control_texts, *mark_texts])
        self._with_tools: CompiledTemplate | None = None
        self.opens_thinking = False
        """Ends a prompt with `<think>`, as templates of reasoning models do."""
        own = self._usable(source)
        self.kind: Literal["model", "chatml"] = "chatml" if own is None else "model"
        self._template = own or CompiledTemplate(CHATML)
        if own is None:
            self._control = SpecialTexts([*control_texts, *CHATML_STOPS])
            self._control_and_marks = SpecialTexts([*control_texts, *mark_texts, *CHATML_STOPS])
        elif with_tools is not None:
            self._with_tools = CompiledTemplate(with_tools)
        with_tools = with_tools if with_tools is not None else source
        # Calls in another form than this one would pass unseen; such models are told of it in the prompt.
        self.mentions_tools = self.kind == "model" and "tools" in (with_tools or "") and CALL_TAG in (with_tools or "")
        self.digest_source = source if self.kind == "model" and source is not None else CHATML

    @property
    def stops(self) -> tuple[str, ...]:
        """Texts that end an answer because the model has no token for it."""
        return CHATML_STOPS if self.kind == "chatml" else ()

    def render(
        self,
        messages: Sequence[ChatMessage],
        tools: Sequence[dict[str, Any]] | None = None,
    ) -> tuple[list[str], tuple[Note, ...]]:
        """Return the prompt in pieces, each to be tokenised by itself with special tokens parsed, and notes.

        Raises:
            TemplateError: the template refuses the conversation, fails, or takes too long.
        """
        try:
            return self._render(messages, tools), ()
        except TemplateError as error:
            folded = _without_system(messages)
            if folded is None:
                raise
            try:
                pieces = self._render(folded, tools)
            except TemplateError:
                raise error from None
            text = "The model takes no system message: the instructions stand before the first question."
            return pieces, (Note("no-system-role", text),)

    def _render(self, messages: Sequence[ChatMessage], tools: Sequence[dict[str, Any]] | None) -> list[str]:
        template = self._with_tools if tools and self._with_tools is not None else self._template
        return self._render_with(template, messages, tools)

    def _render_with(
        self,
        template: CompiledTemplate,
        messages: Sequence[ChatMessage],
        tools: Sequence[dict[str, Any]] | None,
    ) -> list[str]:
        guard = Guard(self._control_and_marks, self._control)
        variables: dict[str, Any] = {
            **self._variables,
            "messages": guard.protect([_plain(message) for message in messages]),
            "tools": guard.protect_tools(tools) or None,
            "documents": None,
            "add_generation_prompt": True,
        }
        return guard.pieces(template.render(variables))

    def _usable(self, source: str | None) -> CompiledTemplate | None:
        if source is None or not source.strip():
            text = "The model brings no chat template; ChatML is used, which it may not have been trained on."
            self.notes.append(Note("no-chat-template", text))
            return None
        try:
            template = CompiledTemplate(source)
            self.opens_thinking = "".join(self._render_with(template, _PROBE, None)).rstrip().endswith("<think>")
        except TemplateError as error:
            text = f"The model's chat template cannot be used ({error.fields['reason']}); ChatML is used instead."
            self.notes.append(Note("bad-chat-template", text))
            return None
        return template


def _plain(message: ChatMessage) -> dict[str, Any]:
    """Return a message as templates take it: OpenAI's form, arguments as an object."""
    plain: dict[str, Any] = {"role": message.role, "content": message.content}
    if message.name:
        plain["name"] = message.name
    if message.tool_calls:
        plain["tool_calls"] = [
            {"type": "function", "function": msgspec.to_builtins(call)} for call in message.tool_calls
        ]
    return plain


def _without_system(messages: Sequence[ChatMessage]) -> list[ChatMessage] | None:
    """Return the conversation with the system message put before the first user message; None where there is none."""
    if len(messages) < 2 or messages[0].role != "system" or messages[1].role != "user":  # noqa: PLR2004 - a pair
        return None
    first, second, *rest = messages
    content = f"{first.content}\n\n{second.content}".strip()
    return [msgspec.structs.replace(second, content=content), *rest]
