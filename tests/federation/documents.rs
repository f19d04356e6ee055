//! An institution's documents: what a reader sees of where words stand.

use serde_json::{Value, json};

use crate::{
    answers::planets,
    harness::{Router, run},
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
