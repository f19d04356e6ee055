//! Hosts of their own: network namespaces, wired to the router's, and faults that strike the wire.
//!
//! Linux keeps a network namespace for each thread: the sockets that a thread opens and the processes
//! that it starts are in its own. The runtime of `#[tokio::test]` has one thread, so what a test does
//! happens on the host that it entered last; a runtime with several would tear it apart.

use std::{fs::File, net::Ipv4Addr, os::fd::AsRawFd, process::Command};

use nix::{
    errno::Errno,
    sched::{CloneFlags, setns, unshare},
};

use super::{Institution, Process};

/// The queue holds minutes, so that nothing is lost.
const SLOW: &str = "tc qdisc replace dev wire root tbf rate 64kbit burst 1600 latency 100s";
const NOT_SLOW: &str = "tc qdisc replace dev wire root noqueue";

/// A router's host and those of two specialists, each with a wire to the router's and no way beyond.
pub(crate) struct Network {
    /// Where the thread was before.
    home: Host,
    router: Host,
    pub(crate) lead: Host,
    pub(crate) next: Host,
}

/// What strikes the wire between the router and the lead, and lasts until it is healed.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Fault {
    /// Nothing arrives, either way.
    Partition,
    /// Nothing that the lead sends arrives.
    LeadUnheard,
    /// Nothing that the router sends arrives.
    RouterUnheard,
    /// What the router sends is answered with a reset.
    Reset,
    /// The plug is out.
    LinkDown,
    /// The lead sends 8,000 bytes a second.
    Slow,
}

impl Network {
    /// Lays a network, and enters the router's host. Nothing of it has a name, so it ends with the last
    /// who uses it, however the test ends. `None`, with a word, where none may be laid.
    pub(crate) fn lay() -> Option<Self> {
        let home = Host::current();
        // Who may not come back does not leave.
        let laid = home.try_enter().and_then(|()| {
            let hosts = wired();
            home.enter();
            hosts
        });
        match laid {
            Ok([router, lead, next]) => {
                router.enter();
                Some(Self { home, router, lead, next })
            }
            Err(why) => {
                println!("skipped: no hosts of their own can be made here: {why}");
                None
            }
        }
    }

    /// Starts a specialist on one of the hosts.
    pub(crate) async fn start(&self, institution: &Institution, host: &Host) -> Process {
        host.enter();
        let process = institution.start_on(&format!("{}:0", host.address)).await;
        self.router.enter();
        process
    }

    /// Strikes; faults add up, and the last goes before the others.
    pub(crate) fn strike(&self, fault: Fault) {
        let (host, command) = match fault {
            Fault::Partition => {
                self.strike(Fault::LeadUnheard);
                return self.strike(Fault::RouterUnheard);
            }
            // Dropped where it arrives, as a wire would: the sender cannot know.
            Fault::LeadUnheard => (&self.router, "nft insert rule inet faults arriving iifname lead drop"),
            Fault::RouterUnheard => (&self.lead, "nft insert rule inet faults arriving drop"),
            Fault::Reset => {
                (&self.lead, "nft insert rule inet faults arriving meta l4proto tcp reject with tcp reset")
            }
            Fault::LinkDown => (&self.lead, "ip link set wire down"),
            Fault::Slow => (&self.lead, SLOW),
        };
        host.run(command).unwrap();
    }

    /// Undoes all that has struck.
    pub(crate) fn heal(&self) {
        for host in [&self.router, &self.lead] {
            host.run("nft flush chain inet faults arriving").unwrap();
        }
        self.lead.run("ip link set wire up").unwrap();
        self.lead.run(NOT_SLOW).unwrap();
    }
}

/// The hosts of a router, a lead and the next; the thread is left on one of them.
fn wired() -> Result<[Host; 3], String> {
    let router = Host::new(Ipv4Addr::LOCALHOST)?;
    let lead = Host::new(Ipv4Addr::new(10, 77, 1, 2))?;
    let next = Host::new(Ipv4Addr::new(10, 77, 2, 2))?;
    router.wire("lead", Ipv4Addr::new(10, 77, 1, 1), &lead)?;
    router.wire("next", Ipv4Addr::new(10, 77, 2, 1), &next)?;
    // Not every kernel can slow a wire down.
    lead.run(SLOW)?;
    lead.run(NOT_SLOW)?;
    Ok([router, lead, next])
}

impl Drop for Network {
    /// The thread may run another test.
    fn drop(&mut self) {
        self.home.enter();
    }
}

/// A network namespace, which is there as long as this, a process or a thread in it.
pub(crate) struct Host {
    namespace: File,
    address: Ipv4Addr,
}

impl Host {
    /// The one that this thread is on.
    fn current() -> Self {
        let namespace = File::open("/proc/thread-self/ns/net").unwrap();
        Self { namespace, address: Ipv4Addr::LOCALHOST }
    }

    /// A new one without a wire; the thread is left on it. Its address is `address`.
    fn new(address: Ipv4Addr) -> Result<Self, String> {
        unshare(CloneFlags::CLONE_NEWNET).map_err(namespaces)?;
        let host = Self { address, ..Self::current() };
        host.run("ip link set lo up")?;
        host.run("nft add table inet faults")?;
        host.run("nft add chain inet faults arriving { type filter hook input priority 0 ; }")?;
        Ok(host)
    }

    /// Lays a wire that is called `name` here, where `address` is this end's, and `wire` at `other`.
    fn wire(&self, name: &str, address: Ipv4Addr, other: &Self) -> Result<(), String> {
        let there = format!("/proc/{}/fd/{}", std::process::id(), other.namespace.as_raw_fd());
        self.run(&format!("ip link add {name} type veth peer name wire netns {there}"))?;
        self.run(&format!("ip address add {address}/24 dev {name}"))?;
        self.run(&format!("ip link set {name} up"))?;
        other.run(&format!("ip address add {}/24 dev wire", other.address))?;
        other.run("ip link set wire up")
    }

    /// From now on the thread is on this host.
    fn enter(&self) {
        self.try_enter().unwrap();
    }

    fn try_enter(&self) -> Result<(), String> {
        setns(&self.namespace, CloneFlags::CLONE_NEWNET).map_err(namespaces)
    }

    /// Runs a command on this host to its end, wherever the thread is.
    fn run(&self, command: &str) -> Result<(), String> {
        let back = Self::current();
        self.enter();
        let mut words = command.split_whitespace();
        let ran = Command::new(words.next().unwrap_or_default()).args(words).output();
        back.enter();
        let output = ran.map_err(|error| format!("{command}: {error}"))?;
        if output.status.success() {
            return Ok(());
        }
        Err(format!("{command}: {}", String::from_utf8_lossy(&output.stderr).trim()))
    }
}

fn namespaces(error: Errno) -> String {
    format!("network namespaces: {error}")
}
