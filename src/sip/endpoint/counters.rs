//! What an endpoint counts instead of complaining.

/// Numbers since the endpoint was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Requests received, copies and ACKs included.
    pub requests: u64,
    /// Answers received, copies included.
    pub responses: u64,
    /// Datagrams that only keep a NAT open: line ends, NULs, at most four octets.
    pub keepalives: u64,
    /// Double line ends on streams, each answered with a single one (RFC 5626 §3.5.1).
    pub pings: u64,
    /// Messages that could not be read, answered or not.
    pub malformed: u64,
    /// Streams closed because the place of their next message was lost.
    pub broken_streams: u64,
    /// Bytes that came on a flow nobody opened.
    pub unknown_flow: u64,
    /// Faults answered without asking the owner: 400, 413, 415, 416, 420, 501, 505, 513.
    pub faults_answered: u64,
    /// BYEs taken whose CSeq counts another method.
    pub odd_byes: u64,
    /// Requests refused with 503 because too many transactions were open.
    pub overload: u64,
    /// Requests that came again and were answered, or absorbed, by their transaction.
    pub repeated_requests: u64,
    /// Requests that came again by another way (RFC 3261 §8.2.2.2).
    pub merged_requests: u64,
    /// Answers that came again and were absorbed by their transaction.
    pub repeated_responses: u64,
    /// Messages of ours sent again because a timer said so.
    pub retransmissions: u64,
    /// ACKs that belong to no INVITE.
    pub stray_acks: u64,
    /// CANCELs that belong to no INVITE, answered 481.
    pub stray_cancels: u64,
    /// Answers that belong to no request of ours.
    pub stray_responses: u64,
    /// Answers of the owner to requests that were answered already, or are forgotten.
    pub late_answers: u64,
    /// Requests the owner never answered.
    pub abandoned: u64,
    /// Messages that could not be sent because their flow is gone.
    pub unsent: u64,
}
