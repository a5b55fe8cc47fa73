//! The MPEG program stream, writing side (ISO/IEC 13818-1 §2.5; GB/T 28181-2022 annex C).

pub mod policy;
