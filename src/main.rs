//! The `vcam` command: argv goes to [`vcam::cli`], nothing else happens here.

fn main() {}
