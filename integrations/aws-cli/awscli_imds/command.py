"""``aws imds``: the AWS CLI's global options are translated, everything else is handed on as it stands."""

import json
import subprocess

from awscli.customizations.commands import BasicCommand
from awscli.formatter import get_formatter

from awscli_imds import arguments


class ImdsCommand(BasicCommand):
    NAME = "imds"
    DESCRIPTION = (
        "Reads the instance metadata service (IMDS) of the EC2 instance that this runs on, with session tokens "
        "handled. The command is that of the ``imds`` executable, which must be installed; ``aws imds COMMAND "
        "help`` shows the options of one command, and ``imds --help`` all commands."
    )
    SYNOPSIS = "aws imds <command> [parameters] [--query <value>] [--output json|text|table]"
    EXAMPLES = (
        "**To print the user data of the instance**\n\n"
        "The following prints the user data byte for byte. ::\n\n"
        "    aws imds get --path /latest/user-data\n\n"
        "**To take one field out of a JSON value**\n\n"
        "The following prints the account from the instance identity document. ::\n\n"
        "    aws imds get dynamic/instance-identity/document --query accountId --output text\n"
    )

    def __call__(self, args, parsed_globals):
        if not args or args[0] == "help":
            return super().__call__(args or ["help"], parsed_globals)
        return self._run(arguments.for_executable(args), parsed_globals)

    def _run(self, args, parsed_globals):
        table = parsed_globals.output not in (None, "json", "text")
        command = [arguments.executable(), *args]
        command += arguments.of_globals(parsed_globals, as_json=table)
        environment = arguments.environment(parsed_globals)
        try:
            if not table:
                return subprocess.call(command, env=environment)
            result = subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=False)
        except FileNotFoundError:
            raise ValueError(
                f"the executable {command[0]} is not installed: install imds, or name it in IMDS_EXECUTABLE"
            ) from None
        if result.returncode == 0:
            self._show(json.loads(result.stdout), parsed_globals)
        return result.returncode

    @staticmethod
    def _show(value, parsed_globals):
        """Renders JSON in a format that only the AWS CLI has; ``--query`` was applied by the executable."""
        parsed_globals.query = None
        if not isinstance(value, dict):
            value = {"Value": value}
        get_formatter(parsed_globals.output, parsed_globals)("imds", value)
