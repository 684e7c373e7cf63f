"""The first page: the person's assistants and their last chats."""
