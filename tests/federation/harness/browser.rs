//! A browser at a router's page.

use reqwest::{Method, RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};
use tokio::time::timeout;

use super::{PATIENCE, Router, eventually};

/// A browser, which keeps its cookie.
pub(crate) struct Browser {
    url: String,
    client: reqwest::Client,
    cookie: Option<String>,
    /// Where it is, as a proxy on the router's machine says.
    address: Option<String>,
}

impl Browser {
    pub(crate) fn new(router: &Router) -> Self {
        let url = router.process.url.clone();
        Self { url, client: reqwest::Client::new(), cookie: None, address: None }
    }

    /// The same browser at the page of a router that took over.
    pub(crate) fn at(self, router: &Router) -> Self {
        Self { url: router.process.url.clone(), ..self }
    }

    /// The same browser behind a proxy that says that it is at `address`.
    pub(crate) fn forwarded_for(self, address: &str) -> Self {
        Self { address: Some(address.to_owned()), ..self }
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.client.request(method, format!("{}/v1/{path}", self.url));
        let further = [("cookie", &self.cookie), ("x-forwarded-for", &self.address)];
        further.into_iter().fold(request, |request, (name, value)| match value {
            Some(value) => request.header(name, value),
            None => request,
        })
    }

    pub(crate) async fn send(&self, method: Method, path: &str, body: &Value) -> Response {
        let request = self.request(method, path);
        let request = if body.is_null() { request } else { request.json(body) };
        request.send().await.unwrap()
    }

    pub(crate) async fn get(&self, path: &str) -> Response {
        self.send(Method::GET, path, &Value::Null).await
    }

    pub(crate) async fn json(&self, path: &str) -> Value {
        let response = self.get(path).await;
        assert_eq!(response.status(), StatusCode::OK, "{path}");
        response.json().await.unwrap()
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Response {
        self.send(Method::POST, path, body).await
    }

    pub(crate) async fn delete(&self, path: &str) -> StatusCode {
        self.send(Method::DELETE, path, &Value::Null).await.status()
    }

    /// Begins a conversation; its path.
    pub(crate) async fn begin(&mut self) -> String {
        let response = self.post("conversations", &json!({})).await;
        assert_eq!(response.status(), StatusCode::CREATED);
        let set = response.headers()["set-cookie"].to_str().unwrap();
        assert!(set.ends_with("; HttpOnly; SameSite=Lax; Path=/; Max-Age=2592000"), "{set}");
        self.cookie = Some(set.split(';').next().unwrap().to_owned());
        let begun: Value = response.json().await.unwrap();
        format!("conversations/{}", begun["id"].as_str().unwrap())
    }

    pub(crate) async fn turn(&self, conversation: &str, parent: &Value, text: &str) -> Response {
        self.post(&format!("{conversation}/turns"), &json!({ "parent": parent, "text": text })).await
    }

    /// Asks to the end; the turn's id.
    pub(crate) async fn ask(&self, conversation: &str, parent: &Value, text: &str) -> Value {
        let response = self.turn(conversation, parent, text).await;
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        let body = response.text().await.unwrap();
        let mut data = body.lines().filter_map(|line| line.strip_prefix("data: "));
        let begun: Value = serde_json::from_str(data.next().unwrap()).unwrap();
        assert_eq!(&begun["turn"]["parent"], parent);
        assert_eq!(data.next_back(), Some("[DONE]"), "{body}");
        begun["turn"]["id"].clone()
    }

    /// Asks, and listens until `words` were said; what was said, and what goes on.
    pub(crate) async fn hear(&self, conversation: &str, question: &str, words: &str) -> (String, Response) {
        let mut response = self.turn(conversation, &Value::Null, question).await;
        let mut said = String::new();
        while !said.contains(words) {
            let bytes = timeout(PATIENCE, response.chunk()).await.expect("the words").unwrap().unwrap();
            said.push_str(std::str::from_utf8(&bytes).unwrap());
        }
        (said, response)
    }

    /// The only turn of a conversation, once it does not run any more.
    pub(crate) async fn ended(&self, conversation: &str) -> Value {
        eventually(async || {
            let mut shown = self.json(conversation).await;
            shown["turns"].get_mut(0).filter(|turn| turn["state"] != "running").map(Value::take)
        })
        .await
    }

    /// The titles that a search finds.
    pub(crate) async fn found(&self, query: &str) -> Vec<Value> {
        let encoded: String = query.bytes().map(|byte| format!("%{byte:02x}")).collect();
        let mut listed = self.json(&format!("conversations?query={encoded}")).await;
        listed["conversations"].as_array_mut().unwrap().iter_mut().map(Value::take).collect()
    }
}
