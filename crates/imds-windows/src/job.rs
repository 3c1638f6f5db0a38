//! Job objects: processes that end together.

use std::io;
use std::os::windows::io::{AsRawHandle as _, FromRawHandle as _, OwnedHandle};
use std::process::Child;

use windows_sys::Win32::Foundation::HANDLE;
use windows_sys::Win32::System::JobObjects::{
    AssignProcessToJobObject, CreateJobObjectW, JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE,
    JOB_OBJECT_LIMIT_SILENT_BREAKAWAY_OK, JOBOBJECT_EXTENDED_LIMIT_INFORMATION,
    JobObjectExtendedLimitInformation, SetInformationJobObject, TerminateJobObject,
};
use windows_sys::Win32::System::Threading::GetCurrentProcess;

/// A job: its processes are ended when it is dropped, and when the process that holds it ends, in
/// whatever way.
#[derive(Debug)]
pub struct Job(OwnedHandle);

impl Job {
    /// Makes a job whose processes take what they start with them.
    ///
    /// # Errors
    /// Returns an error if the system refuses.
    pub fn new() -> io::Result<Self> {
        Self::with(JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE)
    }

    /// Makes a job of the processes that are assigned and not of what they start, which may outlive
    /// them.
    ///
    /// # Errors
    /// Returns an error if the system refuses.
    pub fn of_one() -> io::Result<Self> {
        Self::with(JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE | JOB_OBJECT_LIMIT_SILENT_BREAKAWAY_OK)
    }

    #[allow(unsafe_code, reason = "calls of the system")]
    fn with(limits: u32) -> io::Result<Self> {
        // SAFETY: null stands for the default security and for no name.
        let handle = unsafe { CreateJobObjectW(std::ptr::null(), std::ptr::null()) };
        if handle.is_null() {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the handle was just made, and nobody else has it.
        let job = Self(unsafe { OwnedHandle::from_raw_handle(handle) });
        let mut information = JOBOBJECT_EXTENDED_LIMIT_INFORMATION::default();
        information.BasicLimitInformation.LimitFlags = limits;
        let size = u32::try_from(size_of_val(&information)).unwrap_or_default();
        // SAFETY: `information` is what the class asks for, of the size given.
        let done = unsafe {
            SetInformationJobObject(
                job.0.as_raw_handle(),
                JobObjectExtendedLimitInformation,
                (&raw const information).cast(),
                size,
            )
        };
        if done == 0 { Err(io::Error::last_os_error()) } else { Ok(job) }
    }

    /// Puts a child into the job.
    ///
    /// # Errors
    /// Returns an error if the system refuses, such as for a child that has ended.
    pub fn assign(&self, child: &Child) -> io::Result<()> {
        self.assign_handle(child.as_raw_handle())
    }

    /// Puts this process into the job: what it starts from now on ends with it, without a moment in
    /// which a child is not in the job yet.
    ///
    /// # Errors
    /// Returns an error if the system refuses.
    #[allow(unsafe_code, reason = "a call of the system")]
    pub fn assign_this_process(&self) -> io::Result<()> {
        // SAFETY: the call returns a constant that stands for this process.
        self.assign_handle(unsafe { GetCurrentProcess() })
    }

    #[allow(unsafe_code, reason = "a call of the system")]
    fn assign_handle(&self, process: HANDLE) -> io::Result<()> {
        // SAFETY: both handles are valid for the call.
        match unsafe { AssignProcessToJobObject(self.0.as_raw_handle(), process) } {
            0 => Err(io::Error::last_os_error()),
            _ => Ok(()),
        }
    }

    /// Ends every process of the job, with this exit code.
    ///
    /// # Errors
    /// Returns an error if the system refuses.
    #[allow(unsafe_code, reason = "a call of the system")]
    pub fn terminate(&self, code: u32) -> io::Result<()> {
        // SAFETY: the handle is valid for the call.
        match unsafe { TerminateJobObject(self.0.as_raw_handle(), code) } {
            0 => Err(io::Error::last_os_error()),
            _ => Ok(()),
        }
    }
}
