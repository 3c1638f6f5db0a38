//! Who owns a file and who else can read or write it: what mode bits say elsewhere.

use std::io;
use std::os::windows::io::{AsRawHandle as _, BorrowedHandle, FromRawHandle as _, OwnedHandle};
use std::ptr::null_mut;

use windows_sys::Win32::Foundation::{GENERIC_ALL, GENERIC_READ, GENERIC_WRITE, LocalFree};
use windows_sys::Win32::Security::Authorization::{ConvertSidToStringSidW, GetSecurityInfo, SE_FILE_OBJECT};
use windows_sys::Win32::Security::{
    ACCESS_ALLOWED_ACE, ACE_HEADER, ACL, DACL_SECURITY_INFORMATION, EqualSid, GetAce, GetTokenInformation,
    INHERIT_ONLY_ACE, IsWellKnownSid, OWNER_SECURITY_INFORMATION, PSECURITY_DESCRIPTOR, PSID, TOKEN_QUERY,
    TOKEN_USER, TokenUser, WELL_KNOWN_SID_TYPE, WinBuiltinAdministratorsSid, WinCreatorOwnerRightsSid,
    WinCreatorOwnerSid, WinLocalSystemSid,
};
use windows_sys::Win32::Storage::FileSystem::{
    DELETE, FILE_APPEND_DATA, FILE_DELETE_CHILD, FILE_READ_DATA, FILE_WRITE_DATA, WRITE_DAC, WRITE_OWNER,
};
use windows_sys::Win32::System::Threading::{GetCurrentProcess, OpenProcessToken};

/// What lets somebody change a file, what is in a directory, or who may.
const WRITES: u32 = FILE_WRITE_DATA
    | FILE_APPEND_DATA
    | FILE_DELETE_CHILD
    | DELETE
    | WRITE_DAC
    | WRITE_OWNER
    | GENERIC_WRITE
    | GENERIC_ALL;
const READS: u32 = FILE_READ_DATA | GENERIC_READ;

/// An entry that allows, and one that allows under a condition: both begin alike.
const ALLOWING: [u8; 2] = [0, 9];

/// Who else can use a file or a directory. SYSTEM and the Administrators count as this user, as
/// root does elsewhere: nothing can be kept from them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Access {
    /// The owner as a security identifier, if it is neither this user nor SYSTEM nor the
    /// Administrators.
    pub foreign_owner: Option<String>,
    /// Whether others can write it.
    pub others_write: bool,
    /// Whether others can read it.
    pub others_read: bool,
}

/// A part of a security descriptor or token, in memory that the system gave.
struct Descriptor(PSECURITY_DESCRIPTOR);

impl Drop for Descriptor {
    #[allow(unsafe_code, reason = "a call of the system")]
    fn drop(&mut self) {
        // SAFETY: GetSecurityInfo has it from LocalAlloc, and nobody else frees it.
        unsafe { LocalFree(self.0) };
    }
}

/// Returns who can use the open file or directory, which must be open for reading.
///
/// # Errors
/// Returns an error if the system does not tell.
#[allow(unsafe_code, reason = "calls of the system")]
pub fn access(file: BorrowedHandle<'_>) -> io::Result<Access> {
    let (mut owner, mut list, mut descriptor): (PSID, *mut ACL, PSECURITY_DESCRIPTOR) =
        (null_mut(), null_mut(), null_mut());
    // SAFETY: the handle is open for the call; the three results outlive it.
    let error = unsafe {
        GetSecurityInfo(
            file.as_raw_handle(),
            SE_FILE_OBJECT,
            OWNER_SECURITY_INFORMATION | DACL_SECURITY_INFORMATION,
            &raw mut owner,
            null_mut(),
            &raw mut list,
            null_mut(),
            &raw mut descriptor,
        )
    };
    if error != 0 {
        return Err(io::Error::from_raw_os_error(error.cast_signed()));
    }
    // `owner` and `list` point into it.
    let _descriptor = Descriptor(descriptor);
    let user = User::of_this_process()?;
    let foreign_owner = if user.is_trusted(owner) { None } else { Some(text(owner)) };
    // A file without a list is open to everybody.
    if list.is_null() {
        return Ok(Access { foreign_owner, others_write: true, others_read: true });
    }
    let mut access = Access { foreign_owner, others_write: false, others_read: false };
    // SAFETY: the system made the list, and the descriptor keeps it.
    let count = unsafe { (*list).AceCount };
    for index in 0..u32::from(count) {
        let mut entry = null_mut();
        // SAFETY: the index is below the list's count.
        if unsafe { GetAce(list, index, &raw mut entry) } == 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: every entry begins with its header.
        let header = unsafe { *entry.cast::<ACE_HEADER>() };
        let is_inherited_only = u32::from(header.AceFlags) & INHERIT_ONLY_ACE != 0;
        if is_inherited_only || !ALLOWING.contains(&header.AceType) {
            continue;
        }
        let entry = entry.cast::<ACCESS_ALLOWED_ACE>();
        // SAFETY: entries of these two types hold a mask, then the identifier.
        let (mask, who) = unsafe { ((*entry).Mask, (&raw mut (*entry).SidStart).cast()) };
        if !user.is_trusted(who) {
            access.others_write |= mask & WRITES != 0;
            access.others_read |= mask & (READS | GENERIC_ALL) != 0;
        }
    }
    Ok(access)
}

