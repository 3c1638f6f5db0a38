//! Both clients behind one face, so that every row is written once.

use std::io::Read as _;
use std::time::Duration;

use imds::{AsyncClient, Client, ClientBuilder, EmptyEnvironment, Entry, Error, LiveToken, Response};

/// Which driver runs the exchange.
#[derive(Clone, Copy, Debug)]
pub enum Driver {
    Blocking,
    Tokio,
}

pub const BOTH: [Driver; 2] = [Driver::Blocking, Driver::Tokio];

/// A client of either kind, called as if it were blocking.
pub enum Caller {
    Blocking(Client),
    Tokio(tokio::runtime::Runtime, AsyncClient),
}

impl Driver {
    /// A client of this endpoint that goes by nothing but what it is given.
    pub fn client(self, endpoint: &str, change: impl FnOnce(ClientBuilder) -> ClientBuilder) -> Caller {
        // A loaded machine can take a while to answer: only the tests of silence shorten this.
        let patient = Client::builder()
            .environment(EmptyEnvironment)
            .endpoint(endpoint)
            .no_store()
            .read_timeout(Duration::from_secs(20))
            .connect_timeout(Duration::from_secs(20))
            .deadline(Duration::from_secs(60));
        let builder = change(patient);
        match self {
            Self::Blocking => Caller::Blocking(builder.build().unwrap()),
            Self::Tokio => {
                let runtime = tokio::runtime::Builder::new_multi_thread()
                    .worker_threads(2)
                    .enable_all()
                    .build()
                    .unwrap();
                Caller::Tokio(runtime, builder.build_async().unwrap())
            }
        }
    }
}

/// A value as it came: its pieces, and what ended it early.
#[derive(Debug)]
pub struct Pieces {
    pub pieces: Vec<Vec<u8>>,
    pub error: Option<Error>,
}

impl Caller {
    pub fn with_timeout(self, timeout: Duration) -> Self {
        match self {
            Self::Blocking(client) => Self::Blocking(client.with_timeout(timeout)),
            Self::Tokio(runtime, client) => Self::Tokio(runtime, client.with_timeout(timeout)),
        }
    }

    /// Reads a streaming value.
    pub fn open(&self, path: &str) -> Result<Pieces, Error> {
        let mut pieces = Vec::new();
        match self {
            Self::Blocking(client) => {
                let mut body = client.open(path)?;
                loop {
                    // More than any piece has, so that each read is one piece.
                    let mut piece = vec![0; 64 * 1024];
                    match body.read(&mut piece) {
                        Ok(0) => return Ok(Pieces { pieces, error: None }),
                        Ok(length) => {
                            piece.truncate(length);
                            pieces.push(piece);
                        }
                        Err(error) => {
                            let inner = error.into_inner().unwrap().downcast::<Error>().unwrap();
                            return Ok(Pieces { pieces, error: Some(*inner) });
                        }
                    }
                }
            }
            Self::Tokio(runtime, client) => runtime.block_on(async {
                let mut body = client.open(path).await?;
                loop {
                    match body.chunk().await {
                        Ok(None) => return Ok(Pieces { pieces, error: None }),
                        Ok(Some(piece)) => pieces.push(piece),
                        Err(error) => return Ok(Pieces { pieces, error: Some(error) }),
                    }
                }
            }),
        }
    }

    /// Whether there is no user data to stream.
    pub fn no_user_data(&self) -> bool {
        match self {
            Self::Blocking(client) => client.open_user_data().unwrap().is_none(),
            Self::Tokio(runtime, client) => runtime.block_on(client.open_user_data()).unwrap().is_none(),
        }
    }

    /// What a directory lists.
    pub fn list(&self, path: &str) -> Result<Vec<Entry>, Error> {
        match self {
            Self::Blocking(client) => client.list(path),
            Self::Tokio(runtime, client) => runtime.block_on(client.list(path)),
        }
    }

    /// Every value below a path, of the entries that the filter keeps.
    pub fn walk(
        &self,
        path: &str,
        keep: impl Fn(&Entry) -> bool + Send + Sync + 'static,
    ) -> Vec<Result<Response, Error>> {
        match self {
            Self::Blocking(client) => client.walk(path).unwrap().filter(keep).into_iter().collect(),
            Self::Tokio(runtime, client) => runtime.block_on(async {
                let mut walk = client.walk(path).unwrap().filter(keep);
                let mut leaves = Vec::new();
                while let Some(leaf) = walk.next().await {
                    leaves.push(leaf);
                }
                leaves
            }),
        }
    }

    pub fn get(&self, path: &str) -> Result<Response, Error> {
        match self {
            Self::Blocking(client) => client.get(path),
            Self::Tokio(runtime, client) => runtime.block_on(client.get(path)),
        }
    }

    pub fn user_data(&self) -> Result<Option<Vec<u8>>, Error> {
        match self {
            Self::Blocking(client) => client.user_data(),
            Self::Tokio(runtime, client) => runtime.block_on(client.user_data()),
        }
    }

    pub fn token(&self) -> Result<LiveToken, Error> {
        match self {
            Self::Blocking(client) => client.token(),
            Self::Tokio(runtime, client) => runtime.block_on(client.token()),
        }
    }

    /// Gets the path this many times at once.
    pub fn get_all_at_once(&self, path: &str, count: usize) -> Vec<Result<Response, Error>> {
        match self {
            Self::Blocking(client) => std::thread::scope(|scope| {
                let threads: Vec<_> = (0..count).map(|_| scope.spawn(|| client.get(path))).collect();
                threads.into_iter().map(|thread| thread.join().unwrap()).collect()
            }),
            Self::Tokio(runtime, client) => runtime.block_on(async {
                let path = path.to_owned();
                let get = || {
                    let (client, path) = (client.clone(), path.clone());
                    tokio::spawn(async move { client.get(&path).await })
                };
                let tasks: Vec<_> = (0..count).map(|_| get()).collect();
                let mut results = Vec::new();
                for task in tasks {
                    results.push(task.await.unwrap());
                }
                results
            }),
        }
    }
}
