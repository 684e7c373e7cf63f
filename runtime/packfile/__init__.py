"""The pack file: one canonical form, its writer, its opener and the store of installed packs (see README.md)."""
