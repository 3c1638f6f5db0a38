//! `--link-local`: a user and network namespace in which the emulator has the service's own
//! addresses.
//!
//! Only this process and its children see the namespace, so that no real service is ever in the
//! way. It needs no privilege where the kernel lets users make namespaces.

use std::io::{Read as _, Write as _};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::process::{Child, Command, Stdio};

use rustix::io::Errno;

use crate::exit::Exit;
use crate::report::{self, Failure};

/// The service's addresses (EC2 User Guide, "Access instance metadata").
const IPV4: Ipv4Addr = Ipv4Addr::new(169, 254, 169, 254);
const IPV6: Ipv6Addr = Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254);
const PORT: u16 = 80;

/// Where the emulator listens in the namespace.
pub(super) const ADDRESSES: [SocketAddr; 2] =
    [SocketAddr::new(IpAddr::V4(IPV4), PORT), SocketAddr::new(IpAddr::V6(IPV6), PORT)];

/// Ends the helper that connects the namespace to the network.
pub(super) struct Network(Option<Child>);

impl Drop for Network {
    fn drop(&mut self) {
        if let Some(helper) = &mut self.0 {
            // Fails if it has ended, which is as good.
            let _ = helper.kill();
            let _ = helper.wait();
        }
    }
}

/// Moves this process, which must have one thread, into a new namespace with the service's
/// addresses; with `network`, the namespace gets a way out.
pub(super) fn enter(network: bool) -> Result<Network, Failure> {
    // Before the move: the helper stays where the network is.
    let mut helper = if network { Some(Helper::start()?) } else { None };
    let (user, group) = (rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw());
    unshare().map_err(refused)?;
    let map = |file: &str, text: String| {
        std::fs::write(file, text).map_err(|error| failed(&format!("cannot write `{file}`")).caused_by(error))
    };
    // A namespace that was made by root, without a user namespace, has the maps that it needs.
    if std::fs::read_to_string("/proc/self/uid_map").is_ok_and(|map| map.trim().is_empty()) {
        map("/proc/self/setgroups", "deny".to_owned())?;
        map("/proc/self/uid_map", format!("{user} {user} 1"))?;
        map("/proc/self/gid_map", format!("{group} {group} 1"))?;
    }
    netlink::set_up(IPV4, IPV6)
        .map_err(|errno| failed("cannot give the namespace the service's addresses").caused_by(errno))?;
    if let Some(helper) = &mut helper {
        helper.connect()?;
    } else {
        report::note(&"the command has no network but the metadata service; `--network` gives it one");
    }
    Ok(Network(helper.map(|helper| helper.process)))
}

fn failed(message: &str) -> Failure {
    Failure::told(Exit::Unexpected, message)
}

/// A network namespace; with a user namespace unless this process may do without.
#[allow(deprecated, reason = "the replacement is unsafe for the sake of a flag that is not used here")]
fn unshare() -> Result<(), Errno> {
    use rustix::thread::{UnshareFlags, unshare};
    unshare(UnshareFlags::NEWNET).or_else(|_| unshare(UnshareFlags::NEWUSER | UnshareFlags::NEWNET))
}

fn refused(errno: Errno) -> Failure {
    let failure = failed("cannot make a network namespace for `--link-local`").caused_by(errno);
    match errno {
        Errno::PERM | Errno::ACCESS => failure.hint(
            "this system lets no user make namespaces: as root, `sysctl -w kernel.unprivileged_userns_clone=1` \
             (Debian) or `kernel.apparmor_restrict_unprivileged_userns=0` (Ubuntu) allows it; in a container, give \
             it CAP_SYS_ADMIN",
        ),
        Errno::NOSPC | Errno::USERS => {
            failure.hint("`user.max_user_namespaces` or `user.max_net_namespaces` of this system is used up")
        }
        Errno::INVAL | Errno::NOSYS => failure.hint("this kernel has no user namespaces"),
        _ => failure,
    }
}

/// slirp4netns, which gives a namespace a way out without a privilege.
struct Helper {
    process: Child,
}

impl Helper {
    /// Starts a shell that waits for a line and becomes slirp4netns.
    fn start() -> Result<Self, Failure> {
        let found = Command::new("slirp4netns")
            .arg("--version")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success());
        if !found {
            return Err(failed("cannot give the command a network: there is no `slirp4netns`")
                .hint("install it (Debian: `apt install slirp4netns`), or leave `--network` out"));
        }
        let script = format!(
            "read -r _ || exit; exec slirp4netns --configure --mtu=65520 --disable-host-loopback --ready-fd=3 \
             {} tap0 3>&1 >/dev/null",
            std::process::id()
        );
        Command::new("sh")
            .args(["-c", &script])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map(|process| Self { process })
            .map_err(|error| failed("cannot run `sh`").caused_by(error))
    }

    /// Has it connect the namespace that this process is in now, and waits until it has.
    fn connect(&mut self) -> Result<(), Failure> {
        if let Some(mut stdin) = self.process.stdin.take() {
            // A shell that has ended says so below.
            let _ = stdin.write_all(b"\n");
        }
        let mut ready = [0];
        let read = self.process.stdout.take().map(|mut output| output.read(&mut ready));
        if matches!(read, Some(Ok(1))) {
            // Nobody reads what it says from now on, and it ends of no full pipe.
            if let Some(mut messages) = self.process.stderr.take() {
                std::thread::spawn(move || std::io::copy(&mut messages, &mut std::io::sink()));
            }
            return Ok(());
        }
        let _ = self.process.kill();
        let mut said = String::new();
        if let Some(messages) = self.process.stderr.take() {
            let _ = messages.take(1024).read_to_string(&mut said);
        }
        let said = imds_model::printable::escape(said.trim());
        Err(failed(&format!("cannot connect the namespace to the network: `slirp4netns` ended: {said}")))
    }
}

