//! Several answers become one: what repeats, what is new, what contradicts, and what nobody needs.

use proto::wire::{CandidateStatus, Difference, FinishReason};
use serde_json::{Value, json};

use crate::{
    answers::{every_word_has_an_owner, planets},
    harness::{Answer, Institution, Process, Router, run},
};

const QUESTION: &str = "how much zinc for children";

/// A clinic whose only passage about zinc says this.
fn clinic(id: &str, zinc: &str) -> Institution {
    Institution::new(id).knows(&[
        ("Zinc, children", zinc),
        ("Iron, tea", "Tea keeps iron from being taken up."),
        ("Fever, water", "Whoever has a fever drinks more water."),
        ("Cough, honey", "Honey soothes a cough at night."),
        ("Wounds, soap", "Wounds are washed with soap and dried."),
    ])
}

const ZINC: &str = "Children with diarrhoea take 10 mg of zinc a day. Tablets dissolve in a spoon of water.";

/// What two clinics answer whose passages about zinc say this, the lead's first.
async fn asked(zinc: [&str; 2]) -> (Answer, Router, [Process; 2]) {
    let clinics = [clinic("north", zinc[0]).start().await, clinic("south", zinc[1]).start().await];
    let router = Router::generous().await;
    for clinic in &clinics {
        router.add(clinic).await;
    }
    let answer = router.ask(QUESTION).await;
    every_word_has_an_owner(&answer);
    for id in ["north", "south"] {
        assert_eq!(answer.status_of(id), CandidateStatus::Answered, "{}", answer.text());
    }
    (answer, router, clinics)
}

/// Who leads, and who follows.
fn order(answer: &Answer) -> (&str, &str) {
    let lead = answer.spans[0].specialist_id.as_str();
    (lead, if lead == "north" { "south" } else { "north" })
}

