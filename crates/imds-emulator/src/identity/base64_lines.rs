//! Base64 as the service and PEM write it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Base64 in lines of this width, without a newline at the end.
pub(super) fn lines(bytes: &[u8], width: usize) -> String {
    let text = STANDARD.encode(bytes);
    let mut out = String::with_capacity(text.len() + text.len() / width);
    for (at, character) in text.chars().enumerate() {
        if at > 0 && at % width == 0 {
            out.push('\n');
        }
        out.push(character);
    }
    out
}
