//! One receive buffer per worker thread, shared by every socket that thread reads.

use std::cell::RefCell;

/// Holds the largest datagram there is.
const OCTETS: usize = 65_536;

thread_local! {
    static SCRATCH: RefCell<Box<[u8]>> = RefCell::new(vec![0; OCTETS].into_boxed_slice());
}

/// Lends the thread's buffer to `read`, which must not call this again.
pub(super) fn with<T>(read: impl FnOnce(&mut [u8]) -> T) -> T {
    SCRATCH.with_borrow_mut(|buffer| read(buffer))
}
