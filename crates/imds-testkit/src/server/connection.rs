//! One connection: requests in, what was ordered out.

use std::io::{BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use super::answer::{Answer, Behaviour};
use super::request::{self, RequestSeen};
use super::{Shared, State};
use crate::secrets;

const TTL_HEADER: &str = "X-aws-ec2-metadata-token-ttl-seconds";

pub(super) fn run(stream: TcpStream, shared: &Shared) {
    let mut reader = BufReader::new(stream);
    while let Some(seen) = request::read(&mut reader) {
        let behaviour = shared.change(|state| decide(state, &seen));
        // Here and not under the lock, which a panic would poison.
        if let Some(secret) = shared.lock().leaked.pop() {
            let start: String = secret.chars().take(8).collect();
            panic!("secret leaked: a request for a path holds the secret that starts with `{start}`");
        }
        let ended = match behaviour {
            Behaviour::Answer(answer) => send(reader.get_mut(), &answer, &seen),
            Behaviour::Reset { answer, body_bytes } => reset(reader.get_mut(), &answer, body_bytes),
            Behaviour::Stall => stall(&mut reader),
            Behaviour::Hangup => true,
            Behaviour::IssueToken | Behaviour::Serve(_) => unreachable!("resolved by `decide`"),
        };
        if ended {
            return;
        }
    }
}

/// Counts the request, takes the next behaviour of its script, and turns those that depend on the
/// server's tokens into answers.
fn decide(state: &mut State, seen: &RequestSeen) -> Behaviour {
    let token = seen.token().map(str::to_owned);
    let behaviour = if seen.is_token_put() {
        state.counts.token_puts += 1;
        state.token_script.next()
    } else {
        if seen.method == "GET" {
            state.counts.gets += 1;
            state.counts.gets_without_token += u64::from(token.is_none());
        } else {
            state.counts.others += 1;
        }
        state.paths.get(&seen.target).cloned().unwrap_or_else(|| state.get_script.next())
    };
    state.requests.push(seen.clone());
    state.leaked.extend(secrets::find_in_target(&seen.target, &state.secrets));
    if let Behaviour::Serve(body) | Behaviour::Answer(Answer { body, status: 200, .. }) = &behaviour {
        state.secrets.extend(secrets::texts_of(&seen.target, body));
    }
    match behaviour {
        Behaviour::IssueToken => issue_token(state, seen).into(),
        Behaviour::Serve(body) => match token {
            Some(token) if state.tokens.contains(&token) => Answer::ok(body).into(),
            _ => Answer::status(401).into(),
        },
        ordered => {
            if seen.is_token_put()
                && let Behaviour::Answer(answer) = &ordered
                && answer.status == 200
            {
                // Whatever a test hands out as a token is one: requests may carry it, and it is a
                // secret.
                let token = String::from_utf8_lossy(&answer.body).into_owned();
                if (8..4096).contains(&token.len()) {
                    secrets::register(&token);
                }
                state.tokens.push(token);
            }
            ordered
        }
    }
}

/// A token of the service's shape (56 characters of base64url), different each time.
fn issue_token(state: &mut State, seen: &RequestSeen) -> Answer {
    let Some(ttl) = seen.header(TTL_HEADER).filter(|ttl| ttl.parse::<u32>().is_ok()) else {
        return Answer::status(400);
    };
    state.issued += 1;
    let token = format!("AQAEAfault{:0>8x}x{:0>35}==", std::process::id(), secrets::unique());
    secrets::register(&token);
    state.tokens.push(token.clone());
    Answer::ok(token).header(TTL_HEADER, ttl)
}

/// Sends the answer; says whether the connection ends with it.
fn send(stream: &mut TcpStream, answer: &Answer, seen: &RequestSeen) -> bool {
    let keep_alive = seen.wants_keep_alive() && !answer.ends_connection();
    let mut bytes = answer.head(keep_alive);
    bytes.extend_from_slice(&answer.framed_body());
    // A client that hangs up on a body that is too large is a case that tests stage.
    stream.write_all(&bytes).is_err() || !keep_alive
}

fn reset(stream: &mut TcpStream, answer: &Answer, body_bytes: usize) -> bool {
    let mut bytes = answer.head(true);
    let body = answer.framed_body();
    bytes.extend_from_slice(&body[..body_bytes.min(body.len())]);
    // The connection may be gone already; then there is nothing left to reset.
    let _ = stream.write_all(&bytes);
    rustix::net::sockopt::set_socket_linger(&*stream, Some(Duration::ZERO))
        .expect("ask for a reset on close");
    true
}

/// Says nothing until the client leaves or the server is dropped.
fn stall(reader: &mut BufReader<TcpStream>) -> bool {
    let mut rest = Vec::new();
    // An error is the client's reset: it left.
    let _ = reader.read_to_end(&mut rest);
    true
}
