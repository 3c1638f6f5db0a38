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
    SYNOPSIS = "aws imds <command> [parameters] [--query <value>] [--output json|text|table|yaml]"
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
        query = getattr(parsed_globals, "query", None)
        output = parsed_globals.output
        environment = arguments.environment(parsed_globals)
        has_json = arguments.prints_json(args)
        if query is not None and not has_json:
            raise ValueError("--query: this command prints no JSON")
        executable = arguments.executable()
        try:
            if not has_json or (query is None and output in (None, "text")):
                if has_json and output == "text" and not _names_a_format(args):
                    args = arguments.with_options(args, ["--output", "text"])
                return subprocess.call([executable, *args], env=environment)
            command = [executable, *arguments.with_options(args, ["--output", "json"])]
            result = subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=False)
        except FileNotFoundError:
            raise ValueError(
                f"the executable {executable} is not installed: install imds, or name it in IMDS_EXECUTABLE"
            ) from None
        if result.returncode == 0:
            self._show(json.loads(result.stdout), parsed_globals)
        return result.returncode

    @staticmethod
    def _show(value, parsed_globals):
        """Renders JSON as the AWS CLI renders every answer, ``--query`` included."""
        output = parsed_globals.output or "json"
        if not isinstance(value, dict):
            # The formatters take objects; a query takes any value.
            if parsed_globals.query is not None:
                value = parsed_globals.query.search(value)
                parsed_globals.query = None
            if output in ("json", "text") and not isinstance(value, (dict, list)):
                print(json.dumps(value) if output == "json" else "None" if value is None else value)
                return
            if output == "table" and not isinstance(value, dict):
                value = {"Value": value}
        get_formatter(output, parsed_globals)("imds", value)


def _names_a_format(args):
    return any(word in ("--format", "-o") or word.startswith("--format=") for word in args)
