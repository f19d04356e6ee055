//! Readers' thumbs: kept beside their turns, and learned from within bounds.

use std::fs;

use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};

use crate::{
    deriving::{explained, replayed},
    harness::{Institution, Process, Router, run},
};

/// What two specialists would answer alike.
const QUESTION: &str = "why do soap bubbles shimmer";

/// What one of them alone would.
const CLEAR: &str = "how are candles dipped";

/// Two specialists, of whom `chemist` comes first by its name alone, and the best one is asked.
async fn two() -> (Router, [Process; 2]) {
    let one = |id: &str| Institution::new(id).scripted(QUESTION, r#"{ say = "Light." }"#);
    let chemist = Institution::new("chemist").set(&format!(
        "encoder = {{ kind = \"none\" }}\nexample_questions = [{QUESTION:?}, {CLEAR:?}]\n\
         generator = {{ kind = \"scripted\", steps = [{{ say = \"Light.\" }}] }}\n"
    ));
    let specialists = [chemist.start().await, one("physicist").start().await];
    let router = Router::thrifty().await;
    for specialist in &specialists {
        router.add(specialist).await;
    }
    (router, specialists)
}

/// A reader, whose cookie is its number.
struct Reader {
    url: String,
    client: Client,
    cookie: String,
}

impl Reader {
    fn new(router: &Router, number: u8) -> Self {
        let cookie = format!("consilium_session={}", format!("{number:02x}").repeat(32));
        Self { url: router.process.url.clone(), client: Client::new(), cookie }
    }

    async fn send(&self, method: Method, path: &str, body: &Value) -> (StatusCode, String) {
        let request = self.client.request(method, format!("{}/v1/{path}", self.url));
        let response = request.header("cookie", &self.cookie).json(body).send().await.unwrap();
        (response.status(), response.text().await.unwrap())
    }

    async fn begin(&self) -> String {
        let (_, begun) = self.send(Method::POST, "conversations", &json!({})).await;
        let begun: Value = serde_json::from_str(&begun).unwrap();
        format!("conversations/{}", begun["id"].as_str().unwrap())
    }

    /// Asks to the end; the path of the turn's thumb.
    async fn ask(&self, conversation: &str) -> String {
        let (_, said) =
            self.send(Method::POST, &format!("{conversation}/turns"), &json!({ "text": QUESTION })).await;
        let first = said.lines().find_map(|line| line.strip_prefix("data: ")).unwrap();
        let begun: Value = serde_json::from_str(first).unwrap();
        format!("{conversation}/turns/{}/feedback", begun["turn"]["id"].as_str().unwrap())
    }

    async fn rate(&self, thumb: &str, rating: &Value) -> StatusCode {
        self.send(Method::PUT, thumb, rating).await.0
    }

    /// The thumb of a conversation's first turn, as its owner sees it.
    async fn seen(&self, conversation: &str) -> Value {
        let (_, shown) = self.send(Method::GET, conversation, &Value::Null).await;
        serde_json::from_str::<Value>(&shown).unwrap()["turns"][0]["feedback"].take()
    }
}

fn wrong() -> Value {
    json!({ "rating": "down", "reason": "wrong_specialist" })
}

/// What `router learn` prints as JSON.
async fn learned(router: &Router, further: &[&str]) -> Value {
    let (data, config) = (router.data(), router.data().join("router.toml"));
    let given =
        ["learn", "--data", data.to_str().unwrap(), "--config", config.to_str().unwrap(), "-o", "json"];
    let output = run("router", given.iter().chain(further)).await;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Who leads for a question, and the log-odds of the chemist against the physicist.
async fn leads(router: &Router, question: &str) -> (String, f32) {
    let decision = router.ask(question).await.decision.unwrap();
    let of = |id: &str| decision.candidates.iter().find(|c| c.specialist_id == id).unwrap().probability;
    (decision.candidates[0].specialist_id.clone(), (of("chemist") / of("physicist")).ln())
}

#[tokio::test]
async fn a_thumb_is_its_owners_and_goes_with_its_conversation() {
    let (router, _specialists) = two().await;
    let (reader, other) = (Reader::new(&router, 1), Reader::new(&router, 2));
    let conversation = reader.begin().await;
    let thumb = reader.ask(&conversation).await;
    assert_eq!(reader.seen(&conversation).await, Value::Null);
    assert_eq!(reader.rate(&thumb, &json!({ "rating": "up" })).await, StatusCode::NO_CONTENT);
    assert_eq!(reader.rate(&thumb, &wrong()).await, StatusCode::NO_CONTENT);
    assert_eq!(reader.seen(&conversation).await, wrong());
    for refused in [
        json!({ "rating": "up", "reason": "unclear" }),
        json!({ "rating": "down", "reason": "in my own words" }),
        json!({ "rating": "sideways" }),
    ] {
        assert_eq!(reader.rate(&thumb, &refused).await, StatusCode::BAD_REQUEST, "{refused}");
    }
    assert_eq!(other.rate(&thumb, &wrong()).await, StatusCode::NOT_FOUND);
    let elsewhere = thumb.replace("/turns/", "/turns/no");
    assert_eq!(reader.rate(&elsewhere, &wrong()).await, StatusCode::NOT_FOUND);
    assert_eq!(reader.seen(&conversation).await, wrong());
    assert_eq!(learned(&router, &[]).await["stored"], 1);

    let (status, _) = reader.send(Method::DELETE, &thumb, &Value::Null).await;
    assert_eq!((status, reader.seen(&conversation).await), (StatusCode::NO_CONTENT, Value::Null));
    assert_eq!(reader.rate(&thumb, &wrong()).await, StatusCode::NO_CONTENT);
    let (status, _) = reader.send(Method::DELETE, &conversation, &Value::Null).await;
    assert_eq!((status, &learned(&router, &[]).await["stored"]), (StatusCode::NO_CONTENT, &json!(0)));
}

#[tokio::test]
async fn a_flood_from_one_reader_moves_nothing() {
    let (router, _specialists) = two().await;
    let reader = Reader::new(&router, 1);
    let conversation = reader.begin().await;
    for _ in 0..60 {
        let thumb = reader.ask(&conversation).await;
        assert_eq!(reader.rate(&thumb, &wrong()).await, StatusCode::NO_CONTENT);
    }
    let before = fs::read(router.data().join("calibration.toml")).unwrap();
    let learned = learned(&router, &["--apply"]).await;
    assert_eq!((&learned["ratings"], &learned["sessions"]), (&json!(60), &json!(1)), "{learned}");
    assert_eq!((&learned["offsets"], &learned["applied"]), (&json!({}), &json!(false)), "{learned}");
    assert_eq!(fs::read(router.data().join("calibration.toml")).unwrap(), before);
}

#[tokio::test]
async fn what_many_readers_say_moves_whom_to_ask_within_bounds() {
    let (router, _specialists) = two().await;
    let (was, even) = leads(&router, QUESTION).await;
    let (clearly, odds) = leads(&router, CLEAR).await;
    assert_eq!((was.as_str(), clearly.as_str()), ("chemist", "chemist"));
    for number in 0..40 {
        let reader = Reader::new(&router, number);
        let thumb = reader.ask(&reader.begin().await).await;
        assert_eq!(reader.rate(&thumb, &wrong()).await, StatusCode::NO_CONTENT);
    }

    let shown = learned(&router, &[]).await;
    let offset = shown["offsets"]["chemist"].as_f64().unwrap();
    assert!((-0.5..0.0).contains(&offset), "{shown}");
    assert!(shown["held"]["after"]["log_loss"].as_f64() < shown["held"]["before"]["log_loss"].as_f64());
    assert_eq!((&shown["applied"], &shown["in_force"]), (&json!(false), &json!({})));

    // What routes questions with known answers worse is not applied.
    let questions = router.data().join("questions.jsonl");
    fs::write(&questions, json!({ "query": QUESTION, "domain": "chemist" }).to_string()).unwrap();
    let against = learned(&router, &["--apply", "--questions", questions.to_str().unwrap()]).await;
    assert_eq!(against["questions"], json!({ "count": 1, "without": 1, "with": 0 }));
    assert_eq!((&against["applied"], &against["offsets"]), (&json!(false), &json!({})));

    assert_eq!(learned(&router, &["--apply"]).await["applied"], true);
    let router = router.restart().await;
    let (now, moved) = leads(&router, QUESTION).await;
    assert_eq!(now, "physicist");
    assert!((f64::from(moved - even) - offset).abs() < 1e-3, "{even} {moved} {offset}");
    let (still, moved) = leads(&router, CLEAR).await;
    assert!(still == "chemist" && (f64::from(moved - odds) - offset).abs() < 1e-3, "{odds} {moved}");

    // Readers see it, receipts hold it, and the policy in the open lists it.
    let said = explained(&router, &[QUESTION]).await;
    assert!(
        said.contains(&format!("Readers' thumbs moved, in log-odds: chemist by {offset:+.2}.")),
        "{said}"
    );
    let policy = reqwest::get(format!("{}/v1/policy", router.process.url)).await.unwrap();
    let policy: Value = policy.json().await.unwrap();
    let rules = policy["rules"].as_array().unwrap();
    let calibration = rules.iter().find(|rule| rule["name"] == "route/calibration").unwrap();
    assert!(calibration["text"].as_str().unwrap().contains(r#""offsets":{"chemist":-0."#), "{calibration}");
    let receipt = router.data().join("receipt.json");
    let asked = ["ask", QUESTION, "--router", &router.process.url, "--receipt", receipt.to_str().unwrap()];
    assert!(run("router", asked).await.status.success());
    // A receipt's numbers have six digits.
    assert_eq!(replayed(&router, &receipt).await, ("same, within 0.001\n".to_owned(), Some(0)));

    // Who learns again from the same thumbs learns the same, whatever is in force.
    let again = learned(&router, &["--apply"]).await;
    assert!((again["offsets"]["chemist"].as_f64().unwrap() - offset).abs() < 1e-3, "{again}");
    // What nobody says any more falls away.
    for number in 0..40 {
        let reader = Reader::new(&router, number);
        let (_, listed) = reader.send(Method::GET, "conversations", &Value::Null).await;
        let listed: Value = serde_json::from_str(&listed).unwrap();
        let path = format!("conversations/{}", listed["conversations"][0]["id"].as_str().unwrap());
        assert_eq!(reader.send(Method::DELETE, &path, &Value::Null).await.0, StatusCode::NO_CONTENT);
    }
    assert_eq!(learned(&router, &["--apply"]).await["applied"], true);
    let router = router.restart().await;
    assert_eq!(leads(&router, QUESTION).await.0, "chemist");
}
