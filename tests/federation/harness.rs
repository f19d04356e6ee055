//! Starts institutions and routers as processes, and speaks to them.

mod browser;
mod institution;
mod network;
mod process;
mod router;
mod slip;

pub(crate) use browser::Browser;
pub(crate) use institution::Institution;
pub(crate) use network::{Fault, Network};
pub(crate) use process::{PATIENCE, Process, eventually, program, run};
pub(crate) use router::{Answer, Events, Killed, Router, SETTINGS};
pub(crate) use slip::Slip;
