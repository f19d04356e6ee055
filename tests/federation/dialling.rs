//! Whom a router dials: one that the network reaches is not led inside.

use std::process::Output;

use crate::{
    answers::planets,
    harness::{Router, run},
};

async fn add(router: &Router, endpoint: &str) -> Output {
    let port = router.process.port();
    let address = format!("http://127.0.0.1:{port}");
    run("registry", ["add", endpoint, "--yes", "--router", &address]).await
}

#[tokio::test]
async fn a_router_that_the_network_reaches_dials_its_own_host_only_when_told_to() {
    let institution = planets();
    let planets = institution.start().await;
    let port = planets.port();

    let router = Router::listening("0.0.0.0:0", &[]).await;
    for (host, why) in [
        ("127.0.0.1", "a loopback address"),
        ("2130706433", "a loopback address"),
        ("[::ffff:127.0.0.1]", "a loopback address"),
        ("10.0.0.1", "a private address"),
        ("169.254.169.254", "a link-local address, where clouds keep their machines' metadata"),
        ("0.0.0.0", "name the address at which the specialist is reached"),
    ] {
        let endpoint = format!("http://{host}:{port}");
        let refused = add(&router, &endpoint).await;
        let stderr = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert_eq!(refused.status.code(), Some(4), "{stderr}");
        assert!(stderr.contains(why), "{why:?} is missing in {stderr:?}");
        assert!(stderr.contains(&format!("{endpoint} leads to")), "{stderr:?}");
        assert!(stderr.contains("--allow-private") || host == "0.0.0.0", "{stderr:?}");
    }

    let router = Router::listening("0.0.0.0:0", &["--allow-private"]).await;
    let added = add(&router, &planets.url).await;
    assert!(added.status.success(), "{}", String::from_utf8_lossy(&added.stderr));
}
