//! Transactions through the public API, in virtual time: RFC 3261 §17 with RFC 6026, on UDP and TCP,
//! and what GB/T 28181 platforms make of it.

mod acks;
mod bench;
mod calling;
mod cancelling;
mod carrying;
mod faults;
mod flows;
mod loss;
mod repeats;
mod serving;
