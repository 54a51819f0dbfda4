"""The Azure Functions app: registers the blueprints in functions/, nothing else."""

import azure.functions as func

from functions import dispatch, landing, my_sync, operator_moves, operator_pages, sign_in, sync
from functions.api import mailboxes, moves, onboarding
from shared import logs

logs.configure()

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)
for module in (landing, sign_in, my_sync, operator_pages, operator_moves, mailboxes, moves, onboarding, dispatch, sync):
    app.register_functions(module.blueprint)
