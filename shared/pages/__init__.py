"""The web pages: the templates, the style sheet, and every sentence that people read, in English and German."""
