"""The Azure Functions app: registers the doors in functions/, nothing else."""

import azure.functions as func

from functions import admin, dispatch, landing, my_sync, sign_in, sync
from shared import logs

logs.configure()

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)
for door in (landing, sign_in, my_sync, admin, dispatch, sync):
    app.register_functions(door.blueprint)
