//! How much of a message we are willing to hold.

/// Octets of start line and headers.
pub const HEAD: usize = 64 * 1024;
/// Octets of one line, folds included.
pub const LINE: usize = 8 * 1024;
/// Header lines.
pub const HEADERS: usize = 128;
/// Octets of body.
pub const BODY: usize = 256 * 1024;
