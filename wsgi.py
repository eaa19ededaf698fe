"""The API's entry point, and that of `flask --app wsgi`: commands may know the workers' code."""

from app import create_app_or_exit
from workers.commands.installed_models import models

app = create_app_or_exit()
app.cli.add_command(models)
