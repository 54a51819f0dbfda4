"""A local host for Azure Functions: what the real one does for this app, around Microsoft's own worker library.

    python -m sandbox.host --app . --port 7071 --certificate FILE --key FILE

It serves the app's HTTP routes over HTTPS on this machine alone, fires its timers and feeds its queue functions, as
host.json says. Settings come as the environment. In Azure the real host does all this.
"""
