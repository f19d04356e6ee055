//! What surrounds any of our servers: settings, telemetry, the listening socket, owned tasks and
//! the way to stop. It knows nothing of questions or specialists.

pub mod config;
pub mod listen;
pub mod tasks;
pub mod telemetry;

pub use config::ConfigError;
pub use listen::{ListenError, listen};
pub use tasks::{Tasks, signal};
