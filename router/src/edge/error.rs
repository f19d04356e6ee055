//! The one place where errors become status codes, for gRPC and for HTTP.

use std::{fmt::Display, time::Duration};

use audit::log::LogError;
use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use embedding::EmbedError;
use serde_json::{Value, json};
use store::StoreError;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt};

use crate::{
    ask::AskError,
    fleet::{FleetError, LookError},
    receipt::{LedgerError, LogsError, ReadError, ReceiptError},
};

/// Whose reasons `ErrorInfo` carries.
const DOMAIN: &str = "consilium.v1";

/// After how long another try makes sense, where one does.
const RETRY_AFTER_SECONDS: u64 = 1;

impl From<AskError> for Status {
    fn from(error: AskError) -> Self {
        let message = error.to_string();
        let (code, reason) = match &error {
            AskError::Invalid(invalid) => return refused(invalid, message),
            AskError::UnknownSpecialist(_) => (Code::NotFound, "SPECIALIST_UNKNOWN"),
            AskError::Overloaded | AskError::Embed(EmbedError::Overloaded) => {
                return busy(message);
            }
            AskError::Embed(EmbedError::Stopped) => (Code::Unavailable, "ENCODER_STOPPED"),
            AskError::Embed(EmbedError::Tokenize(_) | EmbedError::Encode(_)) => {
                (Code::Internal, "ENCODER_FAILED")
            }
            AskError::Snapshot(_) => (Code::Internal, "SEARCH_FAILED"),
            AskError::Unrecorded(ReceiptError::UnknownPrevious(_)) => (Code::NotFound, "RECEIPT_UNKNOWN"),
            AskError::Unrecorded(_) => (Code::Unavailable, "UNRECORDED"),
            AskError::Unanswered(_) => (Code::Unavailable, "UNANSWERED"),
        };
        because(code, reason, message)
    }
}

impl From<FleetError> for Status {
    fn from(error: FleetError) -> Self {
        let message = error.to_string();
        let (code, reason) = match &error {
            FleetError::Unknown(_) => (Code::NotFound, "SPECIALIST_UNKNOWN"),
            FleetError::Duplicate(_) => (Code::AlreadyExists, "SPECIALIST_REGISTERED"),
            FleetError::Changed(_) => (Code::Aborted, "CARD_CHANGED"),
            FleetError::Full(_) => (Code::ResourceExhausted, "FLEET_FULL"),
            FleetError::Examining(_) => (Code::ResourceExhausted, "EXAMINATIONS_FULL"),
            FleetError::Foreign { .. } => (Code::FailedPrecondition, "EXAM_FAILED"),
            FleetError::Revoked(_) => (Code::FailedPrecondition, "KEY_REVOKED"),
            FleetError::Keyless(_) => (Code::FailedPrecondition, "NO_KEY"),
            FleetError::Unexamined | FleetError::Stopping => (Code::Unavailable, "STOPPING"),
            FleetError::Look(look) => match look {
                LookError::Unreachable(_) => (Code::Unavailable, "SPECIALIST_UNREACHABLE"),
                LookError::Refused { .. } => (Code::FailedPrecondition, "ADDRESS_REFUSED"),
                LookError::Timeout { .. } => (Code::Unavailable, "SPECIALIST_SLOW"),
                LookError::NotServing(_) => (Code::Unavailable, "SPECIALIST_NOT_SERVING"),
                LookError::NotSpecialist(_) => (Code::FailedPrecondition, "NOT_A_SPECIALIST"),
                LookError::Failed { .. } => (Code::FailedPrecondition, "SPECIALIST_FAILED"),
                LookError::Invalid { .. } => (Code::FailedPrecondition, "CONTRACT_BROKEN"),
                LookError::Signature { .. } => (Code::FailedPrecondition, "CARD_NOT_SIGNED"),
                LookError::Unproven(_) => (Code::FailedPrecondition, "KEY_NOT_HELD"),
                LookError::Random(_) => (Code::Internal, "NO_RANDOM_NUMBERS"),
                LookError::NothingToRouteBy(_) => (Code::FailedPrecondition, "NOTHING_TO_ROUTE_BY"),
                LookError::Moving(_) => (Code::Aborted, "CARD_CHANGED"),
                LookError::Embed(_) => (Code::Internal, "ENCODER_FAILED"),
            },
            FleetError::Store(StoreError::DiskFull) => (Code::ResourceExhausted, "DISK_FULL"),
            FleetError::Store(_) => (Code::Internal, "DATABASE_FAILED"),
            FleetError::Snapshot(_) => (Code::Internal, "SNAPSHOT_FAILED"),
            FleetError::Log(_) | FleetError::Corrupt { .. } => (Code::DataLoss, "DATABASE_CORRUPT"),
        };
        because(code, reason, message)
    }
}

