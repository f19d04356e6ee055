//! `.jsonl`: one passage a line.

use serde_json::{Map, Value};

use super::{Draft, Fault, LINE_BYTES_MAX};

/// The passages of a file whose lines are objects with `id`, `title`, `text`, `url` and `license`,
/// of which `id` and `text` must be there. Other fields and blank lines are passed over.
pub(super) fn read(text: &str) -> Result<Vec<Draft>, Fault> {
    let mut drafts = Vec::new();
    for (at, line) in text.split('\n').enumerate() {
        if line.trim().is_empty() {
            continue;
        }
        let draft = read_line(line).map_err(|problem| Fault { line: at + 1, problem })?;
        drafts.push(Draft { line: at + 1, ..draft });
    }
    Ok(drafts)
}

fn read_line(line: &str) -> Result<Draft, String> {
    if line.len() > LINE_BYTES_MAX {
        return Err(format!("has more than {LINE_BYTES_MAX} bytes"));
    }
    // Only the column is taken from the parser's error: its message may quote the line.
    let value =
        serde_json::from_str(line).map_err(|error| format!("is not JSON (column {})", error.column()))?;
    let Value::Object(mut fields) = value else {
        return Err("is not a JSON object".into());
    };
    let mut take = |name| take(&mut fields, name);
    Ok(Draft {
        id: take("id")?,
        title: take("title")?,
        text: take("text")?,
        url: take("url")?,
        license: take("license")?,
        line: 0,
    })
}

fn take(fields: &mut Map<String, Value>, name: &str) -> Result<String, String> {
    match fields.remove(name) {
        None | Some(Value::Null) => Ok(String::new()),
        Some(Value::String(text)) => Ok(text),
        Some(_) => Err(format!("{name} must be a string")),
    }
}
