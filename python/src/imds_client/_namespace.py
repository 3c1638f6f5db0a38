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
# <linux/sockios.h>, <linux/netlink.h>, <linux/rtnetlink.h>, <linux/if_addr.h>, <net/if.h>
_SIOCSIFFLAGS = 0x8914
_NETLINK_ROUTE = 0
_RTM_NEWADDR = 20
#: NLM_F_REQUEST, NLM_F_ACK, NLM_F_CREATE
_REQUEST = 0x1 | 0x4 | 0x400
_IFA_ADDRESS = 1
_IFA_LOCAL = 2
_IFA_F_NODAD = 0x2
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
        fcntl.ioctl(control, _SIOCSIFFLAGS, struct.pack("=16sH22x", b"lo", _IFF_UP))
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _NETLINK_ROUTE) as control:
        _add_address(control, socket.AF_INET, IPV4)
        if has_ipv6():
            _add_address(control, socket.AF_INET6, IPV6)


def _add_address(control: socket.socket, family: int, address: str) -> None:
    """Give the loopback device an address: rtnetlink(7)."""
    packed = socket.inet_pton(family, address)
    # Without duplicate address detection, so that it can be listened on at once.
    body = struct.pack("=BBBBI", family, 8 * len(packed), _IFA_F_NODAD, 0, _LOOPBACK)
    for attribute in (_IFA_LOCAL, _IFA_ADDRESS):
        body += struct.pack("=HH", 4 + len(packed), attribute) + packed
    control.send(struct.pack("=IHHII", 16 + len(body), _RTM_NEWADDR, _REQUEST, 1, 0) + body)
    # nlmsghdr, then the negative error code.
    (code,) = struct.unpack_from("=i", control.recv(4096), 16)
    if code != 0:
        raise OSError(-code, f"cannot add {address} to lo: {os.strerror(-code)}")


def has_ipv6() -> bool:
    """Return whether the kernel has IPv6 in this namespace."""
    return os.path.exists("/proc/self/net/if_inet6")
