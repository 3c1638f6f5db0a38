//! What of a command line may be shown: everything but secrets.
//!
//! A command line is for everybody on the machine to see while the process lives; a trace is kept,
//! copied and joined. Whatever may be a secret is replaced, so this errs on the side of replacing.

use imds_model::header;

const REDACTED: &str = "[redacted]";
/// Most arguments, most bytes of one, and about how many of all, that are kept.
const ARGUMENTS: usize = 64;
const ARGUMENT_BYTES: usize = 512;
const ALL_BYTES: usize = 1_024;

/// Headers whose values are no secrets; all others are replaced.
const HARMLESS_HEADERS: &[&str] = &[
    "accept",
    "accept-encoding",
    "connection",
    "content-length",
    "content-type",
    "host",
    "metadata",
    "metadata-flavor",
    "user-agent",
    header::TOKEN_TTL,
];

/// Words in a name whose value is a secret.
const SECRET_WORDS: &[&str] = &[
    "token",
    "secret",
    "password",
    "passwd",
    "passphrase",
    "pwd",
    "credential",
    "signature",
    "apikey",
    "api-key",
    "api_key",
    "accesskey",
    "access-key",
    "access_key",
    "privatekey",
    "private-key",
    "private_key",
    "auth",
    "session",
    "cookie",
    "bearer",
];

/// Names with such a word whose value is none.
const HARMLESS_NAMES: &[&str] = &[
    "token-ttl",
    "token_ttl",
    "tokenttl",
    "ttl-seconds",
    "auth-mode",
    "authority",
    "session-name",
    "session_name",
];

/// The arguments with their secrets replaced.
pub(crate) fn command_line<'a>(arguments: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let mut shown = Vec::new();
    let mut value_of: Option<Follows> = None;
    let mut arguments = arguments.into_iter();
    let mut room = ALL_BYTES;
    while shown.len() < ARGUMENTS && room > 0 {
        let Some(argument) = arguments.next() else { break };
        let text = match value_of.take() {
            Some(Follows::Header) => header_line(argument),
            Some(Follows::Secret) => REDACTED.to_owned(),
            Some(Follows::Login) => login(argument),
            None => {
                value_of = followed_by(argument);
                if value_of.is_some() { argument.to_owned() } else { word(argument) }
            }
        };
        let text = shortened(text);
        room = room.saturating_sub(text.len());
        shown.push(text);
    }
    let left = arguments.count();
    if left > 0 {
        shown.push(format!("[{left} more]"));
    }
    shown
}

/// What the next argument is.
enum Follows {
    Header,
    Secret,
    Login,
}

fn followed_by(option: &str) -> Option<Follows> {
    match option {
        "-H" | "--header" | "--proxy-header" => return Some(Follows::Header),
        "-u" | "--user" | "--proxy-user" | "-U" => return Some(Follows::Login),
        "-b" | "--oauth2-bearer" | "-E" | "--cert" | "-d" | "--data" | "--data-raw" | "--data-binary"
        | "--data-urlencode" | "--post-data" | "-F" | "--form" => return Some(Follows::Secret),
        _ => {}
    }
    let name = option.strip_prefix('-')?;
    (!option.contains(['=', ' ', ':', '/']) && names_secret(name)).then_some(Follows::Secret)
}

/// One argument: an option with its value, a URL, an assignment, a script, or a plain word.
fn word(argument: &str) -> String {
    if let Some(value) = argument.strip_prefix("-H").filter(|value| value.contains(':')) {
        return format!("-H{}", header_line(value));
    }
    for option in ["--header=", "--proxy-header="] {
        if let Some(value) = argument.strip_prefix(option) {
            return format!("{option}{}", header_line(value));
        }
    }
    for option in ["--user=", "--proxy-user="] {
        if let Some(value) = argument.strip_prefix(option) {
            return format!("{option}{}", login(value));
        }
    }
    if argument.contains(char::is_whitespace) || argument.contains(['"', '\'', ';', '|', '&', '`', '$']) {
        return script(argument);
    }
    piece(argument)
}

/// `Name: value`, the value replaced unless it is known to be harmless. A lone name, or curl's
/// `@FILE`, is shown.
fn header_line(line: &str) -> String {
    let trimmed = line.trim_start();
    match line.split_once(':') {
        Some((name, value)) if !value.trim().is_empty() => {
            let harmless = HARMLESS_HEADERS.iter().any(|known| known.eq_ignore_ascii_case(name.trim()));
            if harmless { script(line) } else { format!("{name}: {REDACTED}") }
        }
        Some(_) => line.to_owned(),
        None if trimmed.starts_with('@') => line.to_owned(),
        None => script(line),
    }
}

