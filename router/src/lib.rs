//! The front end: takes a question, picks the specialists whose domain it falls in, asks them, and
//! merges what they say into one answer in which every word has an owner.
//!
//! [`ask`] reads as the request path; [`route`] and [`merge`] are its pure decisions, [`dispatch`],
//! [`dial`] and [`edge`] its thin edges, [`app`] the one place where all of it is joined.

pub mod app;
pub mod ask;
pub mod calibrate;
pub mod cited;
pub mod cli;
mod clock;
pub mod config;
pub mod conversations;
pub mod dial;
pub mod dispatch;
pub mod edge;
pub mod fleet;
pub mod key;
pub mod learn;
pub mod merge;
mod messages;
pub mod metrics;
pub mod policy;
pub mod receipt;
pub mod replay;
pub mod route;
pub mod trust;
