//! Questions in a language that the encoder does not cover.

use serde::{Deserialize, Serialize};
use whatlang::Lang;

/// How sure the detection must be where the script is that of a covered language: 0 to 1. Lower than what
/// the detector itself calls reliable, since questions are short; English questions were hardly ever taken
/// for another language at this.
const CONFIDENCE_MIN: f64 = 0.7;

/// A language, by its code in ISO 639-3.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "&'static str")]
pub struct Language(Lang);

impl Language {
    /// That of the encoder which Consilium comes with.
    pub const ENGLISH: Self = Self(Lang::Eng);

    /// Its code, as `eng`.
    pub fn code(self) -> &'static str {
        self.0.code()
    }

    /// Its name in English.
    pub fn name(self) -> &'static str {
        self.0.eng_name()
    }
}

/// No language that can be told apart has this code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no language here has the code {0:?}: use three letters of ISO 639-3, such as eng or deu")]
pub struct UnknownLanguage(String);

impl From<Language> for &'static str {
    fn from(language: Language) -> Self {
        language.code()
    }
}

impl TryFrom<String> for Language {
    type Error = UnknownLanguage;

    fn try_from(code: String) -> Result<Self, UnknownLanguage> {
        Lang::from_code(code.as_str()).map(Self).ok_or(UnknownLanguage(code))
    }
}

/// A question's language that the encoder does not cover.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Foreign {
    /// What the question seems to be in.
    pub language: Language,
    /// What the encoder covers: one at least.
    pub covered: Vec<Language>,
}

/// What `question` seems to be in, where it is none of `covered`: by its script, or else by its letters and
/// their order, where these leave little doubt. `None` where nobody knows, and where nothing is covered in
/// particular.
pub fn foreign(question: &str, covered: &[Language]) -> Option<Foreign> {
    if covered.is_empty() {
        return None;
    }
    let found = whatlang::detect(question)?;
    let language = Language(found.lang());
    let script_is_covered = covered.iter().any(|covered| found.script().langs().contains(&covered.0));
    let sure = !script_is_covered || found.confidence() >= CONFIDENCE_MIN;
    (sure && !covered.contains(&language)).then(|| Foreign { language, covered: covered.to_vec() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn seems(question: &str, expected: Option<&str>) {
        let foreign = foreign(question, &[Language::ENGLISH]);
        assert_eq!(foreign.map(|foreign| foreign.language.code()), expected, "{question}");
    }

    #[test]
    fn other_languages_are_told() {
        seems("Mein Vermieter will die Kaution behalten, darf er das?", Some("deu"));
        seems("Wie werden Kinder mit Leukämie behandelt?", Some("deu"));
        seems("¿Cómo se trata la leucemia en los niños?", Some("spa"));
        seems("Mon propriétaire veut garder la caution, a-t-il le droit ?", Some("fra"));
    }

    #[test]
    fn another_script_is_told_however_short_the_question() {
        seems("لماذا المريخ أحمر؟", Some("ara"));
        seems("火星为什么是红色的？", Some("cmn"));
        seems("なぜ火星は赤いのですか", Some("jpn"));
        seems("Почему Марс красный?", Some("rus"));
    }

    #[test]
    fn english_is_never_told_however_short() {
        let short =
            ["measles?", "taxes", "flu", "and for infants?", "rent deposit", "401k", "C++ vs Rust", "?"];
        for question in short.into_iter().chain(["What does 你好 mean?", "Is a café a restaurant?", ""]) {
            seems(question, None);
        }
    }

    #[test]
    fn what_is_covered_is_a_setting() {
        let german = Language::try_from("deu".to_owned()).unwrap();
        let question = "Mein Vermieter will die Kaution behalten, darf er das?";
        assert_eq!(foreign(question, &[Language::ENGLISH, german]), None);
        assert_eq!(foreign(question, &[]), None);
        let english = foreign("Does my landlord have to paint the walls of the flat?", &[german]);
        assert_eq!(english, Some(Foreign { language: Language::ENGLISH, covered: vec![german] }));
        let error = Language::try_from("de".to_owned()).unwrap_err().to_string();
        assert!(error.contains("\"de\"") && error.contains("ISO 639-3"), "{error}");
    }
}
