"""What a pack asks for and carries, before anything of it runs."""