/// A message that breaks the contract; the details name the field.
pub(super) fn invalid(invalid: &proto::Invalid) -> Status {
    refused(invalid, invalid.to_string())
}

/// A watcher that fell too far behind to be told everything.
pub(super) fn fell_behind() -> Status {
    because(Code::DataLoss, "FELL_BEHIND", "too many changes were missed: watch anew".to_owned())
}

/// A decision of which nobody can say what it follows from.
pub(super) fn underivable(why: &impl Display) -> Status {
    because(Code::Internal, "DERIVATION_FAILED", format!("the derivation could not be written: {why}"))
}

/// A gRPC method that nobody serves.
pub(super) fn no_such_method() -> Status {
    Status::unimplemented("no such method")
}

fn refused(invalid: &proto::Invalid, message: String) -> Status {
    let details = ErrorDetails::with_bad_request_violation(&invalid.field, invalid.problem.to_string());
    Status::with_error_details(Code::InvalidArgument, message, details)
}

fn busy(message: String) -> Status {
    let mut details = ErrorDetails::with_retry_info(Some(Duration::from_secs(RETRY_AFTER_SECONDS)));
    details.set_error_info("OVERLOADED", DOMAIN, []);
    Status::with_error_details(Code::ResourceExhausted, message, details)
}

fn because(code: Code, reason: &str, message: String) -> Status {
    let details = ErrorDetails::with_error_info(reason, DOMAIN, []);
    Status::with_error_details(code, message, details)
}

/// What the OpenAI-compatible interface answers in place of a completion.
#[derive(Debug, thiserror::Error)]
pub(super) enum ApiError {
    /// No answer.
    #[error(transparent)]
    Ask(#[from] AskError),
    /// The body is no JSON of the right shape.
    #[error("the body is not a request of this kind: {0}")]
    Malformed(String),
    /// The body is too large, or broke off.
    #[error("the body is larger than limits.request_bytes_max, or broke off: send less at a time")]
    Body {
        /// What the server made of it.
        status: StatusCode,
    },
    /// A parameter that this interface cannot honour.
    #[error("{why}")]
    Unsupported {
        /// Which.
        param: &'static str,
        /// Why, and what to do.
        why: String,
    },
    /// No such model.
    #[error("no model {0:?} here: GET /v1/models lists them")]
    UnknownModel(String),
    /// Nothing to open a receipt with.
    #[error("show what opens the receipt, which came with its answer, as Authorization: Bearer")]
    NoCapability,
    /// A receipt, or a log.
    #[error(transparent)]
    Receipt(#[from] ReadError),
    /// No such conversation, or another's: nobody learns which.
    #[error("no such conversation in this session: it was deleted, or this is another browser")]
    UnknownConversation,
    /// The conversation has no such turn.
    #[error("no such turn in this conversation: load it again")]
    UnknownTurn,
    /// Nothing is shared under this token, or not any more.
    #[error("nothing is shared here, or not any more: ask whoever sent the link")]
    NotShared,
    /// A change that another site may have asked for.
    #[error(
        "changes are taken from the router's own page only: send content-type: application/json, and no origin but \
         the host's"
    )]
    CrossOrigin,
    /// The system has no random numbers.
    #[error("the system gives no random numbers, so that nothing can be kept private")]
    Random,
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// No such path.
    #[error("nothing is served at {0}")]
    UnknownPath(String),
}

