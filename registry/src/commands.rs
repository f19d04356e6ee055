//! What each command does: one call to the router, or two.

use std::{
    fs,
    io::{self, IsTerminal, Write},
    path::Path,
};

use proto::{
    Endpoint, config,
    wire::{
        AddRequest, DisableRequest, EnableRequest, Finding, GetRequest, ListRequest, Registration,
        RemoveRequest, Report, RevokeRequest, TestRequest, TestResponse, WatchRequest,
        registry_service_client::RegistryServiceClient,
    },
};
use tonic::transport::Channel;

use crate::{
    Cli, Command, Target,
    failure::Failure,
    print::{self, Printer},
};

type Client = RegistryServiceClient<Channel>;

/// The longest reply: a card of 1 MiB for each of a few thousand specialists.
const REPLY_BYTES_MAX: usize = 1 << 30;

pub(crate) async fn run(cli: Cli) -> Result<(), Failure> {
    let out = Printer::new(cli.output);
    let mut router = connect(&cli.router).await?;
    match cli.command {
        Command::Add { target, yes, dry_run, no_input, despite_exam } => {
            let report = test(&mut router, target).await?;
            if dry_run {
                return out.report(&report);
            }
            print::preview(&report)?;
            if report.registered {
                return Err(Failure::Failed("a specialist with this id is registered already".into()));
            }
            if report.exam.as_ref().is_some_and(|exam| exam.refused) && !despite_exam {
                return Err(Failure::Refused(
                    "it would take too many questions of others: have its corpus and its example questions \
                     kept to its field, or repeat with --despite-exam"
                        .into(),
                ));
            }
            let nobody = "nobody to ask here: repeat with --yes to admit what was shown";
            if !(yes || confirmed("Admit this specialist?", no_input, nobody)?) {
                return Err(Failure::Failed("nothing was admitted".into()));
            }
            let Report { endpoint, card_sha256, .. } = report;
            let request = AddRequest { endpoint, card_sha256, despite_exam };
            let added = router.add(request).await?.into_inner();
            out.registration(&present(added.registration)?)
        }
        Command::Test { target, conformance: false } => out.report(&test(&mut router, target).await?),
        Command::Test { target, conformance: true } => {
            let tested = examine(&mut router, target).await?;
            out.findings(&tested)?;
            verified(&tested.findings)
        }
        Command::List => out.registrations(&router.list(ListRequest {}).await?.into_inner().registrations),
        Command::Show { id } => {
            let got = router.get(GetRequest { specialist_id: id }).await?.into_inner();
            out.registration(&present(got.registration)?)
        }
        Command::Disable { id } => {
            let disabled = router.disable(DisableRequest { specialist_id: id }).await?.into_inner();
            out.registration(&present(disabled.registration)?)
        }
        Command::Enable { id } => {
            let enabled = router.enable(EnableRequest { specialist_id: id }).await?.into_inner();
            out.registration(&present(enabled.registration)?)
        }
        Command::Remove { id } => {
            router.remove(RemoveRequest { specialist_id: id }).await?;
            Ok(())
        }
        Command::Revoke { id, yes } => out.registration(&revoke(&mut router, id, yes).await?),
        Command::Watch => {
            let mut changes = router.watch(WatchRequest {}).await?.into_inner();
            while let Some(change) = changes.message().await? {
                let kind = change.kind();
                out.change(kind, &present(change.registration)?)?;
            }
            Err(Failure::Unreachable("the router ended the watch: it is stopping".into()))
        }
    }
}

/// Says what follows, asks, and revokes the key of `id`.
async fn revoke(router: &mut Client, id: String, yes: bool) -> Result<Registration, Failure> {
    let request = GetRequest { specialist_id: id.clone() };
    print::revocation(&present(router.get(request).await?.into_inner().registration)?)?;
    let nobody = "nobody to ask here: repeat with --yes to revoke this key for good";
    if !(yes || confirmed("Revoke this key for good?", false, nobody)?) {
        return Err(Failure::Failed("nothing was revoked".into()));
    }
    present(router.revoke(RevokeRequest { specialist_id: id }).await?.into_inner().registration)
}

async fn connect(router: &str) -> Result<Client, Failure> {
    let endpoint = Endpoint::parse("--router", router).map_err(|e| Failure::Usage(e.to_string()))?;
    let channel = Channel::builder(endpoint.uri().clone()).connect().await.map_err(|_| {
        Failure::Unreachable(format!("no router at {endpoint}: start it, or name another with --router"))
    })?;
    Ok(Client::new(channel).max_decoding_message_size(REPLY_BYTES_MAX))
}

async fn test(router: &mut Client, target: Target) -> Result<Report, Failure> {
    let request = TestRequest { endpoint: endpoint(target)?, conformance: false };
    let tested = router.test(request).await?.into_inner();
    tested.report.ok_or_else(|| Failure::Failed("the router sent no report".into()))
}

async fn examine(router: &mut Client, target: Target) -> Result<TestResponse, Failure> {
    let request = TestRequest { endpoint: endpoint(target)?, conformance: true };
    let tested = router.test(request).await?.into_inner();
    if tested.findings.is_empty() {
        return Err(Failure::Failed("the router sent no findings: it is older than this program".into()));
    }
    Ok(tested)
}

/// Refused unless every rule was examined and is kept.
fn verified(findings: &[Finding]) -> Result<(), Failure> {
    let failed = findings.iter().filter(|finding| finding.examined && !finding.passed).count();
    let unknown = findings.iter().filter(|finding| !finding.examined).count();
    let of = findings.len();
    match (failed, unknown) {
        (0, 0) => Ok(()),
        (_, 0) => Err(Failure::Refused(format!("{failed} of {of} rules are broken"))),
        _ => Err(Failure::Refused(format!(
            "{failed} of {of} rules are broken, {unknown} could not be examined"
        ))),
    }
}

fn endpoint(target: Target) -> Result<String, Failure> {
    let endpoint = match (target.endpoint, target.file) {
        (Some(endpoint), _) => endpoint,
        (None, Some(file)) => public_endpoint(&file)?,
        (None, None) => return Err(Failure::Usage("name an endpoint or a file".into())),
    };
    let endpoint = Endpoint::parse("endpoint", &endpoint).map_err(|e| Failure::Usage(e.to_string()))?;
    Ok(endpoint.to_string())
}

fn public_endpoint(file: &Path) -> Result<String, Failure> {
    let name = file.display();
    let text = fs::read_to_string(file).map_err(|e| Failure::Usage(format!("cannot read {name}: {e}")))?;
    let config = config::parse(&text).map_err(|e| Failure::Usage(format!("{name} is not valid: {e}")))?;
    config
        .public_endpoint
        .ok_or_else(|| Failure::Usage(format!("{name} names no public_endpoint: give the endpoint itself")))
}

fn present(registration: Option<Registration>) -> Result<Registration, Failure> {
    registration.ok_or_else(|| Failure::Failed("the router sent no registration".into()))
}

/// Whether the person at the terminal says yes; `nobody` where there is none to ask.
fn confirmed(question: &str, no_input: bool, nobody: &str) -> Result<bool, Failure> {
    if no_input || !io::stdin().is_terminal() {
        return Err(Failure::Usage(nobody.to_owned()));
    }
    let mut prompt = io::stderr();
    write!(prompt, "{question} [y/N] ")?;
    prompt.flush()?;
    let mut reply = String::new();
    io::stdin().read_line(&mut reply)?;
    Ok(matches!(reply.trim().to_lowercase().as_str(), "y" | "yes"))
}
