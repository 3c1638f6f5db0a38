"""``python -m imds_client get PATH...``: values for a shell, with the exit codes of ``imds``."""

from __future__ import annotations

import argparse
import json
import sys
from typing import NoReturn

from ._client import Client
from ._errors import Disabled, ImdsError, NotFound, Unreachable


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m imds_client",
        description="Read the EC2 instance metadata service.",
        epilog="Exit codes: 0 done, 1 unexpected, 2 usage or configuration, 3 does not exist, "
        "4 cannot be reached, 5 refused, 6 busy or failing after retries.",
    )
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    get = commands.add_parser("get", help="print values", description="Print the values at paths.")
    get.add_argument("paths", nargs="+", metavar="PATH", help="path, such as placement/region")
    get.add_argument("--default", metavar="VALUE", help="print VALUE for a path that does not exist")
    get.add_argument(
        "--output", "-o", choices=("text", "json"), default="text", help="output format (default: text)"
    )
    get.add_argument("--endpoint", metavar="URL", help="endpoint of the service, http://HOST[:PORT][/PREFIX]")
    get.add_argument("--endpoint-mode", metavar="MODE", help="endpoint mode: IPv4, IPv6, or auto")
    get.add_argument("--profile", metavar="NAME", help="profile of the AWS config file")
    get.add_argument(
        "--timeout", metavar="SECONDS", type=float, help="time limit for the whole command (default: 10)"
    )
    return parser


def _get(args: argparse.Namespace) -> None:
    client = Client(
        endpoint=args.endpoint, mode=args.endpoint_mode, profile=args.profile, timeout=args.timeout
    )
    if args.output == "json":
        default = {} if args.default is None else {"default": args.default}
        values = client.get_many(args.paths, **default)
        document = values[args.paths[0]] if len(args.paths) == 1 else values
        sys.stdout.write(json.dumps(document, indent=2) + "\n")
        return
    if len(args.paths) == 1:
        value = _single(client, args.paths[0], args.default)
        sys.stdout.buffer.write(value)
        # A newline for a terminal; a pipe gets the value byte for byte.
        if sys.stdout.isatty() and not value.endswith(b"\n"):
            sys.stdout.buffer.write(b"\n")
        return
    default = {} if args.default is None else {"default": args.default}
    for path, text in client.get_many(args.paths, **default).items():
        if "\n" in text:
            _fail(2, f"the value of `{path}` holds a line feed", "use `--output json`")
        sys.stdout.write(text + "\n")


def _single(client: Client, path: str, default: str | None) -> bytes:
    try:
        return client.get_bytes(path)
    except NotFound:
        if default is None:
            raise
        return default.encode()


def _fail(code: int, message: str, hint: str | None = None) -> NoReturn:
    sys.stderr.write(f"error: {message}\n")
    if hint is not None:
        sys.stderr.write(f"hint: {hint}\n")
    raise SystemExit(code)


def _hint(error: ImdsError) -> str | None:
    if isinstance(error, Disabled):
        return "unset `AWS_EC2_METADATA_DISABLED` to ask the service"
    if isinstance(error, Unreachable) and error.is_stalled and error.is_token_fetch:
        return "in a container, a hop limit (`HttpPutResponseHopLimit`) of 1 loses the answer; set it to 2"
    if isinstance(error, Unreachable):
        return "off an EC2 instance there is no such service"
    return None


def main(arguments: list[str] | None = None) -> None:
    """Run the command; exits with its code if it fails."""
    args = _parser().parse_args(arguments)
    try:
        _get(args)
        sys.stdout.flush()
    except ImdsError as error:
        _fail(error.exit_code, str(error), _hint(error))
    except ValueError as error:
        _fail(2, str(error))
    except BrokenPipeError:
        # The reader has gone: not an error.
        sys.stderr.close()


if __name__ == "__main__":
    main()