/// What a receipt or a log that cannot be read is over HTTP.
fn unread(error: &ReadError) -> (StatusCode, &'static str) {
    match error {
        ReadError::Unknown => (StatusCode::NOT_FOUND, "receipt_not_found"),
        ReadError::Logs(LogsError::Log(
            LogError::Uncosigned | LogError::Foreign | LogError::Checkpoint(_),
        )) => (StatusCode::BAD_REQUEST, "cosignature_refused"),
        ReadError::Logs(LogsError::Late | LogsError::Stopping(_)) => {
            (StatusCode::SERVICE_UNAVAILABLE, "log_late")
        }
        ReadError::Logs(_) => (StatusCode::INTERNAL_SERVER_ERROR, "log_failed"),
        ReadError::Unreadable => (StatusCode::INTERNAL_SERVER_ERROR, "internal_error"),
        ReadError::Store(error) => unstored(error),
    }
}

/// What a database that did not do it is over HTTP.
fn unstored(error: &StoreError) -> (StatusCode, &'static str) {
    match error {
        StoreError::Limit { .. } => (StatusCode::TOO_MANY_REQUESTS, "conversation_limit"),
        StoreError::Busy => (StatusCode::SERVICE_UNAVAILABLE, "database_busy"),
        StoreError::DiskFull => (StatusCode::SERVICE_UNAVAILABLE, "disk_full"),
        StoreError::Open { .. } | StoreError::Overtaken | StoreError::Gap(_) | StoreError::Database(_) => {
            (StatusCode::INTERNAL_SERVER_ERROR, "internal_error")
        }
    }
}

impl From<ReadError> for Status {
    fn from(error: ReadError) -> Self {
        let (status, reason) = unread(&error);
        let code = match status {
            StatusCode::NOT_FOUND => Code::NotFound,
            StatusCode::SERVICE_UNAVAILABLE => Code::Unavailable,
            _ => Code::Internal,
        };
        because(code, &reason.to_uppercase(), error.to_string())
    }
}

impl ApiError {
    fn status(&self) -> StatusCode {
        match self {
            Self::Malformed(_) | Self::Unsupported { .. } | Self::Ask(AskError::Invalid(_)) => {
                StatusCode::BAD_REQUEST
            }
            Self::UnknownModel(_)
            | Self::UnknownPath(_)
            | Self::UnknownConversation
            | Self::UnknownTurn
            | Self::NotShared
            | Self::Ask(
                AskError::UnknownSpecialist(_) | AskError::Unrecorded(ReceiptError::UnknownPrevious(_)),
            ) => StatusCode::NOT_FOUND,
            Self::Body { status } => *status,
            Self::CrossOrigin => StatusCode::FORBIDDEN,
            Self::Store(error) => unstored(error).0,
            Self::NoCapability => StatusCode::UNAUTHORIZED,
            Self::Receipt(error) => unread(error).0,
            Self::Ask(AskError::Overloaded | AskError::Embed(EmbedError::Overloaded)) => {
                StatusCode::TOO_MANY_REQUESTS
            }
            Self::Ask(
                AskError::Unanswered(_) | AskError::Unrecorded(_) | AskError::Embed(EmbedError::Stopped),
            ) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Random | Self::Ask(AskError::Embed(_) | AskError::Snapshot(_)) => {
                StatusCode::INTERNAL_SERVER_ERROR
            }
        }
    }

