//! The keys of the identity document's signatures, made beside the server.

use tokio::sync::oneshot;

use super::service::Service;

impl Service {
    /// Has the keys made, once. They may take half a second, and the server has one thread: another
    /// one makes them, so that only who asked for a signature waits.
    pub(crate) async fn make_keys(&self) {
        let (keys, now) = {
            let state = self.state();
            (state.keys().clone(), state.clock().now())
        };
        let make = || async move {
            let (made, wait) = oneshot::channel();
            let maker = keys.clone();
            let thread = std::thread::Builder::new().name("imds-emulator-keys".into()).spawn(move || {
                let _ = maker.make(now);
                // Nobody waits any more where the client has gone.
                let _ = made.send(());
            });
            match thread {
                // The sender is dropped unsent where the thread panics, which it has said itself
                // then.
                Ok(_) => drop(wait.await),
                // No thread is to be had: then everybody waits.
                Err(_) => drop(keys.make(now)),
            }
        };
        self.0.keys.get_or_init(make).await;
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::TcpStream;
    use std::sync::mpsc;

    use crate::{Emulator, Timestamp};

    fn ask(emulator: &Emulator, path: &str) -> TcpStream {
        let mut stream = TcpStream::connect(emulator.address()).unwrap();
        stream.write_all(format!("GET {path} HTTP/1.1\r\n\r\n").as_bytes()).unwrap();
        stream
    }

    fn status(mut stream: TcpStream) -> String {
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer.lines().next().unwrap_or_default().to_owned()
    }

    #[test]
    fn others_are_answered_while_keys_are_made() {
        let emulator = Emulator::builder().start().unwrap();
        let keys = emulator.service().state().keys().clone();
        let (begun, begins) = mpsc::channel();
        let (end, ended) = mpsc::channel();
        // Keys that take as long as this test wants.
        let maker = std::thread::spawn(move || {
            keys.make_after(Timestamp::from_seconds(1_800_000_000), || {
                begun.send(()).unwrap();
                ended.recv().unwrap();
            });
        });
        begins.recv().unwrap();
        let waiting = ["signature", "rsa2048", "pkcs7"]
            .map(|name| ask(&emulator, &format!("/latest/dynamic/instance-identity/{name}")));
        for _ in 0..3 {
            assert_eq!(status(ask(&emulator, "/latest/meta-data/mac")), "HTTP/1.1 200 OK");
        }
        assert_eq!(emulator.counters().requests, 3, "no signature is answered yet");
        end.send(()).unwrap();
        for stream in waiting {
            assert_eq!(status(stream), "HTTP/1.1 200 OK");
        }
        assert_eq!(emulator.counters().requests, 6, "each is recorded once");
        maker.join().unwrap();
    }
}
