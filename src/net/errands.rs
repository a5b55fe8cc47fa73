//! The jobs of a node: a task each, of which so many run at once in the whole process.

use std::task::{Context, Poll};

use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::http;
use crate::node::{Job, JobFailure, JobId, JobOutcome};

/// How many jobs run at once, those of all nodes together; others wait for their turn.
const AT_ONCE: usize = 64;

static TURNS: Semaphore = Semaphore::const_new(AT_ONCE);

/// The jobs of one node. Dropped, they stop. Without any it is a pointer.
#[derive(Debug, Default)]
pub(super) struct Errands {
    running: Option<Box<JoinSet<(JobId, JobOutcome)>>>,
}

impl Errands {
    /// Begins a job, on the runtime this is called on, as soon as it has its turn.
    pub(super) fn begin(&mut self, id: JobId, job: Job) {
        let running = self.running.get_or_insert_default();
        running.spawn(async move {
            let outcome = match TURNS.acquire().await {
                Ok(_turn) => http::carry_out(&job).await,
                Err(closed) => Err(JobFailure::Broken(closed.to_string())),
            };
            (id, outcome)
        });
    }

    /// The next job that is over.
    pub(super) fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<(JobId, JobOutcome)> {
        while let Some(running) = &mut self.running {
            match running.poll_join_next(cx) {
                Poll::Ready(Some(Ok(done))) => return Poll::Ready(done),
                // It panicked, and its node waits in vain: a fault of ours.
                Poll::Ready(Some(Err(error))) => tracing::error!(%error, "a job was lost"),
                Poll::Ready(None) => self.running = None,
                Poll::Pending => return Poll::Pending,
            }
        }
        Poll::Pending
    }
}
