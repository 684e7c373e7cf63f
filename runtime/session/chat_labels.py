"""What the model has seen in a turn, and how far each piece of it can be relied on (DESIGN 5's table)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from satchel.runtime.knowledge.answers import FoundPassage, KnowledgeSummary
from satchel.runtime.permissions.labels import RECEIVED_PACK, Label, knowledge_label, restored
from satchel.runtime.permissions.places import addresses_in
from satchel.runtime.permissions.provenance import Labelled
from satchel.runtime.session.assistant import LoadedAssistant
from satchel.runtime.session.history import Message

LABEL = "label"
"""The key under which a message keeps the label of all that the model saw when it wrote it."""


@dataclass(slots=True)
class ChatLabels:
    """The labels of one turn; they only ever fall."""

    message: Labelled
    """The person's current message."""
    values: list[Labelled]
    """Everything else that has a label of its own: instructions, passages, earlier messages, results."""
    context: Label
    """Join of all of it."""
    typed_addresses: frozenset[str] = frozenset()
    search_links: frozenset[str] = frozenset()

    def add(self, text: str, label: Label) -> None:
        """Note a text that the model sees from now on."""
        self.values.append(Labelled(text, label))
        self.context = self.context.joined(label)


def labels_of_turn(assistant: LoadedAssistant, typed: Label, message: str, earlier: Iterable[Message]) -> ChatLabels:
    """Return the labels of a turn that begins: the assistant's own words, the messages before, and the new one.

    An earlier answer without a label (from before there were any) counts as the lowest.
    """
    authors = RECEIVED_PACK if assistant.is_received else typed
    labels = ChatLabels(Labelled(message, typed), [], typed)
    for text in (assistant.instructions, *(part for one in assistant.examples for part in (one.question, one.answer))):
        if text:
            labels.add(text, authors)
    addresses = set(addresses_in(message))
    for one in earlier:
        is_typed = one.role == "user"
        labels.add(one.text, typed if is_typed else restored(one.labels.get(LABEL)))
        if is_typed:
            addresses |= addresses_in(one.text)
    labels.typed_addresses = frozenset(addresses)
    return labels


def add_passages(
    labels: ChatLabels, assistant: LoadedAssistant, summary: KnowledgeSummary, passages: Sequence[FoundPassage]
) -> None:
    """Note the passages that the model is shown."""
    for one in passages:
        labels.add(one.text, label_of_file(assistant, summary, one.file))


def label_of_file(assistant: LoadedAssistant, summary: KnowledgeSummary, file: str) -> Label:
    """Return the label of a knowledge file; the ticks of a received one's author count for nothing yet."""
    own = not assistant.is_received
    return knowledge_label(trusted=own and file in summary.trusted, public=own and file in summary.public)
