//! The page's files as browsers load them.

use reqwest::header::{ACCEPT, ACCEPT_ENCODING, CONTENT_ENCODING, HeaderMap, VARY};
use serde_json::Value;

use crate::{
    answers::planets,
    harness::{Browser, Router},
};

/// What the bytes of gzip begin with.
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// What is sent for `path` to a browser that takes `encoding`.
async fn loaded(router: &Router, path: &str, encoding: &str) -> (HeaderMap, Vec<u8>) {
    let request = reqwest::Client::new().get(format!("{}{path}", router.process.url));
    let request = request.header(ACCEPT, "text/html").header(ACCEPT_ENCODING, encoding);
    let response = request.send().await.unwrap().error_for_status().unwrap();
    (response.headers().clone(), response.bytes().await.unwrap().to_vec())
}

#[tokio::test]
async fn the_page_and_the_fleet_come_compressed_to_whoever_takes_it() {
    let planets = planets().start().await;
    let router = Router::start().await;
    router.add(&planets).await;
    let (_, index) = loaded(&router, "/", "identity").await;
    let index = String::from_utf8(index).unwrap();
    let asset = index.split('"').find(|part| part.starts_with("/assets/")).unwrap();
    for path in ["/", "/about", asset, "/verify.html", "/v1/fleet"] {
        let (plainly, plain) = loaded(&router, path, "identity").await;
        assert!(!plainly.contains_key(CONTENT_ENCODING) && !plain.starts_with(&GZIP), "{path}");
        let (packed, bytes) = loaded(&router, path, "br;q=1, gzip").await;
        assert_eq!(packed[CONTENT_ENCODING], "gzip", "{path}");
        assert!(bytes.starts_with(&GZIP) && bytes.len() < plain.len(), "{path}: {}", bytes.len());
        for headers in [plainly, packed] {
            assert!(headers[VARY].to_str().unwrap().eq_ignore_ascii_case("accept-encoding"), "{path}");
        }
    }
}

/// The length of what is compressed tells something of what is in it.
#[tokio::test]
async fn conversations_come_as_they_are() {
    let planets = planets().start().await;
    let router = Router::start().await;
    router.add(&planets).await;
    let mut browser = Browser::new(&router);
    let conversation = browser.begin().await;
    browser.ask(&conversation, &Value::Null, "why is Mars red").await;
    for path in [conversation.as_str(), "conversations"] {
        let request = browser.request(reqwest::Method::GET, path).header(ACCEPT_ENCODING, "gzip");
        let response = request.send().await.unwrap();
        assert!(!response.headers().contains_key(CONTENT_ENCODING), "{path}");
        assert!(response.json::<Value>().await.unwrap().is_object(), "{path}");
    }
}
