//! `.csv`: one passage a record. The first one names the columns.

use ::csv::{ByteRecord, ErrorKind, Position, ReaderBuilder, StringRecord};

use super::{Draft, Fault, LINE_BYTES_MAX, plain::stem};

/// The separators of columns that are known; the one that the first line has most of is taken.
const SEPARATORS: [u8; 3] = [b',', b';', b'\t'];

/// Where the columns stand.
struct Columns {
    id: Option<usize>,
    title: Option<usize>,
    text: usize,
    url: Option<usize>,
    license: Option<usize>,
}

impl Columns {
    fn read(names: &StringRecord) -> Option<Self> {
        let names: Vec<_> = names.iter().map(|name| name.trim().to_lowercase()).collect();
        let find = |known: &[&str]| names.iter().position(|name| known.contains(&name.as_str()));
        Some(Self {
            id: find(&["id"]),
            title: find(&["title", "question"]),
            text: find(&["text", "answer"])?,
            url: find(&["url"]),
            license: find(&["license"]),
        })
    }
}

/// The passages of a file whose columns are `text` or `answer`, and where they are there `id`, `title`
/// or `question`, `url` and `license`. Other columns are passed over. A passage without an id is named
/// after its record, without a title after its file.
pub(super) fn read<'a>(
    name: &'a str,
    bytes: &'a [u8],
) -> Result<impl Iterator<Item = Result<Draft, Fault>> + 'a, Fault> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let head = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let columns = |separator: &u8| head.split(|byte| byte == separator).count();
    // The last of the best is taken, so that a single column is separated by commas.
    let separator = SEPARATORS.into_iter().rev().max_by_key(columns).unwrap_or(b',');
    let mut reader = ReaderBuilder::new().delimiter(separator).from_reader(bytes);
    let columns = reader.headers().ok().and_then(Columns::read);
    let problem = || "names no column `text` or `answer`".to_owned();
    let columns = columns.ok_or_else(|| Fault { line: 1, problem: problem() })?;
    let records = reader.into_byte_records().zip(1..);
    Ok(records.map(move |(record, number)| {
        let record = record.map_err(|error| fault(&error, bytes))?;
        let line = line(record.position(), bytes);
        let draft = draft(record, &columns, (name, number)).map_err(|problem| Fault { line, problem })?;
        Ok(Draft { line, ..draft })
    }))
}

fn draft(record: ByteRecord, columns: &Columns, (name, number): (&str, usize)) -> Result<Draft, String> {
    if record.as_slice().len() > LINE_BYTES_MAX {
        return Err(format!("has more than {LINE_BYTES_MAX} bytes: is a quotation mark missing?"));
    }
    let record = StringRecord::from_byte_record(record).map_err(|_| "is not UTF-8")?;
    let at = |column: usize| record.get(column).unwrap_or_default().trim();
    let or = |column: Option<usize>, other: String| match column.map(at).filter(|field| !field.is_empty()) {
        Some(field) => field.to_owned(),
        None => other,
    };
    Ok(Draft {
        id: or(columns.id, format!("{name}#{number}")),
        title: or(columns.title, stem(name)),
        text: at(columns.text).to_owned(),
        url: or(columns.url, String::new()),
        license: or(columns.license, String::new()),
        ..Draft::default()
    })
}

/// The line that a record begins in. The parser's position lies before the line breaks above it.
fn line(position: Option<&Position>, bytes: &[u8]) -> usize {
    let Some(position) = position else { return 0 };
    let at = usize::try_from(position.byte()).unwrap_or(usize::MAX);
    let breaks = bytes.get(at..).unwrap_or_default().iter().take_while(|byte| b"\r\n".contains(byte));
    let above = usize::try_from(position.line()).unwrap_or(usize::MAX);
    above.saturating_add(breaks.filter(|byte| **byte == b'\n').count())
}

/// What is wrong with a record, without its words.
fn fault(error: &::csv::Error, bytes: &[u8]) -> Fault {
    let line = line(error.position(), bytes);
    let problem = match error.kind() {
        ErrorKind::UnequalLengths { expected_len, len, .. } => {
            format!("has {len} columns, where the first line has {expected_len}")
        }
        _ => "is no record of columns".to_owned(),
    };
    Fault { line, problem }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each passage as "line id title text", or each fault.
    #[track_caller]
    fn reads(csv: &[u8], expected: &[&str]) {
        let drafts = match read("a/faq.csv", csv) {
            Ok(drafts) => drafts.collect(),
            Err(fault) => vec![Err(fault)],
        };
        let seen: Vec<_> = drafts
            .into_iter()
            .map(|draft| match draft {
                Ok(d) => format!("{} {} {} {}", d.line, d.id, d.title, d.text),
                Err(fault) => format!("{} {}", fault.line, fault.problem),
            })
            .collect();
        assert_eq!(seen, expected);
    }

    #[test]
    fn columns_are_found_by_name() {
        reads(b"id,title,text,other\na,Moon,It shines.,x\n", &["2 a Moon It shines."]);
        reads(
            b"\xef\xbb\xbfAnswer;Question\r\n\"Yes;\r\nit does.\";Does it?\r\nNo.;\r\n",
            &["2 a/faq.csv#1 Does it? Yes;\r\nit does.", "4 a/faq.csv#2 faq No."],
        );
        reads(b"text\nOne.\n", &["2 a/faq.csv#1 faq One."]);
        reads(b"", &["1 names no column `text` or `answer`"]);
        reads(b"a,b\n1,2\n", &["1 names no column `text` or `answer`"]);
    }

    #[test]
    fn a_bad_record_leaves_the_others() {
        reads(
            b"id,text\na,x\nsecret\n\xff,y\nb,z\n",
            &["2 a faq x", "3 has 1 columns, where the first line has 2", "4 is not UTF-8", "5 b faq z"],
        );
    }
}
