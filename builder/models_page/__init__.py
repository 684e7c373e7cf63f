"""The page "Models": what can speak on this computer, and what could be fetched."""
