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

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::time::Duration;

    use tokio::net::TcpListener;
    use tokio::time::timeout;

    use super::*;
    use crate::node::HttpMethod;

    #[tokio::test]
    async fn so_many_jobs_run_at_once_the_others_follow_and_all_stop_with_their_node() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let job = Job {
            method: HttpMethod::Get,
            url,
            body: None,
            limit: 10,
            patience: Duration::from_secs(60),
        };
        let mut errands = Errands::default();
        for id in 0..AT_ONCE as u64 + 9 {
            errands.begin(JobId(id), job.clone());
        }
        let mut running = Vec::new();
        let pause = Duration::from_millis(300);
        while let Ok(Ok((stream, _))) = timeout(pause, listener.accept()).await {
            running.push(stream);
        }
        assert_eq!(running.len(), AT_ONCE);
        running.truncate(AT_ONCE - 9);
        for _ in 0..9 {
            let (_, outcome) = poll_fn(|cx| errands.poll_next(cx)).await;
            assert!(matches!(outcome, Err(JobFailure::Broken(_))), "{outcome:?}");
            running.push(listener.accept().await.unwrap().0);
        }
        assert!(timeout(pause, listener.accept()).await.is_err());
        drop(errands);
        for stream in running {
            stream.readable().await.unwrap();
            let mut octets = [0; 1024];
            while !matches!(stream.try_read(&mut octets), Ok(0)) {
                stream.readable().await.unwrap();
            }
        }
    }
}
