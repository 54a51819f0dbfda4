"""The sandbox and the app on this machine: processes, a scripted browser, a progress display."""
