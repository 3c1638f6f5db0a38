"""The command ``aws imds``: a plugin for the AWS CLI that runs the ``imds`` executable."""

from awscli_imds.command import ImdsCommand


def awscli_initialize(event_handlers):
    """Called by the AWS CLI for each plugin that its config file names."""
    event_handlers.register("building-command-table.main", ImdsCommand.add_command)
