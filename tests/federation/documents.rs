//! An institution's documents: what a reader sees of where words stand.

use serde_json::{Value, json};

use crate::{
    answers::planets,
    harness::{Institution, Router, run},
};

#[tokio::test]
async fn a_reader_sees_section_and_page_on_every_way() {
    let institution = planets();
    let passage = json!({
        "id": "dose", "title": "Fever guide", "section": "Treatment > Dose", "page": 12,
        "text": "Paracetamol for a child with fever is measured by weight.",
    });
    institution.writes("guide.jsonl", &passage.to_string());
    let specialist = institution.start().await;
    let router = Router::start().await;
    router.add(&specialist).await;
    let question = "how is paracetamol for a child with fever measured";

    let answer = router.ask(question).await;
    let passage = answer.sources[0].passage.as_ref().unwrap();
    assert_eq!((passage.section.as_str(), passage.page), ("Treatment > Dose", 12));

    let url = router.process.url.as_str();
    let asked = run("router", ["ask", question, "--router", url]).await;
    let text = String::from_utf8(asked.stdout).unwrap();
    assert!(text.contains("[1] Fever guide, Treatment > Dose, p. 12 ("), "{text}");
    let asked = run("router", ["ask", question, "--router", url, "-o", "json"]).await;
    let printed: Value = serde_json::from_slice(&asked.stdout).unwrap();
    let source = &printed["sources"][0];
    assert_eq!((&source["section"], &source["page"]), (&json!("Treatment > Dose"), &json!(12)));

    let body = json!({ "model": "consilium/auto", "messages": [{ "role": "user", "content": question }] });
    let posted = reqwest::Client::new().post(format!("{url}/v1/chat/completions")).json(&body).send().await;
    let whole: Value = posted.unwrap().json().await.unwrap();
    assert_eq!(whole["citations"][0]["page"], 12);
    let title = &whole["choices"][0]["message"]["annotations"][0]["url_citation"]["title"];
    assert_eq!(title, "Fever guide, Treatment > Dose, p. 12");
}

#[tokio::test]
async fn a_web_page_is_answered_from_with_its_own_address() {
    let institution = Institution::new("fever").set("corpus = \"corpus\"\nencoder = { kind = \"hashed\" }\n");
    let words = |of: &str| format!("Fever and {of}: what a family should know of {of} at home. ").repeat(4);
    let parts = ["rest", "drinks", "spots", "sleep", "school"];
    let sections: String = parts.iter().map(|of| format!("<h2>{of}</h2><p>{}</p>", words(of))).collect();
    let page = format!(
        "<title>Fever guide</title><link rel=canonical href='https://example.org/fever'><nav>Home</nav>\
         <h1>Fever guide</h1>{sections}<h2>Treatment</h2><h3>Dose</h3>\
         <p>Paracetamol for a child with fever is measured by weight.</p>"
    );
    institution.writes("guide.html", &page);
    let specialist = institution.start().await;
    let router = Router::start().await;
    router.add(&specialist).await;

    let answer = router.ask("how is paracetamol for a child with fever measured").await;
    let passage = answer.sources[0].passage.as_ref().unwrap();
    let shown = (passage.title.as_str(), passage.section.as_str(), passage.url.as_str());
    assert_eq!(shown, ("Fever guide", "Treatment > Dose", "https://example.org/fever"));
    assert_eq!(passage.passage_id, "guide.html#dose");
    assert!(answer.words_of("fever").starts_with("Paracetamol for a child"), "{}", answer.text());
}
