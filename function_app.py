"""The Azure Functions app: registers the blueprints in functions/, nothing else."""

import azure.functions as func

from functions import dispatch, landing, my_sync, operator, sign_in, sync
from shared import logs

logs.configure()

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)
for blueprint in (landing, sign_in, my_sync, operator, dispatch, sync):
    app.register_functions(blueprint.blueprint)
