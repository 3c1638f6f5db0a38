//! The options of `curl` and `wget`: which take a value. From their manual pages.

use std::ops::Range;

use super::words::Word;

/// An option as it was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Given {
    /// Its long name without dashes, or its letter.
    pub name: String,
    /// Its value.
    pub value: Option<String>,
    /// The words that it takes up.
    pub words: Range<usize>,
}

/// A command line taken apart.
#[derive(Clone, Debug, Default)]
pub struct Parsed {
    /// The options.
    pub options: Vec<Given>,
    /// The words that are no options.
    pub operands: Vec<usize>,
}

impl Parsed {
    /// The options of any of these names.
    pub fn named<'a>(&'a self, names: &'a [&str]) -> impl Iterator<Item = &'a Given> {
        self.options.iter().filter(move |option| names.contains(&option.name.as_str()))
    }

    /// Whether one of these was given.
    #[must_use]
    pub fn has(&self, names: &[&str]) -> bool {
        self.named(names).next().is_some()
    }

    /// The last value given with one of these.
    #[must_use]
    pub fn value(&self, names: &[&str]) -> Option<&str> {
        let named = self.options.iter().rev().filter(|option| names.contains(&option.name.as_str()));
        named.filter_map(|option| option.value.as_deref()).next()
    }
}

/// Options with a value.
struct Table {
    letters: &'static str,
    long: &'static [&'static str],
    /// Whether `--long value` is read as well as `--long=value`.
    separate_equals: bool,
}

const CURL: Table = Table {
    letters: "AbcCdDeEFHKmoPQrtTuUwxXyYz",
    long: &[
        "abstract-unix-socket",
        "aws-sigv4",
        "cacert",
        "capath",
        "cert",
        "cert-type",
        "ciphers",
        "config",
        "connect-timeout",
        "connect-to",
        "cookie",
        "cookie-jar",
        "create-file-mode",
        "crlfile",
        "data",
        "data-ascii",
        "data-binary",
        "data-raw",
        "data-urlencode",
        "dns-interface",
        "dns-servers",
        "doh-url",
        "dump-header",
        "expect100-timeout",
        "form",
        "form-string",
        "happy-eyeballs-timeout-ms",
        "header",
        "interface",
        "json",
        "keepalive-time",
        "key",
        "key-type",
        "limit-rate",
        "local-port",
        "max-filesize",
        "max-redirs",
        "max-time",
        "noproxy",
        "output",
        "output-dir",
        "pass",
        "preproxy",
        "proto",
        "proto-default",
        "proto-redir",
        "proxy",
        "proxy-header",
        "proxy-user",
        "proxy1.0",
        "quote",
        "range",
        "rate",
        "referer",
        "request",
        "request-target",
        "resolve",
        "retry",
        "retry-delay",
        "retry-max-time",
        "socks4",
        "socks4a",
        "socks5",
        "socks5-hostname",
        "speed-limit",
        "speed-time",
        "stderr",
        "time-cond",
        "tls-max",
        "trace",
        "trace-ascii",
        "unix-socket",
        "upload-file",
        "url",
        "url-query",
        "user",
        "user-agent",
        "variable",
        "write-out",
    ],
    separate_equals: true,
};

const WGET: Table = Table {
    letters: "oaeiBtOTwQPUlARDIX",
    long: &[
        "output-file",
        "append-output",
        "execute",
        "input-file",
        "base",
        "tries",
        "output-document",
        "timeout",
        "dns-timeout",
        "connect-timeout",
        "read-timeout",
        "wait",
        "waitretry",
        "quota",
        "bind-address",
        "limit-rate",
        "directory-prefix",
        "user",
        "password",
        "header",
        "user-agent",
        "post-data",
        "post-file",
        "method",
        "body-data",
        "body-file",
        "save-cookies",
        "load-cookies",
        "referer",
        "proxy-user",
        "retry-on-http-error",
        "level",
        "accept",
        "reject",
        "prefer-family",
    ],
    separate_equals: true,
};

/// Takes curl's words apart, from the one after its name.
#[must_use]
pub fn curl(words: &[Word], from: usize) -> Parsed {
    parse(words, from, &CURL)
}

/// Takes wget's words apart, from the one after its name.
#[must_use]
pub fn wget(words: &[Word], from: usize) -> Parsed {
    let mut parsed = parse(words, from, &WGET);
    // `-nv`, `-nc`: the letter `n` begins a name of two.
    parsed.options.retain(|option| option.name != "n");
    parsed
}

fn parse(words: &[Word], from: usize, table: &Table) -> Parsed {
    let mut parsed = Parsed::default();
    let mut index = from;
    let mut only_operands = false;
    while let Some(word) = words.get(index) {
        let text = word.text.as_str();
        let first = index;
        index += 1;
        if only_operands || !text.starts_with('-') || text == "-" {
            parsed.operands.push(first);
            continue;
        }
        if text == "--" {
            only_operands = true;
            continue;
        }
        if let Some(long) = text.strip_prefix("--") {
            let (name, mut value) = match long.split_once('=') {
                Some((name, value)) if table.separate_equals => (name, Some(value.to_owned())),
                _ => (long, None),
            };
            if value.is_none() && table.long.contains(&name) {
                value = words.get(index).map(|word| word.text.clone());
                index += 1;
            }
            parsed.options.push(Given { name: name.to_owned(), value, words: first..index.min(words.len()) });
            continue;
        }
        let letters = text.get(1..).unwrap_or_default();
        for (at, letter) in letters.char_indices() {
            let takes_value = table.letters.contains(letter);
            let mut value = None;
            if takes_value {
                let attached = letters.get(at + letter.len_utf8()..).unwrap_or_default();
                value = if attached.is_empty() {
                    index += 1;
                    words.get(index - 1).map(|word| word.text.clone())
                } else {
                    Some(attached.to_owned())
                };
            }
            parsed.options.push(Given {
                name: letter.to_string(),
                value,
                words: first..index.min(words.len()),
            });
            if takes_value {
                break;
            }
        }
    }
    parsed
}
