//! Receipts, as those who asked have them.

use audit::{Bundle, Trust, log::Reader, signed, verify};
use proto::wire::{Decision, Receipt};
use reqwest::{Client, Method, Response, StatusCode};
use store::Store;

use super::{Router, eventually, run};

/// What came with an answer and opens its receipt.
#[derive(Debug, Clone)]
pub(crate) struct Slip {
    pub(crate) id: String,
    pub(crate) capability: String,
}

impl Slip {
    pub(crate) fn of(decision: &Decision) -> Self {
        Self { id: decision.request_id.clone(), capability: decision.receipt_capability.clone() }
    }

    /// The receipt.json, where the router has it.
    pub(crate) async fn fetch(&self, router: &Router) -> Option<Vec<u8>> {
        let response = self.send(router, Method::GET).await;
        match response.status() {
            StatusCode::OK => Some(response.bytes().await.unwrap().to_vec()),
            StatusCode::NOT_FOUND => None,
            _ => panic!("{}", response.text().await.unwrap()),
        }
    }

    /// The receipt.json of a turn whose end nobody was told.
    pub(crate) async fn written(&self, router: &Router) -> Vec<u8> {
        eventually(async || self.fetch(router).await).await
    }

    /// What the database keeps of what opens the receipt, in pieces that lie in one page each or across two; nothing
    /// once that is forgotten.
    pub(crate) async fn sealed(&self, router: &Router) -> Option<Vec<Vec<u8>>> {
        let store = Store::open(&router.data().join("router.db")).await.unwrap();
        let sealed = store.receipt(&self.id).await.unwrap().unwrap().row.sealed;
        store.close().await;
        Some(sealed?.chunks_exact(32).map(<[u8]>::to_vec).collect())
    }

    /// Has what opens the receipt forgotten.
    pub(crate) async fn forget(&self, router: &Router) {
        assert_eq!(self.send(router, Method::DELETE).await.status(), StatusCode::NO_CONTENT);
    }

    async fn send(&self, router: &Router, method: Method) -> Response {
        let url = format!("{}/v1/receipts/{}", router.process.url, self.id);
        Client::new().request(method, url).bearer_auth(&self.capability).send().await.unwrap()
    }
}

impl Router {
    /// The keys by which it is checked, as its operator hands them out.
    pub(crate) async fn trust(&self) -> String {
        let output = run("router", ["trust", "--data", self.data().to_str().unwrap()]).await;
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// Checks a receipt of its, with its registry's whole log; what it says.
    #[track_caller]
    pub(crate) fn verified(&self, trust: &Trust, bytes: &[u8]) -> Receipt {
        let registry = Reader::folder(&self.data().join("log/registry"));
        let report = verify::verify_with(bytes, trust, &registry).unwrap();
        assert!(report.is_verified(), "{report}");
        signed::canonical(&Bundle::read(bytes).unwrap().receipt().payload).unwrap()
    }
}
