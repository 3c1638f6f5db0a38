"""Every block of the documentation runs as it stands, against an emulator with the service's own
address."""

from __future__ import annotations

import pathlib
import re
import sys

import imds_client
import pytest

ROOT = pathlib.Path(__file__).parent.parent.parent
PAGES = ["python/README.md", "docs/python.md", "docs/python-migration.md"]
#: Packages that not every Python can import.
OTHERS = {
    "from boto.utils": sys.version_info < (3, 12),
    "from ec2imds": sys.version_info >= (3, 10),
}
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(page):
    text = (ROOT / page).read_text(encoding="utf-8")
    for match in BLOCK.finditer(text):
        line = text.count("\n", 0, match.start()) + 1
        # Lines keep their numbers, so that a failure names the page's.
        yield line, "\n" * line + match.group(1)


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.imds_emulator(link_local=True, tokens="optional")
def test_blocks_of_programs(imds_emulator, page):
    names = {"certificate": imds_emulator.certificate(), "imds_client": imds_client}
    run = 0
    programs = iter([block for block in blocks(page) if "def test_" not in block[1]])
    for line, code in programs:
        if any(package in code and not runs for package, runs in OTHERS.items()):
            # Nor the block beside it, which compares.
            next(programs)
            continue
        exec(compile(code, f"{page}:{line}", "exec"), names)
        run += 1
    assert run >= 1
    if "migration" not in page:
        imds_emulator.assert_imdsv2_only()


@pytest.mark.parametrize("page", PAGES[:2])
def test_blocks_of_tests(pytester, page):
    tests = [code for _, code in blocks(page) if "def test_" in code]
    assert tests
    pytester.makepyfile("import imds_client\n" + "\n".join(tests))
    result = pytester.runpytest_subprocess("--strict-markers", "-p", "no:cacheprovider")
    assert result.ret == 0


def test_the_reference_names_everything():
    page = (ROOT / "docs/python.md").read_text(encoding="utf-8")
    words = set(re.findall(r"\w+", page))
    public = {name for name in dir(imds_client.Client) if not name.startswith("_")}
    from imds_client.emulator import Emulator

    public |= {name for name in dir(Emulator) if not name.startswith("_")} - {"stop"}
    public |= {name for name in dir(imds_client) if name[0].isupper()} - {"TYPE_CHECKING"}
    assert public - words == set()
