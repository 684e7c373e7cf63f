"""What an assistant knows: extraction, passages, vectors, keyword index and search."""
