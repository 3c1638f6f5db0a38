//! Opens a file to read state from, once: a pipe gives what it has a single time. What is
//! compressed is unpacked, and what a Windows shell wrote (UTF-16, byte order marks) becomes UTF-8.

use std::fs::File;
use std::io::{BufRead, BufReader, Cursor, Read};
use std::path::Path;

use flate2::read::MultiGzDecoder;

use crate::error::Error;

/// How much is looked at to tell what a file is.
const AHEAD: usize = 64 * 1024;

/// Opens a file, or standard input for `-`.
///
/// # Errors
///
/// Returns an error if it cannot be opened or read, or is UTF-16 that is not text.
pub fn open(path: &Path) -> Result<Box<dyn BufRead>, Error> {
    let failed = |source: std::io::Error| Error::unusable("read", path, &source);
    let raw: Box<dyn Read> = if path == Path::new("-") {
        Box::new(std::io::stdin())
    } else {
        Box::new(File::open(path).map_err(failed)?)
    };
    let (head, rest) = peek(raw).map_err(failed)?;
    if !head.starts_with(&[0x1f, 0x8b]) {
        return text(path, head, rest);
    }
    let (head, rest) = peek(MultiGzDecoder::new(Cursor::new(head).chain(rest))).map_err(failed)?;
    text(path, head, rest)
}

/// Which byte of two comes first.
#[derive(Clone, Copy)]
enum Order {
    Little,
    Big,
}

fn text(path: &Path, head: Vec<u8>, rest: impl Read + 'static) -> Result<Box<dyn BufRead>, Error> {
    let (skip, order) = match head.as_slice() {
        [0xef, 0xbb, 0xbf, ..] => (3, None),
        [0xff, 0xfe, ..] => (2, Some(Order::Little)),
        [0xfe, 0xff, ..] => (2, Some(Order::Big)),
        // JSON begins with an ASCII character: without a mark, a zero beside it tells the order
        // (RFC 4627, 3).
        [first, 0, ..] if *first != 0 => (0, Some(Order::Little)),
        [0, first, ..] if *first != 0 => (0, Some(Order::Big)),
        _ => (0, None),
    };
    let mut all = Cursor::new(head[skip..].to_vec()).chain(rest);
    let Some(order) = order else { return Ok(Box::new(BufReader::with_capacity(AHEAD, all))) };
    let mut bytes = Vec::new();
    all.read_to_end(&mut bytes).map_err(|source| Error::file(path, source))?;
    let units = bytes.chunks(2).map(|pair| {
        let pair = [pair[0], pair.get(1).copied().unwrap_or(0)];
        match order {
            Order::Little => u16::from_le_bytes(pair),
            Order::Big => u16::from_be_bytes(pair),
        }
    });
    let decoded: Result<String, _> = char::decode_utf16(units).collect();
    let decoded = decoded.map_err(|_| {
        Error::Input(format!("`{}` is not a state file: it begins as UTF-16 and is not", path.display()))
    })?;
    Ok(Box::new(Cursor::new(decoded.into_bytes())))
}

/// Reads the beginning of an input.
fn peek<R: Read>(mut from: R) -> std::io::Result<(Vec<u8>, R)> {
    let mut head = Vec::with_capacity(AHEAD);
    (&mut from).take(AHEAD as u64).read_to_end(&mut head)?;
    Ok((head, from))
}
