//! A conversation as a file.

use axum::{
    extract::{Path, Query, State, rejection::QueryRejection},
    http::header,
    response::IntoResponse,
};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;
use store::ConversationRow;

use super::{super::error::ApiError, Page, session::Session, view};

#[derive(Deserialize)]
pub(super) struct Exported {
    format: Format,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Format {
    Markdown,
    Json,
}

/// One as a file: in Markdown the way to the newest turn, in JSON all there is, with what opens its receipts.
pub(super) async fn export(
    State(page): State<Page>,
    session: Session,
    Path(id): Path<String>,
    wanted: Result<Query<Exported>, QueryRejection>,
) -> Result<impl IntoResponse, ApiError> {
    let (_, row) = page.own(&session, &id).await?;
    let Query(Exported { format }) = wanted.map_err(|_| ApiError::Unsupported {
        param: "format",
        why: "format is markdown or json".to_owned(),
    })?;
    let turns = page.store().turns(row.place).await?;
    let (kind, ending, content) = match format {
        Format::Json => {
            let whole = format!("{:#}\n", view::conversation(&row, turns));
            ("application/json", "json", whole)
        }
        Format::Markdown => {
            let turns: Vec<Value> = view::newest_path(turns).into_iter().map(view::turn).collect();
            ("text/markdown; charset=utf-8", "md", markdown(&row, &turns))
        }
    };
    let disposition = format!("attachment; filename=\"conversation-{id}.{ending}\"");
    Ok(([(header::CONTENT_TYPE, kind.to_owned()), (header::CONTENT_DISPOSITION, disposition)], content))
}

/// Questions as quotations, answers with their sources and notices.
fn markdown(row: &ConversationRow, turns: &[Value]) -> String {
    let mut text = format!("# {}\n", row.title);
    for turn in turns {
        let asked_at = turn["created_at_ms"].as_i64().and_then(|ms| Timestamp::from_millisecond(ms).ok());
        let asked_at = asked_at.map(|at| at.strftime("%Y-%m-%d %H:%M UTC").to_string()).unwrap_or_default();
        text.push_str(&format!("\n---\n\n*{asked_at}*\n\n"));
        for line in turn["question"].as_str().unwrap_or_default().lines() {
            text.push_str(format!("> {line}").trim_end());
            text.push('\n');
        }
        let answer = &turn["answer"];
        let said = answer["choices"][0]["message"]["content"].as_str().unwrap_or_default().trim();
        if !said.is_empty() {
            text.push_str(&format!("\n{said}\n"));
        }
        if let Some(why) = ended(turn) {
            text.push_str(&format!("\n*{why}*\n"));
        }
        let sources = list(&answer["citations"]).map(source);
        let notices = list(&answer["consilium"]["notices"]).map(notice);
        for (heading, lines) in [("Sources", sources.collect::<Vec<_>>()), ("Notices", notices.collect())] {
            if !lines.is_empty() {
                text.push_str(&format!("\n{heading}:\n\n{}\n", lines.join("\n")));
            }
        }
    }
    text
}

/// Why an answer is not whole.
fn ended(turn: &Value) -> Option<&str> {
    match turn["state"].as_str()? {
        "running" => Some("The answer is under way."),
        "stopped" => Some("The answer was stopped."),
        "failed" => turn["error"]["message"].as_str(),
        _ => None,
    }
}

fn source(citation: &Value) -> String {
    let field = |name: &str| citation[name].as_str().unwrap_or_default();
    let url = Some(field("url")).filter(|url| !url.is_empty()).map(|url| format!(", <{url}>"));
    let (title, specialist, license) = (field("title"), field("specialist"), field("license"));
    format!("- [{}] {title} ({specialist}, {license}){}", citation["number"], url.unwrap_or_default())
}

fn notice(notice: &Value) -> String {
    let field = |name: &str| notice[name].as_str().unwrap_or_default();
    format!("- {}: {}", field("specialist"), field("text"))
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}
