"""A local host for Azure Functions: does what the real host does for this app, with Microsoft's own worker library.

python -m sandbox.host --app . --port 7071 --certificate FILE --key FILE

It serves the app's HTTP routes over HTTPS on this machine only, fires its timers, and runs its queue functions as
host.json says. Settings come from the environment. In Azure the real host does all this.
"""
