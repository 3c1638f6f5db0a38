//! Which machine this is, without asking the metadata service: the trace would hold the question.

use std::fs;
use std::path::Path;

/// The EC2 instance id, by the firmware's tables or by what cloud-init kept; nothing where neither
/// knows.
pub(crate) fn instance_id(root: &Path) -> Option<String> {
    // On Nitro, the board's asset tag is the instance id.
    ["sys/devices/virtual/dmi/id/board_asset_tag", "var/lib/cloud/data/instance-id"].iter().find_map(|file| {
        let text = fs::read_to_string(root.join(file)).ok()?;
        let id = text.trim();
        is_instance_id(id).then(|| id.to_owned())
    })
}

/// `i-` and 8 or 17 hexadecimal digits.
pub(crate) fn is_instance_id(text: &str) -> bool {
    text.strip_prefix("i-").is_some_and(|digits| {
        matches!(digits.len(), 8 | 17) && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_come_from_the_firmware_or_from_cloud_init() {
        let root = tempfile::tempdir().unwrap();
        let write = |file: &str, text: &str| {
            let path = root.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        assert_eq!(instance_id(root.path()), None);
        write("sys/devices/virtual/dmi/id/board_asset_tag", "Not Specified\n");
        assert_eq!(instance_id(root.path()), None);
        write("var/lib/cloud/data/instance-id", "i-0123456789abcdef0\n");
        assert_eq!(instance_id(root.path()).as_deref(), Some("i-0123456789abcdef0"));
        write("sys/devices/virtual/dmi/id/board_asset_tag", "i-12345678\n");
        assert_eq!(instance_id(root.path()).as_deref(), Some("i-12345678"));
    }
}
