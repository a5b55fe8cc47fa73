//! Where what becomes of a node's streams is reported.

use tokio::sync::mpsc;

use crate::media::Report;

/// One way to report. A report is boxed, so that a queue that is nearly always empty is small.
#[derive(Clone, Debug)]
pub(super) struct Reporter(mpsc::UnboundedSender<Box<Report>>);

/// The node's end of its reporters.
pub(super) type Reports = mpsc::UnboundedReceiver<Box<Report>>;

impl Reporter {
    /// A reporter and its other end.
    pub(super) fn new() -> (Reporter, Reports) {
        let (reporter, reports) = mpsc::unbounded_channel();
        (Reporter(reporter), reports)
    }

    /// A node that has ended needs no reports.
    pub(super) fn tell(&self, report: Report) {
        let _ = self.0.send(Box::new(report));
    }

    /// Whether there are others that report to the same node.
    pub(super) fn has_others(&self) -> bool {
        self.0.strong_count() > 1
    }
}
