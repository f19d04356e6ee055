//! Names that lie, addresses in disguise, and servers that point elsewhere. Nothing here leaves the
//! machine: what counts as an open address is a server on loopback.

use std::{collections::VecDeque, net::IpAddr};

use audit::Salt;
use axum::{
    Router,
    http::{StatusCode, header},
};
use embedding::{Embedder, Model};
use futures_util::{FutureExt, StreamExt};
use proto::{Prototypes, Space};
use registry::Registration;
use tokio::net::TcpListener;
use tonic::Code;
use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};

use super::*;
use crate::dispatch::{Asked, Dispatch, Heard, Limits, Loss};

/// How long a test waits for what must come; never how long it takes.
const PATIENCE: Duration = Duration::from_mins(1);

const HERE: &str = "127.0.0.1";
const OPEN: &str = "9.9.9.9";
const OTHER: &str = "2620:fe::fe";
const METADATA: &str = "169.254.169.254";

/// A machine whose resolver tells one thing after another, the last for good.
#[derive(Debug)]
struct Lying {
    told: Mutex<VecDeque<Vec<SocketAddr>>>,
    dialled: Mutex<Vec<IpAddr>>,
    /// What stands at every open address.
    server: SocketAddr,
}

impl Lying {
    fn new(server: &TcpListener, told: &[&[&str]]) -> Arc<Self> {
        let port = server.local_addr().unwrap().port();
        let at = |ip: &&str| SocketAddr::new(ip.parse().unwrap(), port);
        let told = told.iter().map(|ips| ips.iter().map(at).collect()).collect();
        let server = server.local_addr().unwrap();
        Arc::new(Self { told: Mutex::new(told), dialled: Mutex::default(), server })
    }

    fn dialled(&self) -> Vec<String> {
        self.dialled.lock().unwrap().iter().map(IpAddr::to_string).collect()
    }

    fn is_at_its_last(&self) -> bool {
        self.told.lock().unwrap().len() == 1
    }
}

impl Network for Lying {
    fn resolve(&self, _: String, _: u16) -> BoxFuture<'static, io::Result<Vec<SocketAddr>>> {
        let mut told = self.told.lock().unwrap();
        let now = if told.len() > 1 { told.pop_front() } else { told.front().cloned() };
        async move { Ok(now.unwrap_or_default()) }.boxed()
    }

    fn connect(&self, address: SocketAddr) -> BoxFuture<'static, io::Result<Box<dyn Wire>>> {
        self.dialled.lock().unwrap().push(address.ip());
        let special = address.ip().is_loopback();
        System.connect(if special { address } else { self.server })
    }
}

/// The machine's own resolver; whatever is dialled is noted, and nothing is.
#[derive(Debug, Default)]
struct Noting(Mutex<Vec<SocketAddr>>);

impl Network for Noting {
    fn resolve(&self, host: String, port: u16) -> BoxFuture<'static, io::Result<Vec<SocketAddr>>> {
        System.resolve(host, port)
    }

    fn connect(&self, address: SocketAddr) -> BoxFuture<'static, io::Result<Box<dyn Wire>>> {
        self.0.lock().unwrap().push(address);
        async { Err(io::ErrorKind::ConnectionRefused.into()) }.boxed()
    }
}

/// Of a router that the open network reaches, without the flag.
fn strict() -> Policy {
    Policy::new(false, "0.0.0.0".parse().unwrap())
}

fn dialler(network: Arc<dyn Network>) -> Dialler {
    Dialler::over(network, strict())
}

fn endpoint(url: &str) -> Endpoint {
    Endpoint::parse("endpoint", url).unwrap()
}

async fn listener() -> TcpListener {
    TcpListener::bind((HERE, 0)).await.unwrap()
}

/// Why a connector makes no connection, where it makes none.
async fn connect(connector: &mut Connector) -> Result<(), DialError> {
    connector.call(Uri::default()).await.map(drop)
}

fn connector(network: &Arc<Lying>) -> Connector {
    dialler(network.clone()).connector(&endpoint("http://specialist.example:5001"), PATIENCE)
}

