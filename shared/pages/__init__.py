"""The web pages: templates, their one stylesheet, and every English sentence people read."""