#[tokio::test]
async fn what_both_say_is_said_once_with_the_sources_of_both() {
    let (answer, router, _clinics) = asked([ZINC, ZINC]).await;
    let (lead, second) = order(&answer);
    assert_eq!(answer.text(), format!("{ZINC} [1]\n\n*Institute of {second} says the same* [2]"));
    assert_eq!((answer.words_of(lead).as_str(), answer.words_of(second).as_str()), (ZINC, ""));
    let agreements: Vec<_> = answer.agreements.iter().map(|a| answer.words_in(a.range.as_ref())).collect();
    assert_eq!(
        agreements,
        ["Children with diarrhoea take 10 mg of zinc a day.", "Tablets dissolve in a spoon of water."]
    );
    for agreement in &answer.agreements {
        let citation = agreement.citation.expect("a source");
        assert_eq!((agreement.specialist_id.as_str(), citation.source_number), (second, 2));
        let passage = &answer.sources[1].passage.as_ref().unwrap().text;
        let range = citation.start_bytes as usize..citation.end_bytes as usize;
        assert_eq!(passage[range].trim(), answer.words_in(agreement.range.as_ref()));
    }
    let finish = answer.finish.as_ref().unwrap();
    assert_eq!((finish.notices.len(), finish.left_out[0].repeated_bytes as usize), (2, ZINC.len() - 1));

    let body = json!({ "model": "consilium/auto", "messages": [{ "role": "user", "content": QUESTION }] });
    let url = format!("{}/v1/chat/completions", router.process.url);
    let answer: Value =
        reqwest::Client::new().post(&url).json(&body).send().await.unwrap().json().await.unwrap();
    let agreement = &answer["consilium"]["agreements"][1];
    assert_eq!((&agreement["range"]["start"], &agreement["citation"]["source"]), (&json!(50), &json!(2)));
    let annotation = &answer["choices"][0]["message"]["annotations"][1]["url_citation"];
    assert_eq!((&annotation["start_index"], &annotation["end_index"]), (&json!(0), &json!(49)));

    let body = json!({ "model": "consilium/auto", "messages": body["messages"], "stream": true });
    let stream = reqwest::Client::new().post(url).json(&body).send().await.unwrap().text().await.unwrap();
    // Each before the end, and after its source.
    let at = |what: &str| stream.find(what).unwrap_or_else(|| panic!("{what} is missing in {stream}"));
    assert!(
        at(r#""citation":{"license""#) < at(r#""agreement":{"#) && at(r#""agreement":{"#) < at("annotations")
    );
}

#[tokio::test]
async fn another_dose_is_shown_beside_the_first_and_nobody_decides() {
    let other = "Children with diarrhoea take 20 mg of zinc a day. Tablets dissolve in a spoon of water.";
    let (answer, router, _clinics) = asked([ZINC, other]).await;
    let (_, second) = order(&answer);
    let [disagreement] = answer.disagreements.as_slice() else { panic!("{}", answer.text()) };
    assert_eq!(disagreement.difference(), Difference::Numbers);
    let mut sides = [disagreement.earlier, disagreement.later].map(|range| answer.words_in(range.as_ref()));
    sides.sort();
    let sentence = |mg: &str| format!("Children with diarrhoea take {mg} mg of zinc a day.");
    assert_eq!(sides, [sentence("10"), sentence("20")]);
    let text = answer.text();
    assert!(text.contains(&format!("\n\n**Institute of {second}**\n\nChildren with")), "{text}");
    assert!(text.ends_with("\n\n*[1] and [2] differ in numbers.*"), "{text}");
    // What they agree on is not said again.
    assert_eq!((text.matches("Tablets dissolve").count(), answer.agreements.len()), (1, 1));

    let shown = run("router", ["ask", QUESTION, "--router", &router.process.url]).await;
    let shown = String::from_utf8(shown.stdout).unwrap();
    for expected in ["These differ in numbers:\n", "says too:\n  Tablets dissolve", "Left out of"] {
        assert!(shown.contains(expected), "{expected:?} is missing in {shown}");
    }
    let shown = run("router", ["ask", QUESTION, "--router", &router.process.url, "-o", "json"]).await;
    let shown: Value = serde_json::from_slice(&shown.stdout).unwrap();
    assert_eq!(shown["disagreements"][0]["difference"], "numbers");
    assert_eq!(shown["agreements"][0]["specialist"], second);
}

#[tokio::test]
async fn an_answer_that_its_source_hardly_supports_is_left_out_and_the_record_says_so() {
    let planets = planets().start().await;
    let other = r#"{ passage = "Rye bread rises slowly." }, { say = "Rye bread rises slowly." }"#;
    let other = Institution::new("other").scripted("why do cakes rise", other).start().await;
    let router = Router::generous().await;
    router.add(&planets).await;
    router.add(&other).await;

    let answer = router.ask("why is Mars red").await;
    every_word_has_an_owner(&answer);
    assert_eq!(answer.spans[0].specialist_id, "planets", "{}", answer.text());
    assert_eq!(answer.words_of("other"), "", "{}", answer.text());
    let left = &answer.finish.as_ref().unwrap().left_out[0];
    assert_eq!((left.specialist_id.as_str(), left.outranked_bytes), ("other", 23));
    assert_eq!(answer.status_of("other"), CandidateStatus::Answered);
}

#[tokio::test]
async fn a_second_that_breaks_off_keeps_what_it_said_and_is_marked() {
    let lead = Institution::new("lead").scripted(QUESTION, r#"{ say = "Ten milligrams a day." }"#);
    let second = r#"{ say = "Iron is another matter. " }, { say = "It " }, "fail""#;
    let second = Institution::new("second").scripted("how much iron for adults", second);
    let (lead, second) = (lead.start().await, second.start().await);
    let router = Router::generous().await;
    router.add(&lead).await;
    router.add(&second).await;

    let answer = router.ask(QUESTION).await;
    every_word_has_an_owner(&answer);
    let expected = "Ten milligrams a day.\n\n**Institute of second**\n\nIron is another matter. It \n\n*About second \
                    broke off here: the words above are incomplete.*";
    assert_eq!(answer.text(), expected);
    assert_eq!(
        (answer.status_of("lead"), answer.status_of("second"), answer.reason()),
        (CandidateStatus::Answered, CandidateStatus::Failed, FinishReason::Answered)
    );
}