#[test]
fn what_is_special_about_an_address() {
    let expected = [
        (Some(Special::Loopback), "127.0.0.1 127.255.255.254 ::1 ::ffff:127.0.0.1"),
        (Some(Special::Private), "10.0.0.1 172.16.0.1 172.31.255.255 192.168.1.1 100.64.0.1 100.100.100.200"),
        (Some(Special::Private), "fc00::1 fd00:ec2::254 fec0::1 ::ffff:10.0.0.1 64:ff9b:1::a00:1"),
        (Some(Special::LinkLocal), "169.254.169.254 168.63.129.16 fe80::1 febf::1 ::ffff:a9fe:a9fe"),
        // Carried inside: NAT64, 6to4, IPv4-compatible.
        (Some(Special::LinkLocal), "64:ff9b::a9fe:a9fe 2002:a9fe:a9fe::1 ::169.254.169.254"),
        (Some(Special::Private), "64:ff9b::7f00:1 2002:7f00:1:: ::127.0.0.1 2002:c0a8:101::1"),
        (Some(Special::Reserved), "192.0.0.192 192.0.2.1 198.18.0.1 198.19.255.255 198.51.100.7 203.0.113.7"),
        (Some(Special::Reserved), "192.88.99.1 240.0.0.1 255.255.255.254 2001:db8::1 3fff::1 100::1 5f00::1"),
        // Teredo, IPv4-translated, IPv4-compatible, and what nobody has been given.
        (Some(Special::Reserved), "2001:0:4136:e378:8000:63bf:3fff:fdd2 ::ffff:0:7f00:1 ::9.9.9.9 4000::1"),
        (Some(Special::Nowhere), "0.0.0.0 0.1.2.3 224.0.0.1 239.255.255.255 255.255.255.255 :: ff02::1"),
        (None, "9.9.9.9 100.63.255.255 100.128.0.1 172.15.0.1 172.32.0.1 169.253.0.1 198.20.0.1 223.0.0.1"),
        (None, "2620:fe::fe 2606:4700::1111 64:ff9b::909:909 2002:909:909::1 ::ffff:9.9.9.9 2001:200::1"),
    ];
    for (special, addresses) in expected {
        for address in addresses.split(' ') {
            assert_eq!(special::special(address.parse().unwrap()), special, "{address}");
        }
    }
}

#[test]
fn what_a_router_dials_depends_on_where_it_listens_and_on_its_flag() {
    let addresses = [HERE, "10.0.0.1", METADATA, "2001:db8::1", "0.0.0.0", OPEN];
    for (allow_private, listening, refused) in [
        (false, "0.0.0.0", [true, true, true, true, true, false]),
        (false, "::", [true, true, true, true, true, false]),
        (false, "10.0.0.1", [true, true, true, true, true, false]),
        (false, HERE, [false, true, true, true, true, false]),
        (false, "::1", [false, true, true, true, true, false]),
        (true, "0.0.0.0", [false, false, false, false, true, false]),
    ] {
        let policy = Policy::new(allow_private, listening.parse().unwrap());
        let refuses = addresses.map(|address| policy.refuses(address.parse().unwrap()).is_some());
        assert_eq!(refuses, refused, "{allow_private} {listening}");
    }
}

#[tokio::test]
async fn no_form_of_an_address_hides_it() {
    let expected = [
        (Special::Loopback, "127.0.0.1 127.1 127.0.1 2130706433 0177.0.0.1 0x7f.1 0x7f000001 017700000001"),
        (Special::Loopback, "[::1] [0:0:0:0:0:0:0:1] [::ffff:127.0.0.1] [::ffff:7f00:1] localhost LOCALHOST"),
        (Special::Nowhere, "0 0.0.0.0 0x0 [::] [::ffff:0.0.0.0]"),
        (Special::LinkLocal, "169.254.169.254 2852039166 0xa9fea9fe 0251.0376.0251.0376 [fe80::1]"),
        (Special::Private, "10.1 0xa.0.0.1 [fd00:ec2::254] [::127.0.0.1] [64:ff9b::127.0.0.1]"),
    ];
    for (special, hosts) in expected {
        for host in hosts.split(' ') {
            let network = Arc::new(Noting::default());
            let dialler = dialler(network.clone());
            let mut connector = dialler.connector(&endpoint(&format!("http://{host}:5001")), PATIENCE);
            let refused = connect(&mut connector).await;
            assert!(matches!(refused, Err(DialError::Refused(why)) if why == special), "{host}: {refused:?}");
            assert_eq!(*network.0.lock().unwrap(), [], "{host}");
        }
    }
    // What the contract does not let through to the resolver.
    for url in [
        "http://user@127.0.0.1:5001",
        "http://9.9.9.9:80@127.0.0.1:5001",
        "http://127.0.0.1%00.example:5001",
        "http://127.0.0.1\\@9.9.9.9:5001",
        "http://\u{2460}\u{2461}\u{2466}.0.0.1:5001",
        "http://127.0.0.1:5001/elsewhere",
        "https://127.0.0.1:5001",
        "http://[::1:5001",
        "//127.0.0.1:5001",
    ] {
        assert!(Endpoint::parse("endpoint", url).is_err(), "{url}");
    }
}

#[tokio::test]
async fn a_name_that_comes_to_lead_inside_is_refused_and_nothing_arrives_there() {
    let (server, inside) = (listener().await, listener().await);
    let network = Lying::new(&server, &[&[OPEN], &[HERE], &[METADATA], &[OPEN]]);
    for told in network.told.lock().unwrap().iter_mut().flatten() {
        told.set_port(inside.local_addr().unwrap().port());
    }
    let mut connector = connector(&network);

    connect(&mut connector).await.unwrap();
    let refused = connect(&mut connector).await;
    assert!(matches!(refused, Err(DialError::Refused(Special::Loopback))), "{refused:?}");
    let refused = connect(&mut connector).await;
    assert!(matches!(refused, Err(DialError::Refused(Special::LinkLocal))), "{refused:?}");
    connect(&mut connector).await.unwrap();
    assert_eq!(network.dialled(), [OPEN, OPEN]);

    // The first that arrives inside is this test itself.
    let own = TcpStream::connect(inside.local_addr().unwrap()).await.unwrap();
    assert_eq!(inside.accept().await.unwrap().1, own.local_addr().unwrap());
}