/// `user:password`.
fn login(text: &str) -> String {
    match text.split_once(':') {
        Some((user, _)) => format!("{user}:{REDACTED}"),
        None => text.to_owned(),
    }
}

/// Text of several words, such as what `sh -c` is given, or JSON: word by word, and where a name
/// announces a secret, the word behind it, or all of the quotation.
fn script(text: &str) -> String {
    let mut scan =
        Scan { out: String::with_capacity(text.len()), quote: None, hide: Hide::Nothing, named: false };
    for part in pieces(text) {
        if part.chars().next().is_some_and(is_separator) {
            part.chars().for_each(|separator| scan.separator(separator));
        } else {
            scan.word(part);
        }
    }
    scan.out
}

/// Reads a script from left to right.
struct Scan {
    out: String,
    /// The quotation mark that ends the quotation.
    quote: Option<char>,
    hide: Hide,
    /// The last word is a name whose value is a secret, as a key of JSON is.
    named: bool,
}

/// What comes next is a secret.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Hide {
    Nothing,
    /// The next word, or the quotation that begins next.
    Next,
    /// All up to the end of the quotation; whether it was replaced already.
    Quotation {
        replaced: bool,
    },
}

impl Scan {
    fn separator(&mut self, separator: char) {
        let is_quote = matches!(separator, '"' | '\'' | '`');
        if is_quote && self.quote == Some(separator) {
            self.quote = None;
            if matches!(self.hide, Hide::Quotation { .. }) {
                self.hide = Hide::Nothing;
            }
        } else if is_quote && self.quote.is_none() {
            self.quote = Some(separator);
            if self.hide == Hide::Next {
                self.hide = Hide::Quotation { replaced: false };
            }
        } else if separator == '\n' && self.quote.is_none() {
            self.hide = Hide::Nothing;
        }
        if !matches!(self.hide, Hide::Quotation { replaced: true }) {
            self.out.push(separator);
        }
    }

    fn word(&mut self, word: &str) {
        let named = std::mem::take(&mut self.named);
        match self.hide {
            // A variable is no secret, its value is.
            Hide::Next | Hide::Quotation { replaced: false } if word.starts_with('$') => {
                self.out.push_str(word);
                if self.hide == Hide::Next {
                    self.hide = Hide::Nothing;
                }
            }
            Hide::Next => {
                self.out.push_str(REDACTED);
                // `Authorization: Bearer VALUE` has a word before the secret.
                let scheme = ["bearer", "basic", "digest", "token", "aws4-hmac-sha256"];
                if !scheme.iter().any(|scheme| word.eq_ignore_ascii_case(scheme)) {
                    self.hide = Hide::Nothing;
                }
            }
            Hide::Quotation { replaced } => {
                if !replaced {
                    self.out.push_str(REDACTED);
                    self.hide = Hide::Quotation { replaced: true };
                }
            }
            // `"token": "VALUE"`, `token = VALUE`, `"token":1`
            Hide::Nothing if named && matches!(word, ":" | "=" | ":=" | "=>") => {
                self.out.push_str(word);
                self.hide = Hide::Next;
            }
            Hide::Nothing if named && word.starts_with([':', '=']) => {
                self.out.push_str(&word[..1]);
                self.out.push_str(REDACTED);
            }
            Hide::Nothing => self.plain(word),
        }
    }

    fn plain(&mut self, word: &str) {
        let name = word.trim_end_matches([':', '=']);
        let secret = names_secret(name) && !name.contains(['=', '/', ':']);
        let announces =
            name.len() < word.len() || word.starts_with('-') || word.eq_ignore_ascii_case("bearer");
        if secret && announces {
            self.out.push_str(word);
            // The value of a header ends with the quotation that the header stands in.
            self.hide = match self.quote {
                Some(_) if word.ends_with(':') => Hide::Quotation { replaced: false },
                _ => Hide::Next,
            };
        } else if matches!(word, "-u" | "--user") {
            self.out.push_str(word);
            self.hide = Hide::Next;
        } else {
            self.named = secret;
            self.out.push_str(&piece(word));
        }
    }
}

const fn is_separator(c: char) -> bool {
    matches!(
        c,
        ' ' | '\t'
            | '\n'
            | '\r'
            | '"'
            | '\''
            | ';'
            | '|'
            | '('
            | ')'
            | '['
            | ']'
            | '<'
            | '>'
            | '`'
            | ','
            | '{'
            | '}'
            | '\\'
    )
}

/// The text cut where words begin and end; nothing is left out.
fn pieces(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let first = rest.chars().next()?;
        let separator = is_separator(first);
        let end = rest.find(|c| is_separator(c) != separator).unwrap_or(rest.len());
        let (piece, behind) = rest.split_at(end);
        rest = behind;
        Some(piece)
    })
}

