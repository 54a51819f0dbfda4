"""The web pages: the templates, the style sheet, and every English sentence that people read."""
