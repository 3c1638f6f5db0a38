//! Both clients behind one face, so that every row is written once.

use std::time::Duration;

use imds::{AsyncClient, Client, ClientBuilder, EmptyEnvironment, Error, LiveToken, Response};

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

impl Caller {
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