/// A word without blanks: a URL, `name=value`, `name:value`, or anything.
fn piece(text: &str) -> String {
    if let Some((scheme, rest)) = text.split_once("://") {
        return format!("{}://{}", assignment_name(scheme), url(rest));
    }
    if let Some((name, value)) = text.split_once('=')
        && !value.is_empty()
        && names_secret(name)
        && !value.starts_with('$')
    {
        return format!("{name}={REDACTED}");
    }
    if let Some((name, value)) = text.split_once(':')
        && !value.is_empty()
        && names_secret(name)
        && !value.starts_with('$')
    {
        return format!("{name}:{REDACTED}");
    }
    // A value behind an equals sign may itself look like a secret.
    if let Some((name, value)) = text.split_once('=')
        && looks_secret(value)
    {
        return format!("{name}={REDACTED}");
    }
    if looks_secret(text) { REDACTED.to_owned() } else { text.to_owned() }
}

/// What stands before `://` may be `name=https`.
fn assignment_name(scheme: &str) -> &str {
    scheme
}

/// The rest of a URL: no password, and no secret in its query.
fn url(rest: &str) -> String {
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, behind) = rest.split_at(end);
    let authority = match authority.rsplit_once('@') {
        Some((_, host)) => format!("{REDACTED}@{host}"),
        None => authority.to_owned(),
    };
    let (path, query) = match behind.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (behind, None),
    };
    let path: Vec<&str> =
        path.split('/').map(|part| if looks_secret(part) { REDACTED } else { part }).collect();
    let mut out = format!("{authority}{}", path.join("/"));
    if let Some(query) = query {
        let shown: Vec<String> = query.split('&').map(parameter).collect();
        out.push('?');
        out.push_str(&shown.join("&"));
    }
    out
}

fn parameter(text: &str) -> String {
    match text.split_once('=') {
        Some((name, value))
            if names_secret(name) || name.eq_ignore_ascii_case("sig") || looks_secret(value) =>
        {
            format!("{name}={REDACTED}")
        }
        Some(_) => text.to_owned(),
        None if looks_secret(text) => REDACTED.to_owned(),
        None => text.to_owned(),
    }
}

/// Whether the value of something with this name is a secret.
fn names_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| name.contains(word));
    has(SECRET_WORDS) && !has(HARMLESS_NAMES)
}

/// Whether a word has the shape of a token or a key: long, and of letters of both cases and digits.
fn looks_secret(word: &str) -> bool {
    let body = word.trim_end_matches('=');
    let long = body.len() >= 32;
    let base64 = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'+' | b'/' | b'.');
    let (mut upper, mut lower, mut digit) = (0, 0, 0);
    for byte in body.bytes() {
        if !base64(byte) {
            return false;
        }
        upper += usize::from(byte.is_ascii_uppercase());
        lower += usize::from(byte.is_ascii_lowercase());
        digit += usize::from(byte.is_ascii_digit());
    }
    // Paths and versions have few capitals and digits; container ids and digests have no capitals
    // at all.
    let jwt = word.starts_with("eyJ") && body.len() >= 20;
    jwt || (long && upper >= 4 && lower >= 4 && digit >= 2 && !word.starts_with('/'))
}

