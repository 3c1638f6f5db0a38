//! The kernel part: loads it, attaches it to a cgroup, reads what it sends, and says why where that
//! cannot be.
//!
//! Everything is held by file descriptors of this process (links, not `BPF_PROG_ATTACH`), so the
//! kernel detaches and frees it all when the process ends, however it ends.

use std::fs::File;
use std::io;
use std::net::IpAddr;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::{Path, PathBuf};

use aya::maps::{Array, MapData, MapError, RingBuf};
use aya::programs::{CgroupAttachMode, CgroupSkb, CgroupSkbAttachType, CgroupSockAddr, ProgramError};
use aya::{Ebpf, EbpfError, EbpfLoader};

use super::requirements;
use crate::endpoint::Endpoint;
use crate::failure::{Exit, Failure};
use crate::trace::event::Lost;

/// Compiled from `bpf/trace.bpf.c` by `bpf/build`; little-endian, as every machine that EC2 has.
static OBJECT: &[u8] = include_bytes!("../../bpf/trace.bpf.o");

/// Endpoints that the kernel part has room for.
pub(crate) const MOST_ENDPOINTS: usize = 4;
/// `CGROUP2_SUPER_MAGIC` of `linux/magic.h`.
const CGROUP2: rustix::fs::FsWord = 0x6367_7270;
/// `struct endpoint` of the kernel part: four words of the address, and the port, in network byte
/// order.
const ENDPOINT_BYTES: usize = 20;

/// The attached kernel part.
pub(crate) struct Kernel {
    ring: RingBuf<MapData>,
    lost: Array<MapData, u64>,
    /// Holds the programs and their links.
    _programs: Ebpf,
}

impl Kernel {
    /// Loads the programs and attaches them to `cgroup`, so that they see every process in it and
    /// below.
    pub(crate) fn attach(cgroup: &Path, endpoints: &[Endpoint], buffer: u32) -> Result<Self, Failure> {
        let directory = File::open(cgroup).map_err(|error| {
            Failure::new(Exit::Usage, format!("cannot open the cgroup `{}`", cgroup.display()))
                .caused_by(error)
        })?;
        let on = rustix::fs::fstatfs(&directory).map(|system| system.f_type);
        if on.is_ok_and(|kind| kind != CGROUP2) {
            return Err(Failure::new(Exit::Usage, format!("cannot trace the cgroup `{}`", cgroup.display()))
                .caused_by("it is not a directory of the cgroup v2 tree"));
        }
        requirements::check()?;
        let table = encode(endpoints);
        let mut programs = EbpfLoader::new()
            .btf(None)
            .override_global("endpoints", &table, true)
            .map_max_entries("EVENTS", buffer)
            .load(OBJECT)
            .map_err(|error| why(&error))?;
        for name in ["connect4", "connect6"] {
            let program: &mut CgroupSockAddr = program(&mut programs, name)?;
            let attached = program.load().and_then(|()| program.attach(&directory, CgroupAttachMode::Single));
            attached.map_err(|error| why_program(name, &error, cgroup))?;
        }
        for (name, hook) in
            [("egress", CgroupSkbAttachType::Egress), ("ingress", CgroupSkbAttachType::Ingress)]
        {
            let program: &mut CgroupSkb = program(&mut programs, name)?;
            let attached =
                program.load().and_then(|()| program.attach(&directory, hook, CgroupAttachMode::Single));
            attached.map_err(|error| why_program(name, &error, cgroup))?;
        }
        let ring = taken(&mut programs, "EVENTS", RingBuf::try_from)?;
        let lost = taken(&mut programs, "LOST", Array::try_from)?;
        Ok(Self { ring, lost, _programs: programs })
    }

    /// Gives `take` each event that is in the ring buffer.
    pub(crate) fn drain(&mut self, mut take: impl FnMut(&[u8])) {
        while let Some(event) = self.ring.next() {
            take(&event);
        }
    }

    /// The events that were lost until now.
    pub(crate) fn lost(&self) -> Result<Lost, Failure> {
        let count = |kind: u32| {
            self.lost.get(&kind, 0).map_err(|error| {
                Failure::new(Exit::Failed, "cannot read the count of lost events").caused_by(error)
            })
        };
        Ok(Lost { connects: count(1)?, requests: count(2)?, answers: count(3)?, ends: count(4)? })
    }
}

impl AsFd for Kernel {
    /// Readable when there are events.
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.ring.as_fd()
    }
}

fn program<'p, P>(programs: &'p mut Ebpf, name: &str) -> Result<&'p mut P, Failure>
where
    &'p mut P: TryFrom<&'p mut aya::programs::Program>,
{
    programs.program_mut(name).and_then(|program| program.try_into().ok()).ok_or_else(|| missing(name))
}

fn taken<T>(
    programs: &mut Ebpf,
    name: &str,
    convert: impl FnOnce(aya::maps::Map) -> Result<T, MapError>,
) -> Result<T, Failure> {
    let map = programs.take_map(name).ok_or_else(|| missing(name))?;
    convert(map).map_err(|error| {
        Failure::new(Exit::Unsupported, format!("cannot map `{name}` of the kernel part")).caused_by(error)
    })
}

