"""The Azure Functions app: registers the blueprints in functions/, nothing else."""

import azure.functions as func

from functions import dispatch, landing, my_sync, operator_moves, operator_pages, sign_in, sync, webhook_deliveries
from functions.api import routes, webhooks
from shared import logs

logs.configure()

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)
PAGES = (landing, sign_in, my_sync, operator_pages, operator_moves)
API = (routes, webhooks)
BACKGROUND = (dispatch, sync, webhook_deliveries)
for module in (*PAGES, *API, *BACKGROUND):
    app.register_functions(module.blueprint)