fn shortened(text: String) -> String {
    if text.len() <= ARGUMENT_BYTES {
        return text;
    }
    let mut end = ARGUMENT_BYTES;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}[{} more bytes]", &text[..end], text.len() - end)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A session token's shape: 56 characters of base64url.
    const TOKEN: &str = "AQAEAK1b2c3d4e5f6g7h8i9j0kALbMcNdOePfQgRhSiTjUkVlWmXnY==";

    fn shown(arguments: &[&str]) -> String {
        command_line(arguments.iter().copied()).join(" ")
    }

    #[test]
    fn tokens_never_come_through() {
        for arguments in [
            &["curl", "-H", &format!("X-aws-ec2-metadata-token: {TOKEN}"), "http://169.254.169.254/latest"][..],
            &["curl", &format!("-HX-aws-ec2-metadata-token: {TOKEN}")],
            &["curl", &format!("-HX-aws-ec2-metadata-token:{TOKEN}")],
            &["wget", &format!("--header=X-aws-ec2-metadata-token:{TOKEN}")],
            &["wget", "--header", &format!("x-AWS-ec2-metadata-token:{TOKEN}")],
            &["sh", "-c", &format!("curl -H \"X-aws-ec2-metadata-token: {TOKEN}\" http://169.254.169.254/")],
            &["sh", "-c", &format!("TOKEN={TOKEN}; curl -s http://169.254.169.254/")],
            &["env", &format!("TOKEN={TOKEN}"), "true"],
            &["program", TOKEN],
            &["program", "--imds", TOKEN],
            &["program", &format!("http://host/{TOKEN}/x")],
            &["program", &format!("http://host/x?token={TOKEN}")],
            &["python3", "-c", &format!("f('{TOKEN}')")],
        ] {
            let text = shown(arguments);
            assert!(!text.contains(TOKEN) && text.contains(REDACTED), "{text}");
        }
    }

    #[test]
    fn other_secrets_neither() {
        for (arguments, expected) in [
            (&["curl", "-u", "me:hunter2", "http://h/"][..], "curl -u me:[redacted] http://h/"),
            (&["curl", "--user=me:hunter2"], "curl --user=me:[redacted]"),
            (&["curl", "http://me:hunter2@h/x"], "curl http://[redacted]@h/x"),
            (&["curl", "-H", "Authorization: Bearer hunter2"], "curl -H Authorization: [redacted]"),
            (&["curl", "-H", "Cookie: a=hunter2"], "curl -H Cookie: [redacted]"),
            (&["curl", "-d", "hunter2"], "curl -d [redacted]"),
            (&["curl", "h/?X-Amz-Signature=hunter2&a=b"], "curl h/?X-Amz-Signature=[redacted]"),
            (&["mysql", "--password=hunter2"], "mysql --password=[redacted]"),
            (&["mysql", "--password", "hunter2"], "mysql --password [redacted]"),
            (&["x", "--db-password", "hunter2"], "x --db-password [redacted]"),
            (&["env", "AWS_SECRET_ACCESS_KEY=hunter2"], "env AWS_SECRET_ACCESS_KEY=[redacted]"),
            (&["x", "api_key:hunter2"], "x api_key:[redacted]"),
            (
                &["sh", "-c", "curl -H 'Authorization: Bearer hunter2' h"],
                "sh -c curl -H 'Authorization: [redacted]' h",
            ),
            (
                &["sh", "-c", "x Authorization: Bearer hunter2"],
                "sh -c x Authorization: [redacted] [redacted]",
            ),
            (&["sh", "-c", "P_SECRET=\"hunter2 hunter2\" x"], "sh -c P_SECRET=\"[redacted]\" x"),
            (
                &["x", "{\"a\": {\"AWS_SECRET_ACCESS_KEY\": \"hunter2\", \"b\": \"c\"}}"],
                "x {\"a\": {\"AWS_SECRET_ACCESS_KEY\": \"[redacted]\", \"b\": \"c\"}}",
            ),
            (&["x", "{\"token\":\"hunter2\"}"], "x {\"token\":\"[redacted]\"}"),
            (&["python3", "-c", "f(password = 'hunter2')"], "python3 -c f(password = '[redacted]')"),
            (&["sh", "-c", "x --token hunter2 -y"], "sh -c x --token [redacted] -y"),
            (&["sh", "-c", "curl -u me:hunter2 h"], "sh -c curl -u [redacted] h"),
        ] {
            let text = shown(arguments);
            assert!(!text.contains("hunter2"), "{text}");
            assert_eq!(text, expected);
        }
    }

    #[test]
    fn what_is_no_secret_stays() {
        for arguments in [
            &["curl", "-sf", "--max-time", "2", "http://169.254.169.254/latest/meta-data/instance-id"][..],
            &[
                "curl",
                "-X",
                "PUT",
                "-H",
                "X-aws-ec2-metadata-token-ttl-seconds: 60",
                "http://h/latest/api/token",
            ],
            &["curl", "-H", "Metadata-Flavor: Google", "http://h/"],
            &["curl", "-H", "@/run/token"],
            &["sh", "-c", "curl -H \"X-aws-ec2-metadata-token: $TOKEN\" h"],
            &["sh", "-c", "TOKEN=$(imds token) && curl -H \"$H\" h"],
            &["/usr/bin/dockerd", "--containerd=/run/containerd/containerd.sock"],
            &["x", "/var/lib/kubelet/pods/63b3ebfc-2890-11e9-8154-16bf8ef8d9dc/volumes"],
            &["x", "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"],
            &["java", "-Djava.io.tmpdir=/tmp", "-jar", "/opt/App-1.2.3-SNAPSHOT.jar"],
        ] {
            assert_eq!(shown(arguments), arguments.join(" "));
        }
    }

    #[test]
    fn long_ones_are_cut_and_say_so() {
        let many: Vec<&str> = std::iter::repeat_n("x", 70).collect();
        let shown = command_line(many);
        assert_eq!((shown.len(), shown.last().map(String::as_str)), (65, Some("[6 more]")));
        let long = "ü".repeat(300);
        assert!(command_line([long.as_str()])[0].ends_with("[88 more bytes]"));
    }
}
