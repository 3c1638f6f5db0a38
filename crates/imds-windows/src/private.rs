//! Files and directories that are made for this user alone.

use std::fs::File;
use std::io;
use std::os::windows::ffi::OsStrExt as _;
use std::os::windows::io::FromRawHandle as _;
use std::path::Path;
use std::ptr::null_mut;

use windows_sys::Win32::Foundation::{GENERIC_READ, GENERIC_WRITE, INVALID_HANDLE_VALUE, LocalFree};
use windows_sys::Win32::Security::Authorization::{
    ConvertStringSecurityDescriptorToSecurityDescriptorW, SDDL_REVISION_1,
};
use windows_sys::Win32::Security::{PSECURITY_DESCRIPTOR, SECURITY_ATTRIBUTES};
use windows_sys::Win32::Storage::FileSystem::{
    CREATE_NEW, CreateDirectoryW, CreateFileW, FILE_ATTRIBUTE_NORMAL, FILE_SHARE_DELETE, FILE_SHARE_READ,
};

use crate::access::User;

/// Makes a directory that only this user, SYSTEM and the Administrators can use; so are the files
/// that are made in it.
///
/// # Errors
/// Returns an error if it exists or cannot be made.
#[allow(unsafe_code, reason = "a call of the system")]
pub fn create_private_directory(path: &Path) -> io::Result<()> {
    let security = Security::private(true)?;
    let (path, attributes) = (wide(path)?, security.attributes());
    // SAFETY: the path ends with a zero; `security` outlives the attributes that point to it.
    match unsafe { CreateDirectoryW(path.as_ptr(), &raw const attributes) } {
        0 => Err(io::Error::last_os_error()),
        _ => Ok(()),
    }
}

/// Makes a file that only this user, SYSTEM and the Administrators can use, open for reading and
/// writing; others may read it and remove its name meanwhile.
///
/// # Errors
/// Returns an error if it exists or cannot be made.
#[allow(unsafe_code, reason = "calls of the system")]
pub fn create_private_file(path: &Path) -> io::Result<File> {
    let security = Security::private(false)?;
    let (path, attributes) = (wide(path)?, security.attributes());
    // SAFETY: the path ends with a zero; `security` outlives the attributes that point to it.
    let handle = unsafe {
        CreateFileW(
            path.as_ptr(),
            GENERIC_READ | GENERIC_WRITE,
            FILE_SHARE_READ | FILE_SHARE_DELETE,
            &raw const attributes,
            CREATE_NEW,
            FILE_ATTRIBUTE_NORMAL,
            null_mut(),
        )
    };
    if handle == INVALID_HANDLE_VALUE {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the handle was just made, and nobody else has it.
    Ok(unsafe { File::from_raw_handle(handle) })
}

/// A path as the system takes it: UTF-16 with a zero at its end.
fn wide(path: &Path) -> io::Result<Vec<u16>> {
    let mut units: Vec<u16> = path.as_os_str().encode_wide().collect();
    if units.contains(&0) {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "the path holds a NUL"));
    }
    units.push(0);
    Ok(units)
}

/// A security descriptor in memory that the system gave.
struct Security(PSECURITY_DESCRIPTOR);

impl Security {
    /// Full access for this user, SYSTEM and the Administrators; nothing is inherited from the
    /// directory above. `inherited` passes it on to what is made below.
    #[allow(unsafe_code, reason = "a call of the system")]
    fn private(inherited: bool) -> io::Result<Self> {
        let flags = if inherited { "OICI" } else { "" };
        let user = User::of_this_process()?.text();
        let text = format!("D:P(A;{flags};FA;;;{user})(A;{flags};FA;;;SY)(A;{flags};FA;;;BA)");
        let text: Vec<u16> = text.encode_utf16().chain([0]).collect();
        let mut descriptor = null_mut();
        // SAFETY: the text ends with a zero; the result outlives the call.
        let done = unsafe {
            ConvertStringSecurityDescriptorToSecurityDescriptorW(
                text.as_ptr(),
                SDDL_REVISION_1,
                &raw mut descriptor,
                null_mut(),
            )
        };
        if done == 0 { Err(io::Error::last_os_error()) } else { Ok(Self(descriptor)) }
    }

    fn attributes(&self) -> SECURITY_ATTRIBUTES {
        SECURITY_ATTRIBUTES {
            nLength: u32::try_from(size_of::<SECURITY_ATTRIBUTES>()).unwrap_or_default(),
            lpSecurityDescriptor: self.0,
            bInheritHandle: 0,
        }
    }
}

impl Drop for Security {
    #[allow(unsafe_code, reason = "a call of the system")]
    fn drop(&mut self) {
        // SAFETY: the system has it from LocalAlloc, and nobody else frees it.
        unsafe { LocalFree(self.0) };
    }
}
