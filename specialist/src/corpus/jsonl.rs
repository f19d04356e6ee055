//! `.jsonl`: one passage a line.

use serde_json::{Map, Value};

use super::{Draft, Fault, LINE_BYTES_MAX, file::decode};

/// The passages of a file whose lines are objects with `id`, `title`, `text`, `url`, `license`, `section`
/// and `page`, of which `id` and `text` must be there. Other fields and blank lines are passed over.
pub(super) fn read(bytes: &[u8]) -> impl Iterator<Item = Result<Draft, Fault>> {
    let lines = bytes.split(|byte| *byte == b'\n').zip(1..);
    lines.filter(|(bytes, _)| !bytes.trim_ascii().is_empty()).map(|(bytes, line)| {
        let draft = read_line(bytes).map_err(|problem| Fault { line, problem })?;
        Ok(Draft { line, ..draft })
    })
}

fn read_line(bytes: &[u8]) -> Result<Draft, String> {
    if bytes.len() > LINE_BYTES_MAX {
        return Err(format!("has more than {LINE_BYTES_MAX} bytes"));
    }
    let line = decode(bytes).map_err(|fault| fault.problem)?;
    // Only the column is taken from the parser's error: its message may quote the line.
    let value =
        serde_json::from_str(line).map_err(|error| format!("is not JSON (column {})", error.column()))?;
    let Value::Object(mut fields) = value else {
        return Err("is not a JSON object".into());
    };
    let page = match fields.remove("page") {
        None | Some(Value::Null) => 0,
        Some(page) => page.as_u64().and_then(|page| page.try_into().ok()).ok_or("page must be a number")?,
    };
    let mut take = |name| take(&mut fields, name);
    Ok(Draft {
        id: take("id")?,
        title: take("title")?,
        text: take("text")?,
        url: take("url")?,
        license: take("license")?,
        section: take("section")?,
        page,
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
