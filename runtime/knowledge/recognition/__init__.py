"""Text out of pictures: what a recogniser finds on a page, as the lines that a PDF's own text has."""
