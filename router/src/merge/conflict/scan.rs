//! A sentence as words, numbers and marks.

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A letter, and letters, digits and apostrophes after it.
    Word,
    /// Digits, with points and commas inside: "1,000", "3.5", "03.05.2020".
    Number,
    /// Any other character that is no white space.
    Mark,
}

/// A part of a sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Token<'a> {
    pub(super) kind: Kind,
    pub(super) text: &'a str,
    /// `text` in lower case, with plain apostrophes.
    pub(super) lower: String,
    /// Nothing stands between it and the token before.
    pub(super) glued: bool,
}

/// The tokens of `text`, in their order.
pub(super) fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    let mut at = 0;
    let mut glued = false;
    while let Some(first) = text[at..].chars().next() {
        let rest = &text[at..];
        if first.is_whitespace() {
            at += first.len_utf8();
            glued = false;
            continue;
        }
        let (kind, length) = if first.is_ascii_digit() {
            (Kind::Number, number(rest))
        } else if first.is_alphabetic() {
            (Kind::Word, word(rest))
        } else {
            (Kind::Mark, first.len_utf8())
        };
        let text = &rest[..length];
        let lower = text.to_lowercase().replace('\u{2019}', "'");
        tokens.push(Token { kind, text, lower, glued });
        glued = true;
        at += length;
    }
    tokens
}

fn word(rest: &str) -> usize {
    let goes_on = |c: char| c.is_alphanumeric() || matches!(c, '\'' | '\u{2019}' | '²' | '³');
    rest.find(|c| !goes_on(c)).unwrap_or(rest.len())
}

fn number(rest: &str) -> usize {
    let digit = |at: usize| rest.as_bytes().get(at).is_some_and(u8::is_ascii_digit);
    let inside = |at: usize| matches!(rest.as_bytes().get(at), Some(b'.' | b',')) && digit(at + 1);
    (0..rest.len()).find(|&at| !digit(at) && !inside(at)).unwrap_or(rest.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_numbers_and_marks() {
        let text = "Don’t give 1,000.5 mg/kg in 5-year-olds, 3 µg.";
        let found: Vec<&str> = tokens(text).iter().map(|token| token.text).collect();
        let expected = "Don’t|give|1,000.5|mg|/|kg|in|5|-|year|-|olds|,|3|µg|.";
        assert_eq!(found.join("|"), expected);
        assert!(tokens(text)[4].glued && !tokens(text)[3].glued);
        assert_eq!(tokens("").len(), 0);
    }
}