fn missing(name: &str) -> Failure {
    Failure::new(Exit::Failed, format!("the kernel part has no `{name}`"))
}

/// The endpoints as the kernel part has them; unused places have port 0.
fn encode(endpoints: &[Endpoint]) -> [u8; ENDPOINT_BYTES * MOST_ENDPOINTS] {
    let mut table = [0; ENDPOINT_BYTES * MOST_ENDPOINTS];
    for (place, endpoint) in table.chunks_exact_mut(ENDPOINT_BYTES).zip(endpoints) {
        let address = match endpoint.address {
            IpAddr::V4(address) => address.to_ipv6_mapped(),
            IpAddr::V6(address) => address,
        };
        place[..16].copy_from_slice(&address.octets());
        place[16..18].copy_from_slice(&endpoint.port.to_be_bytes());
    }
    table
}

/// Where the cgroup v2 tree is mounted, by the text of `/proc/self/mounts`.
pub(crate) fn cgroup2_root(mounts: &str) -> Option<PathBuf> {
    mounts.lines().find_map(|line| {
        let mut words = line.split(' ');
        let (place, kind) = (words.nth(1)?, words.next()?);
        (kind == "cgroup2").then(|| PathBuf::from(place.replace("\\040", " ")))
    })
}

fn why(error: &EbpfError) -> Failure {
    match error {
        EbpfError::MapError(MapError::CreateError { name, io_error }) => {
            refusal(&format!("cannot create the map `{name}`"), io_error)
        }
        other => Failure::new(Exit::Failed, "cannot load the kernel part").caused_by(other),
    }
}

fn why_program(name: &str, error: &ProgramError, cgroup: &Path) -> Failure {
    match error {
        ProgramError::LoadError { io_error, verifier_log } => {
            let failure = refusal(&format!("cannot load the program `{name}`"), io_error);
            let log = verifier_log.to_string();
            // The verifier ends its log with figures; what it objects to stands before them.
            let figures = ["processed ", "stack depth ", "verification time "];
            let objection = log
                .lines()
                .rev()
                .find(|line| !line.is_empty() && !figures.iter().any(|figure| line.starts_with(figure)));
            match objection {
                Some(line) => failure.hint(format!("the kernel's verifier says: {line}")),
                None => failure,
            }
        }
        ProgramError::SyscallError(error) => {
            refusal(&format!("cannot attach the program `{name}` to `{}`", cgroup.display()), &error.io_error)
        }
        other => Failure::new(Exit::Failed, format!("cannot load the program `{name}`")).caused_by(other),
    }
}

/// What a refused `bpf` system call means.
fn refusal(doing: &str, error: &io::Error) -> Failure {
    match error.raw_os_error() {
        // EPERM. EACCES is the verifier's.
        Some(1) => Failure::new(Exit::Refused, doing).caused_by(error).hint(requirements::hint_for_refusal()),
        // EINVAL, ENOSYS, EOPNOTSUPP, ENOTSUPP: the kernel does not know it.
        Some(22 | 38 | 95 | 524) => Failure::new(Exit::Unsupported, doing)
            .caused_by(error)
            .hint("the kernel must be 5.8 or later, with CONFIG_BPF_SYSCALL and CONFIG_CGROUP_BPF"),
        _ => Failure::new(Exit::Failed, doing).caused_by(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cgroup2_tree_wherever_it_is_mounted() {
        let hybrid =
            "cgroup /sys/fs/cgroup/cpu cgroup rw,cpu 0 0\ncgroup2 /sys/fs/cgroup/unified cgroup2 rw 0 0\n";
        assert_eq!(cgroup2_root(hybrid), Some("/sys/fs/cgroup/unified".into()));
        assert_eq!(cgroup2_root("x /run/my\\040tree cgroup2 rw 0 0\n"), Some("/run/my tree".into()));
        assert_eq!(cgroup2_root("cgroup /sys/fs/cgroup/cpu cgroup rw,cpu 0 0\n"), None);
        assert_eq!(cgroup2_root(""), None);
    }

    #[test]
    fn endpoints_as_the_kernel_part_has_them() {
        let endpoints = [Endpoint::parse("169.254.169.254"), Endpoint::parse("[fd00:ec2::254]:8080")];
        let table = encode(&endpoints.map(Result::unwrap));
        assert_eq!(table[..20], [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 169, 254, 169, 254, 0, 80, 0, 0]);
        assert_eq!(table[20..26], [0xfd, 0, 0x0e, 0xc2, 0, 0]);
        assert_eq!(table[36..40], [0x1f, 0x90, 0, 0]);
        assert!(table[40..].iter().all(|byte| *byte == 0));
    }

    #[test]
    fn refusals_by_what_the_kernel_says() {
        let code = |number: i32| refusal("cannot load", &io::Error::from_raw_os_error(number)).code();
        assert_eq!((code(1), code(22), code(38), code(12)), (5, 4, 4, 1));
        let report = refusal("cannot load the program `x`", &io::Error::from_raw_os_error(22)).report();
        assert!(report.contains("error: cannot load the program `x`: Invalid argument"), "{report}");
        assert!(report.contains("hint: the kernel must be 5.8 or later"), "{report}");
    }
}