/// Requests to the kernel's routing table (rtnetlink(7)): a library for two of them would be larger
/// than this.
mod netlink {
    use std::net::{Ipv4Addr, Ipv6Addr};

    use rustix::io::Errno;
    use rustix::net::{
        AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, recv, send, socket_with,
    };

    const RTM_NEWLINK: u16 = 16;
    const RTM_NEWADDR: u16 = 20;
    const NLM_F_REQUEST_ACK: u16 = 1 | 4;
    const NLM_F_CREATE: u16 = 0x400;
    const IFF_UP: u32 = 1;
    /// The loopback interface is the first of every namespace.
    const LOOPBACK: u32 = 1;
    const AF_INET: u8 = 2;
    const AF_INET6: u8 = 10;
    const IFA_ADDRESS: u16 = 1;
    const IFA_LOCAL: u16 = 2;
    /// No duplicate address detection: nobody else is there.
    const IFA_F_NODAD: u8 = 2;

    /// Starts the loopback interface and gives it the two addresses.
    pub(super) fn set_up(ipv4: Ipv4Addr, ipv6: Ipv6Addr) -> Result<(), Errno> {
        let mut link = Vec::new();
        // ifinfomsg: family, padding, type, index, flags, change.
        link.extend_from_slice(&[0; 4]);
        link.extend_from_slice(&LOOPBACK.to_ne_bytes());
        link.extend_from_slice(&IFF_UP.to_ne_bytes());
        link.extend_from_slice(&IFF_UP.to_ne_bytes());
        request(RTM_NEWLINK, NLM_F_REQUEST_ACK, &link)?;
        request(RTM_NEWADDR, NLM_F_REQUEST_ACK | NLM_F_CREATE, &address(AF_INET, 32, &ipv4.octets()))?;
        match request(RTM_NEWADDR, NLM_F_REQUEST_ACK | NLM_F_CREATE, &address(AF_INET6, 128, &ipv6.octets()))
        {
            // A kernel without IPv6 has no such address to give.
            Err(Errno::OPNOTSUPP | Errno::AFNOSUPPORT) => Ok(()),
            result => result,
        }
    }

    /// ifaddrmsg: family, prefix length, flags, scope, index; then the address twice.
    fn address(family: u8, prefix: u8, octets: &[u8]) -> Vec<u8> {
        let mut message = vec![family, prefix, IFA_F_NODAD, 0];
        message.extend_from_slice(&LOOPBACK.to_ne_bytes());
        for kind in [IFA_LOCAL, IFA_ADDRESS] {
            let length = u16::try_from(4 + octets.len()).unwrap_or(u16::MAX);
            message.extend_from_slice(&length.to_ne_bytes());
            message.extend_from_slice(&kind.to_ne_bytes());
            message.extend_from_slice(octets);
        }
        message
    }

    /// Sends a request and reads its acknowledgement.
    fn request(kind: u16, flags: u16, body: &[u8]) -> Result<(), Errno> {
        let socket = socket_with(AddressFamily::NETLINK, SocketType::RAW, SocketFlags::CLOEXEC, None)?;
        let mut message = Vec::new();
        message.extend_from_slice(&u32::try_from(16 + body.len()).unwrap_or(u32::MAX).to_ne_bytes());
        message.extend_from_slice(&kind.to_ne_bytes());
        message.extend_from_slice(&flags.to_ne_bytes());
        // Sequence number and port: one request, answered on this socket.
        message.extend_from_slice(&[0; 8]);
        message.extend_from_slice(body);
        send(&socket, &message, SendFlags::empty())?;
        let mut answer = [0; 4096];
        let (_, length) = recv(&socket, &mut answer[..], RecvFlags::empty())?;
        // nlmsghdr, then an error number, negative; 0 acknowledges.
        let code = answer.get(16..20).filter(|_| length >= 20).ok_or(Errno::IO)?;
        match i32::from_ne_bytes([code[0], code[1], code[2], code[3]]) {
            0 => Ok(()),
            error => Err(Errno::from_raw_os_error(-error)),
        }
    }
}