/// The user of this process, as its token names it.
pub(crate) struct User(Vec<u64>);

impl User {
    #[allow(unsafe_code, reason = "calls of the system")]
    pub(crate) fn of_this_process() -> io::Result<Self> {
        let mut token = null_mut();
        // SAFETY: the first is a constant that stands for this process; `token` outlives the call.
        if unsafe { OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &raw mut token) } == 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the token was just opened, and nobody else has the handle.
        let token = unsafe { OwnedHandle::from_raw_handle(token) };
        // Aligned for TOKEN_USER, with room for the largest identifier (68 bytes).
        let mut buffer = vec![0_u64; 16];
        let size = u32::try_from(size_of_val(&buffer[..])).unwrap_or_default();
        let mut needed = 0;
        // SAFETY: the system writes at most `size` bytes to the buffer, which is as large.
        let done = unsafe {
            GetTokenInformation(
                token.as_raw_handle(),
                TokenUser,
                buffer.as_mut_ptr().cast(),
                size,
                &raw mut needed,
            )
        };
        if done == 0 { Err(io::Error::last_os_error()) } else { Ok(Self(buffer)) }
    }

    #[allow(unsafe_code, reason = "reads what the system wrote")]
    fn sid(&self) -> PSID {
        // SAFETY: the buffer begins with a TOKEN_USER, whose identifier is in the same buffer.
        unsafe { (*self.0.as_ptr().cast::<TOKEN_USER>()).User.Sid }
    }

    /// The identifier as text, such as `S-1-5-18`.
    pub(crate) fn text(&self) -> String {
        text(self.sid())
    }

    /// Whether it is this user, or one from whom nothing can be kept.
    #[allow(unsafe_code, reason = "calls of the system")]
    fn is_trusted(&self, who: PSID) -> bool {
        const KNOWN: [WELL_KNOWN_SID_TYPE; 4] = [
            WinLocalSystemSid,
            WinBuiltinAdministratorsSid,
            // Both stand for the owner, who is checked.
            WinCreatorOwnerSid,
            WinCreatorOwnerRightsSid,
        ];
        // SAFETY: `who` is an identifier that the system gave, and lives as long as its descriptor.
        let is = |known| unsafe { IsWellKnownSid(who, known) != 0 };
        // SAFETY: both are identifiers that the system gave.
        !who.is_null() && (unsafe { EqualSid(self.sid(), who) } != 0 || KNOWN.into_iter().any(is))
    }
}

/// An identifier as text; empty if the system does not tell.
#[allow(unsafe_code, reason = "calls of the system")]
fn text(sid: PSID) -> String {
    let mut text = null_mut();
    // SAFETY: `sid` is an identifier that the system gave; `text` outlives the call.
    if unsafe { ConvertSidToStringSidW(sid, &raw mut text) } == 0 {
        return String::new();
    }
    let text = Descriptor(text.cast());
    let start = text.0.cast::<u16>();
    // SAFETY: the system ended the text with a zero.
    let length = (0..256).take_while(|index| unsafe { *start.add(*index) } != 0).count();
    // SAFETY: as many units lie before the zero.
    String::from_utf16_lossy(unsafe { std::slice::from_raw_parts(start, length) })
}