    /// Whether it may be over in a moment: nobody's waiting frees a disk or deletes a conversation.
    fn passes(&self) -> bool {
        matches!(
            self,
            Self::Ask(
                AskError::Overloaded
                    | AskError::Embed(EmbedError::Overloaded)
                    | AskError::Unanswered(_)
                    | AskError::Unrecorded(ReceiptError::Ledger(LedgerError::Busy))
            ) | Self::Receipt(
                ReadError::Logs(LogsError::Late | LogsError::Stopping(_))
                    | ReadError::Store(StoreError::Busy)
            ) | Self::Store(StoreError::Busy)
        )
    }

    /// The error object of the OpenAI API.
    pub(super) fn body(&self) -> Value {
        let (code, param) = match self {
            Self::Malformed(_) => ("invalid_request", None),
            Self::Body { .. } => ("invalid_body", None),
            Self::Unsupported { param, .. } => ("unsupported_parameter", Some((*param).to_owned())),
            Self::UnknownModel(_) => ("model_not_found", Some("model".to_owned())),
            Self::UnknownPath(_) => ("unknown_path", None),
            Self::UnknownConversation => ("conversation_not_found", None),
            Self::UnknownTurn => ("turn_not_found", None),
            Self::NotShared => ("not_shared", None),
            Self::CrossOrigin => ("cross_origin", None),
            Self::Store(error) => (unstored(error).1, None),
            Self::NoCapability => ("capability_missing", None),
            Self::Receipt(error) => (unread(error).1, None),
            Self::Ask(AskError::Invalid(invalid)) => ("invalid_value", Some(invalid.field.clone())),
            Self::Ask(AskError::UnknownSpecialist(_)) => ("specialist_not_found", None),
            Self::Ask(AskError::Overloaded | AskError::Embed(EmbedError::Overloaded)) => {
                ("rate_limit_exceeded", None)
            }
            Self::Ask(AskError::Unrecorded(ReceiptError::UnknownPrevious(_))) => {
                ("receipt_not_found", Some("consilium.previous_request_id".to_owned()))
            }
            Self::Ask(AskError::Unrecorded(_)) => ("unrecorded", None),
            Self::Ask(AskError::Unanswered(_)) => ("unanswered", None),
            Self::Random | Self::Ask(AskError::Embed(_) | AskError::Snapshot(_)) => ("internal_error", None),
        };
        let kind = match self.status() {
            status if status.is_server_error() => "server_error",
            StatusCode::TOO_MANY_REQUESTS if self.passes() => "rate_limit_error",
            _ => "invalid_request_error",
        };
        json!({ "error": { "message": self.to_string(), "type": kind, "param": param, "code": code } })
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut response = (self.status(), Json(self.body())).into_response();
        if self.passes() {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(RETRY_AFTER_SECONDS));
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn waits(error: ApiError, status: u16, expected: bool) {
        let response = error.into_response();
        assert_eq!(response.status(), status);
        assert_eq!(response.headers().contains_key(header::RETRY_AFTER), expected);
    }

    #[test]
    fn nobody_is_told_to_wait_for_what_no_time_mends() {
        let limit = || StoreError::Limit { what: "turns", max: 500, next: "begin a new conversation" };
        let unrecorded = |error: LedgerError| AskError::Unrecorded(error.into()).into();
        waits(AskError::Overloaded.into(), 429, true);
        waits(limit().into(), 429, false);
        waits(StoreError::Busy.into(), 503, true);
        waits(StoreError::DiskFull.into(), 503, false);
        waits(unrecorded(LedgerError::Busy), 503, true);
        waits(unrecorded(LedgerError::DiskFull), 503, false);
        let said = &ApiError::from(limit()).body()["error"];
        assert!(said["message"].as_str().unwrap().ends_with(": begin a new conversation"), "{said}");
        assert_eq!(
            (&said["type"], &said["code"]),
            (&json!("invalid_request_error"), &json!("conversation_limit"))
        );
    }
}
