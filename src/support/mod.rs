//! What has nothing to do with elections: bad input in plain words, the usual limit of memory,
//! panics that are caught.

pub mod memory;
pub mod panics;
pub mod plain;
pub mod problem;
