//! The federation as its users meet it: real processes on loopback or on hosts of their own, real gRPC
//! and HTTP, a real database. Encoders are hashed, so no weights are needed; `examples.rs` uses the
//! real ones.

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]

mod harness;

mod admission;
mod answers;
mod assets;
mod bad_input;
mod changes;
mod conformance;
mod consent;
mod conversations;
mod counting;
mod crashes;
mod deriving;
mod dialling;
mod documents;
mod examples;
mod failures;
mod fleet;
mod full_disk;
mod general;
mod history;
mod hostile;
mod hosts;
mod indexing;
mod keys;
mod learning;
mod merging;
mod openai;
mod operating;
mod patience;
mod probing;
mod python;
mod receipts;
mod registering;
mod soap;
mod tidy;
mod turns;
mod vouching;
mod wishes;
