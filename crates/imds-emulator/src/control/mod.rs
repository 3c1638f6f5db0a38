//! The control API: changes and watches a running service, on a loopback port of its own.
//!
//! Never on the metadata port: what a client of the emulated service can do must be what it can do
//! on EC2.

mod api;
mod guard;
mod http;
mod message;

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::task::Poll;

use tokio::net::TcpListener;
use tokio::task::JoinSet;

pub use guard::ControlToken;

use crate::base::limits::BIND_PAUSE;
use crate::server::Service;

/// The OpenAPI 3.1 document of the API.
pub(crate) const OPENAPI: &str = include_str!("openapi.json");
/// The page: tree, live requests, buttons. One file, nothing from elsewhere.
const PAGE: &str = include_str!("page.html");

impl Service {
    /// Serves the control API on this listener until `shutdown` is done. `endpoint` is shown on the
    /// page: where the service itself listens.
    ///
    /// # Errors
    /// Returns an error if the address is not a loopback address and there is no token.
    pub async fn run_control(
        &self,
        listener: TcpListener,
        endpoint: &str,
        token: Option<ControlToken>,
        shutdown: impl Future<Output = ()>,
    ) -> io::Result<()> {
        let address = listener.local_addr()?;
        check_address(address, token.as_ref())?;
        let mut connections = JoinSet::new();
        let mut shutdown = pin!(shutdown);
        loop {
            let accepted = std::future::poll_fn(|context| {
                if shutdown.as_mut().poll(context).is_ready() {
                    return Poll::Ready(None);
                }
                listener.poll_accept(context).map(Some)
            });
            match accepted.await {
                None => return Ok(()),
                Some(Ok((stream, _))) => {
                    connections.spawn(http::serve(stream, self.clone(), endpoint.to_owned(), token.clone()));
                    while connections.try_join_next().is_some() {}
                }
                // Out of descriptors, most likely: some may be free again after a pause.
                Some(Err(_)) => tokio::time::sleep(BIND_PAUSE).await,
            }
        }
    }
}

/// Without a token, the API is for this machine alone.
pub(crate) fn check_address(address: SocketAddr, token: Option<&ControlToken>) -> io::Result<()> {
    if address.ip().is_loopback() || token.is_some() {
        return Ok(());
    }
    let message = "the control API listens on loopback addresses only, unless it has a control token";
    Err(io::Error::new(io::ErrorKind::InvalidInput, message))
}
