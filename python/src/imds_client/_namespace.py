"""A network namespace for the calling thread, in which the service's own addresses are loopback's.

Needs CAP_SYS_ADMIN: a user namespace cannot be left again, so one is never made here.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import socket
import struct
import sys

from . import _native

IPV4 = "169.254.169.254"
IPV6 = "fd00:ec2::254"

_CLONE_NEWNET = 0x40000000
# <linux/sockios.h>, <net/if.h>
_SIOCSIFADDR = 0x8916
_SIOCSIFFLAGS = 0x8914
_SIOCSIFNETMASK = 0x891C
_IFF_UP = 0x1
_LOOPBACK = 1


class Namespace:
    """A new network namespace, entered by the calling thread until :meth:`leave`."""

    def __init__(self) -> None:
        if not sys.platform.startswith("linux"):
            raise OSError("cannot own the service's addresses: network namespaces are Linux's")
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._home = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        try:
            self._call("unshare", _CLONE_NEWNET)
        except OSError as error:
            os.close(self._home)
            raise PermissionError(
                error.errno,
                "cannot make a network namespace for link_local=True: it needs root; "
                "run the tests as root, or by `unshare --map-root-user --net "
                "sh -c 'ip link set lo up; exec pytest'`",
            ) from None
        try:
            _own_addresses()
        except BaseException:
            self.leave()
            raise
        _native.after_move()

    def leave(self) -> None:
        """Return to the namespace that the thread came from."""
        try:
            self._call("setns", self._home, _CLONE_NEWNET)
        finally:
            os.close(self._home)
            _native.after_move()

    def _call(self, name: str, *arguments: int) -> None:
        if getattr(self._libc, name)(*arguments) != 0:
            code = ctypes.get_errno()
            raise OSError(code, os.strerror(code))


def _own_addresses() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:

        def request(number: int, name: bytes, value: bytes) -> None:
            fcntl.ioctl(control, number, struct.pack("16s24s", name, value))

        def address(text: str) -> bytes:
            return struct.pack("=HH4s", socket.AF_INET, 0, socket.inet_aton(text))

        request(_SIOCSIFFLAGS, b"lo", struct.pack("=H", _IFF_UP))
        request(_SIOCSIFADDR, b"lo:imds", address(IPV4))
        request(_SIOCSIFNETMASK, b"lo:imds", address("255.255.255.255"))
    if has_ipv6():
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as control:
            packed = struct.pack("=16sIi", socket.inet_pton(socket.AF_INET6, IPV6), 128, _LOOPBACK)
            fcntl.ioctl(control, _SIOCSIFADDR, packed)


def has_ipv6() -> bool:
    """Return whether the kernel has IPv6 in this namespace."""
    return os.path.exists("/proc/self/net/if_inet6")
