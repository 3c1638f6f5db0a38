"""What the ``imds`` executable is given: its name, its arguments, its environment."""

import os

#: Names the executable where it is not ``imds`` on the PATH.
EXECUTABLE = "IMDS_EXECUTABLE"


def executable():
    return os.environ.get(EXECUTABLE) or "imds"


def for_executable(args):
    """``aws imds get help`` is ``imds get --help``, as in the rest of the AWS CLI."""
    return [*args[:-1], "--help"] if args[-1] == "help" else list(args)


def of_globals(parsed_globals, as_json):
    """The AWS CLI's global options that mean something to the executable.

    They go by the names that the AWS CLI does not keep for itself, so that plugin and alias are one command.
    """
    options = []
    query = getattr(parsed_globals, "query", None)
    if query is not None:
        # The AWS CLI has parsed the expression by now; the text is kept beside.
        options += ["--select", getattr(query, "expression", query)]
    if as_json:
        options += ["--format", "json"]
    elif parsed_globals.output is not None:
        options += ["--format", parsed_globals.output]
    return options


def environment(parsed_globals):
    """``--profile`` and ``--endpoint-url``, as the variables that all AWS tools read."""
    variables = dict(os.environ)
    if getattr(parsed_globals, "profile", None):
        variables["AWS_PROFILE"] = parsed_globals.profile
    if getattr(parsed_globals, "endpoint_url", None):
        variables["AWS_EC2_METADATA_SERVICE_ENDPOINT"] = parsed_globals.endpoint_url
    return variables
