//! What operators see.

use std::process::{Command, Stdio};

use tonic::transport::Channel;
use tonic_health::pb::{
    HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient,
};

use crate::{
    answers::planets,
    harness::{Router, program},
};

#[tokio::test]
async fn operators_see_health_and_metrics_and_no_question() {
    let planets = planets().start().await;
    let router = Router::start().await;
    router.add(&planets).await;
    router.ask("why is Mars red").await;
    let get = async |path: &str| {
        let response = reqwest::get(format!("{}{path}", router.process.url)).await.unwrap();
        (response.status().as_u16(), response.text().await.unwrap())
    };
    let channel = Channel::from_shared(router.process.url.clone()).unwrap().connect().await.unwrap();
    let mut health = HealthClient::new(channel);
    let service = "consilium.v1.RouterService".to_owned();
    let status = health.check(HealthCheckRequest { service }).await.unwrap().into_inner().status();
    assert_eq!(status, ServingStatus::Serving);
    assert_eq!(get("/healthz").await, (200, "ok\n".into()));
    assert_eq!(get("/readyz").await.0, 200);
    let (_, metrics) = get("/metrics").await;
    for line in [
        "consilium_requests_total{code=\"answered\"} 1",
        "consilium_specialist_requests_total{specialist=\"planets\",outcome=\"answered\"} 1",
        "consilium_specialist_up{specialist=\"planets\"} 1",
        "consilium_specialist_ejected{specialist=\"planets\"} 0",
        "consilium_answers_in_flight 0",
        "consilium_encoder_waiting 0",
    ] {
        assert!(metrics.contains(line), "{line} is missing in {metrics}");
    }
    assert!(!metrics.contains("Mars"));
}

#[test]
fn whoever_closes_the_pipe_has_read_enough() {
    let planets = planets();
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let checked = Command::new(program("specialist"))
        .args(["check", "--config"])
        .arg(planets.file())
        .stdout(writer)
        .stderr(Stdio::piped())
        .output()
        .unwrap();
    assert!(checked.status.success(), "{checked:?}");
}
