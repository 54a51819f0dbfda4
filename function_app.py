"""The Azure Functions app: registers the blueprints in functions/, nothing else."""

import azure.functions as func

from functions import (
    approval,
    dispatch,
    jobs,
    landing,
    my_sync,
    notices,
    readiness,
    sign_in,
    sync,
    webhook_deliveries,
)
from functions.api import routes
from functions.console import activation, groups, invitations, mailbox, mailboxes, moves, overview, webhooks
from functions.console import jobs as console_jobs
from shared import logs

logs.configure()

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)
CONSOLE = (overview, mailboxes, mailbox, groups, invitations, activation, moves, console_jobs, webhooks)
HTTP = (landing, sign_in, approval, my_sync, readiness, routes, *CONSOLE)
BACKGROUND = (dispatch, sync, webhook_deliveries, jobs, notices)
for module in (*HTTP, *BACKGROUND):
    app.register_functions(module.blueprint)
