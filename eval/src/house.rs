//! A router and specialists in this process, asked as a client asks them.

use std::{
    net::{IpAddr, Ipv4Addr},
    sync::Arc,
    time::Duration,
};

use anyhow::{Context, Result};
use embedding::Embedder;
use futures_util::Stream;
use proto::{AskOptions, Conversation, Endpoint, Role, Turn};
use router::{
    app::App,
    ask::{self, AskError, Event, Question},
    config::Config,
};
use serve::Tasks;
use specialist::Server;

/// How long whoever is still busy may take at the end.
const GRACE: Duration = Duration::from_secs(5);

/// A running router, and whoever has moved in.
pub(crate) struct House {
    pub(crate) app: Arc<App>,
    tasks: Tasks,
}

impl House {
    /// Starts a router of the settings `config`.
    pub(crate) async fn start(embedder: Embedder, config: &Config) -> Result<Self> {
        let tasks = Tasks::new(GRACE);
        let app = App::with(embedder, config, IpAddr::V4(Ipv4Addr::LOCALHOST), &tasks).await?;
        Ok(Self { app, tasks })
    }

    /// Serves `specialist` until the house stops, and registers it, whatever its exam says.
    pub(crate) async fn admit(&self, specialist: Server) -> Result<()> {
        let endpoint = Endpoint::parse("endpoint", specialist.url())?;
        let stop = self.tasks.stopping();
        self.tasks.spawn("specialist", async move {
            // It ends when it is told to; a failure before shows as an unanswered question.
            let _ = specialist
                .run(async {
                    stop.await;
                    Ok(())
                })
                .await;
        });
        let tested = self.app.fleet.test(&endpoint).await.context("the specialist is not admitted")?;
        self.app.fleet.add(&endpoint, tested.registration.card.digest(), true).await?;
        Ok(())
    }

    /// Asks `query`; what comes of it, event by event.
    pub(crate) async fn ask(
        &self,
        query: &str,
    ) -> Result<ask::Answering<impl Stream<Item = Result<Event, AskError>> + Send + use<>>> {
        let question = Question {
            request_id: ask::request_id(),
            conversation: Conversation::new(vec![Turn { role: Role::User, text: query.to_owned() }])?,
            options: AskOptions::default(),
            patience: None,
            footer: false,
            previous: None,
        };
        Ok(ask::ask(self.app.clone(), question).await?)
    }

    /// Has everybody stop, and waits for it.
    pub(crate) async fn stop(self) {
        self.tasks.shutdown().await;
        self.app.close().await;
    }
}