#[tokio::test]
async fn of_many_addresses_the_allowed_ones_are_dialled_and_the_pinned_one_first() {
    let server = listener().await;
    let told: [&[&str]; 4] = [&[HERE, OPEN, METADATA], &[OTHER, OPEN], &[OTHER, HERE], &[OPEN, OTHER]];
    let network = Lying::new(&server, &told);
    let mut connector = connector(&network);
    for _ in told {
        connect(&mut connector).await.unwrap();
    }
    assert_eq!(network.dialled(), [OPEN, OPEN, OTHER, OTHER]);
}

#[tokio::test]
async fn a_name_without_addresses_is_unreachable_not_refused() {
    let network = Lying::new(&listener().await, &[&[]]);
    let failed = connect(&mut connector(&network)).await;
    assert!(matches!(failed, Err(DialError::Failed(_))), "{failed:?}");
}

async fn check(dispatch: &Dispatch, endpoint: &Endpoint) -> Status {
    let request = HealthCheckRequest { service: String::new() };
    let mut client = HealthClient::new(dispatch.channel(endpoint));
    tokio::time::timeout(PATIENCE, client.check(request)).await.expect("an end").unwrap_err()
}

#[tokio::test]
async fn a_connection_that_is_lost_is_made_anew_only_after_another_check() {
    let server = listener().await;
    let network = Lying::new(&server, &[&[OPEN], &[HERE], &[OPEN]]);
    let dispatch = Dispatch::new(Limits::default(), dialler(network.clone()));
    let specialist = endpoint("http://specialist.example:5001");

    // The server hangs up on whoever calls, so that each call needs a new connection.
    let hangs_up = async { while server.accept().await.is_ok() {} };
    let calls = async {
        let mut refused = Vec::new();
        while network.dialled().len() < 2 {
            let status = check(&dispatch, &specialist).await;
            if let Some(DialError::Refused(special)) = error(&status) {
                refused.push((*special, status.code(), network.dialled().len()));
            }
        }
        refused
    };
    let refused = tokio::select! {
        () = hangs_up => Vec::new(),
        refused = calls => refused,
    };
    assert_eq!(refused, [(Special::Loopback, Code::Unavailable, 1)]);
    assert!(network.is_at_its_last());
    assert_eq!(network.dialled(), [OPEN, OPEN]);
}

async fn losses(dispatch: &Dispatch, endpoint: &Endpoint) -> Vec<Loss> {
    let space = Space::clone(Embedder::start(Model::hashed()).unwrap().0.space());
    let prototypes = Prototypes { space, points: Vec::new(), revision: "1".into() };
    let heard = dispatch.ask(Asked {
        endpoint,
        card: &Registration::made_up("a", prototypes).unwrap().card,
        salt: Salt::read(&[0; 32]).unwrap(),
        request_id: "request",
        question: "why is Mars red",
        earlier: &[],
        deadline: Instant::now() + PATIENCE,
        insist: false,
    });
    let lost = heard.filter_map(async |heard| match heard {
        Heard::Lost(loss) => Some(loss),
        Heard::Called(_) => None,
        Heard::Event(event) => panic!("an answer: {event:?}"),
    });
    lost.collect().await
}

#[tokio::test]
async fn a_specialist_that_is_not_dialled_is_lost_for_that_reason() {
    let network = Lying::new(&listener().await, &[&["10.0.0.7", METADATA]]);
    let dispatch = Dispatch::new(Limits::default(), dialler(network.clone()));
    let lost = losses(&dispatch, &endpoint("http://specialist.example:5001")).await;
    assert!(matches!(lost[..], [Loss::Undialled(Special::Private)]), "{lost:?}");
    assert_eq!(network.dialled().len(), 0);
}

#[tokio::test]
async fn no_redirect_is_followed() {
    for status in [StatusCode::FOUND, StatusCode::TEMPORARY_REDIRECT] {
        let (server, inside) = (listener().await, listener().await);
        let network = Lying::new(&server, &[&[OPEN]]);
        let dispatch = Dispatch::new(Limits::default(), dialler(network.clone()));
        let elsewhere = format!("http://{}/", inside.local_addr().unwrap());
        let redirect = move || async move { (status, [(header::LOCATION, elsewhere)]) };
        let served = axum::serve(server, Router::new().fallback(redirect));
        let specialist = endpoint("http://specialist.example:5001");
        let lost = tokio::select! {
            _ = served.into_future() => Vec::new(),
            lost = losses(&dispatch, &specialist) => lost,
        };
        assert!(matches!(lost[..], [Loss::Status(Code::Unknown)]), "{lost:?}");
        assert_eq!(network.dialled(), [OPEN]);
        let own = TcpStream::connect(inside.local_addr().unwrap()).await.unwrap();
        assert_eq!(inside.accept().await.unwrap().1, own.local_addr().unwrap());
    }
}
