"""What an assistant may do: capabilities, labels, grants, and the broker that decides (DESIGN 5)."""
