//! What can go wrong for the person at the terminal, and the exit code that says so.

use std::{fmt, io, process::ExitCode};

use tonic::{Code, Status};

/// Why a command did not do what it was asked.
#[derive(Debug)]
pub(crate) enum Failure {
    /// It was tried and failed.
    Failed(String),
    /// The command line makes no sense.
    Usage(String),
    /// The router or the specialist cannot be reached.
    Unreachable(String),
    /// What was found must not be admitted.
    Refused(String),
    /// Whoever reads the output has had enough; nothing is wrong.
    EnoughRead,
}

impl Failure {
    /// 1 failed, 2 usage, 3 unreachable, 4 refused by verification.
    pub(crate) fn exit_code(&self) -> ExitCode {
        ExitCode::from(match self {
            Self::EnoughRead => 0,
            Self::Failed(_) => 1,
            Self::Usage(_) => 2,
            Self::Unreachable(_) => 3,
            Self::Refused(_) => 4,
        })
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed(why) | Self::Usage(why) | Self::Unreachable(why) | Self::Refused(why) => {
                f.write_str(why)
            }
            Self::EnoughRead => f.write_str("the output was closed"),
        }
    }
}

impl From<Status> for Failure {
    fn from(status: Status) -> Self {
        let why = status.message().to_owned();
        match status.code() {
            Code::Unavailable | Code::DeadlineExceeded => Self::Unreachable(why),
            Code::FailedPrecondition | Code::Aborted => Self::Refused(why),
            Code::InvalidArgument => Self::Usage(why),
            _ => Self::Failed(why),
        }
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::EnoughRead,
            _ => Self::Failed(error.to_string()),
        }
    }
}

impl From<proto::Invalid> for Failure {
    fn from(invalid: proto::Invalid) -> Self {
        Self::Failed(format!("the router sent what this version cannot read: {invalid}"))
    }
}
