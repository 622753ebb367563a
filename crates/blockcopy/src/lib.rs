//! blockcopy
