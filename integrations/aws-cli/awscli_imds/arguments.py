"""What the ``imds`` executable is given: its path, its arguments, its environment."""

import os

#: Names the executable where it is not ``imds`` on the PATH.
EXECUTABLE = "IMDS_EXECUTABLE"

#: Where packages install it. The PyPI package ``ec2-metadata`` installs another program of this name,
#: which a PATH may name first.
USUAL_PLACES = ("/usr/bin/imds", "/usr/local/bin/imds", os.path.expanduser("~/.cargo/bin/imds"))

#: The subcommands that print JSON with ``--output json``.
WITH_JSON = frozenset(
    "get list tree dump categories env token identity user-data credentials doctor".split()
)


def executable():
    """Returns the path of the executable; ``imds`` where it is not found."""
    named = os.environ.get(EXECUTABLE)
    if named:
        return named
    on_path = [os.path.join(directory, "imds") for directory in os.get_exec_path()]
    return next((path for path in [*on_path, *USUAL_PLACES] if is_ours(path)), "imds")


def is_ours(path):
    """Whether the file is a program and no script of Python, as other packages' ``imds`` are."""
    try:
        with open(path, "rb") as file:
            return os.access(path, os.X_OK) and file.read(4) == b"\x7fELF"
    except OSError:
        return False


def for_executable(args):
    """``aws imds get help`` is ``imds get --help``, as in the rest of the AWS CLI."""
    return [*args[:-1], "--help"] if args[-1] == "help" and "--" not in args else list(args)


def prints_json(args):
    """Whether the subcommand can print JSON."""
    subcommand = next((word for word in args if not word.startswith("-")), "")
    return "--help" not in args and ("/" in subcommand or subcommand in WITH_JSON)


def with_options(args, options):
    """Puts options in front of ``--``: what stands behind it is the user's command."""
    at = args.index("--") if "--" in args else len(args)
    return [*args[:at], *options, *args[at:]]


def environment(parsed_globals):
    """``--profile`` and ``--endpoint-url``, as the variables that all AWS tools read."""
    variables = dict(os.environ)
    if getattr(parsed_globals, "profile", None):
        variables["AWS_PROFILE"] = parsed_globals.profile
    if getattr(parsed_globals, "endpoint_url", None):
        variables["AWS_EC2_METADATA_SERVICE_ENDPOINT"] = parsed_globals.endpoint_url
    return variables
