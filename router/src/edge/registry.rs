//! `consilium.v1.RegistryService`.

use std::{future::Future, pin::Pin, sync::Arc};

use futures_util::Stream;
use proto::{
    Digest, Endpoint, Invalid, SpecialistId,
    wire::{
        self, AddRequest, AddResponse, DisableRequest, DisableResponse, EnableRequest, EnableResponse,
        Finding, GetRequest, GetResponse, ListRequest, ListResponse, PrototypeOrigin, RemoveRequest,
        RemoveResponse, Report, RevokeRequest, RevokeResponse, TestRequest, TestResponse, WatchRequest,
        WatchResponse, registry_service_server::RegistryService, watch_response::Kind,
    },
};
use serve::Tasks;
use tokio::sync::{broadcast::error::RecvError, oneshot};
use tonic::{Request, Response, Status};

use super::error;
use crate::fleet::{self, Fleet, FleetError, Tested, Verdict};

/// The fleet over gRPC.
pub(super) struct Registering {
    fleet: Arc<Fleet>,
    tasks: Tasks,
}

impl Registering {
    pub(super) fn new(fleet: Arc<Fleet>, tasks: Tasks) -> Self {
        Self { fleet, tasks }
    }

    /// Makes a change to its end even where whoever asked for it goes away: one that broke off between the
    /// database and the snapshot would leave the two apart.
    async fn made<T, Made>(&self, change: impl FnOnce(Arc<Fleet>) -> Made) -> Result<T, Status>
    where
        T: Send + 'static,
        Made: Future<Output = Result<T, FleetError>> + Send + 'static,
    {
        let (done, outcome) = oneshot::channel();
        let change = change(self.fleet.clone());
        self.tasks.spawn("change", async move {
            // Nobody waits for it any more.
            let _ = done.send(change.await);
        });
        Ok(outcome.await.unwrap_or(Err(FleetError::Stopping))?)
    }

    /// Puts the specialist called `name` into routing, or takes it out.
    async fn enabled(&self, name: &str, enabled: bool) -> Result<wire::Registration, Status> {
        let id = id(name)?;
        let registration = self.made(|fleet| async move { fleet.enable(&id, enabled).await }).await?;
        Ok((&*registration).into())
    }

    fn report(&self, tested: &Tested) -> Report {
        let Tested { registration, took } = tested;
        let prototypes = &registration.prototypes;
        Report {
            endpoint: registration.endpoint.to_string(),
            card: registration.card.bytes().to_vec(),
            card_sha256: registration.card.digest().as_bytes().to_vec(),
            prototype_origin: PrototypeOrigin::from(registration.origin).into(),
            prototype_count: u32::try_from(prototypes.points.len()).unwrap_or(u32::MAX),
            space: Some((&prototypes.space).into()),
            registered: self.fleet.snapshot().get(registration.id()).is_some(),
            duration_ms: u32::try_from(took.as_millis()).unwrap_or(u32::MAX),
            exam: registration.exam.as_deref().map(Into::into),
        }
    }
}

#[tonic::async_trait]
impl RegistryService for Registering {
    async fn test(&self, request: Request<TestRequest>) -> Result<Response<TestResponse>, Status> {
        let TestRequest { endpoint: at, conformance } = request.into_inner();
        let endpoint = endpoint(&at)?;
        let (tested, findings) = if conformance {
            let examined = self.fleet.examine(&endpoint).await?;
            (examined.tested, examined.findings)
        } else {
            (Some(self.fleet.test(&endpoint).await?), Vec::new())
        };
        Ok(Response::new(TestResponse {
            report: tested.map(|tested| self.report(&tested)),
            findings: findings.into_iter().map(finding).collect(),
        }))
    }

    async fn add(&self, request: Request<AddRequest>) -> Result<Response<AddResponse>, Status> {
        let AddRequest { endpoint: at, card_sha256, despite_exam } = request.into_inner();
        let shown = Digest::read("card_sha256", &card_sha256).map_err(|e| error::invalid(&e))?;
        let at = endpoint(&at)?;
        let added = self.made(|fleet| async move { fleet.add(&at, shown, despite_exam).await });
        let registration = added.await?;
        Ok(Response::new(AddResponse { registration: Some((&*registration).into()) }))
    }

    async fn get(&self, request: Request<GetRequest>) -> Result<Response<GetResponse>, Status> {
        let id = id(&request.get_ref().specialist_id)?;
        let snapshot = self.fleet.snapshot();
        let registration = snapshot.get(&id).ok_or(FleetError::Unknown(id))?;
        Ok(Response::new(GetResponse { registration: Some((&**registration).into()) }))
    }

    async fn list(&self, _: Request<ListRequest>) -> Result<Response<ListResponse>, Status> {
        let snapshot = self.fleet.snapshot();
        let registrations = snapshot.members().map(|member| (&**member).into()).collect();
        Ok(Response::new(ListResponse { registrations }))
    }

    async fn disable(&self, request: Request<DisableRequest>) -> Result<Response<DisableResponse>, Status> {
        let registration = self.enabled(&request.get_ref().specialist_id, false).await?;
        Ok(Response::new(DisableResponse { registration: Some(registration) }))
    }

    async fn enable(&self, request: Request<EnableRequest>) -> Result<Response<EnableResponse>, Status> {
        let registration = self.enabled(&request.get_ref().specialist_id, true).await?;
        Ok(Response::new(EnableResponse { registration: Some(registration) }))
    }

    async fn remove(&self, request: Request<RemoveRequest>) -> Result<Response<RemoveResponse>, Status> {
        let id = id(&request.get_ref().specialist_id)?;
        self.made(|fleet| async move { fleet.remove(&id).await }).await?;
        Ok(Response::new(RemoveResponse {}))
    }

    async fn revoke(&self, request: Request<RevokeRequest>) -> Result<Response<RevokeResponse>, Status> {
        let id = id(&request.get_ref().specialist_id)?;
        let registration = self.made(|fleet| async move { fleet.revoke(&id).await }).await?;
        Ok(Response::new(RevokeResponse { registration: Some((&*registration).into()) }))
    }

    type WatchStream = Pin<Box<dyn Stream<Item = Result<WatchResponse, Status>> + Send>>;

    async fn watch(&self, _: Request<WatchRequest>) -> Result<Response<Self::WatchStream>, Status> {
        let (snapshot, mut changes) = self.fleet.watch().await;
        let stopping = self.tasks.stopping();
        Ok(Response::new(Box::pin(async_stream::stream! {
            for member in snapshot.members() {
                yield Ok(change(Kind::Present, member));
            }
            tokio::pin!(stopping);
            loop {
                let received = tokio::select! {
                    received = changes.recv() => received,
                    () = &mut stopping => return,
                };
                match received {
                    Ok(next) => yield Ok(change(kind(next.kind), &next.registration)),
                    Err(RecvError::Lagged(_)) => {
                        yield Err(error::fell_behind());
                        return;
                    }
                    Err(RecvError::Closed) => return,
                }
            }
        })))
    }
}

fn finding(finding: fleet::Finding) -> Finding {
    Finding {
        rule: finding.rule.name().to_owned(),
        passed: finding.verdict == Verdict::Passed,
        detail: finding.detail,
        examined: finding.verdict != Verdict::NotExamined,
    }
}

fn change(kind: Kind, registration: &registry::Registration) -> WatchResponse {
    WatchResponse { kind: kind.into(), registration: Some(registration.into()) }
}

fn kind(kind: fleet::Kind) -> Kind {
    match kind {
        fleet::Kind::Added => Kind::Added,
        fleet::Kind::Updated => Kind::Updated,
        fleet::Kind::Disabled => Kind::Disabled,
        fleet::Kind::Enabled => Kind::Enabled,
        fleet::Kind::Rotated => Kind::Rotated,
        fleet::Kind::Revoked => Kind::Revoked,
        fleet::Kind::Removed => Kind::Removed,
        fleet::Kind::Health => Kind::Health,
    }
}

fn endpoint(endpoint: &str) -> Result<Endpoint, Status> {
    Endpoint::parse("endpoint", endpoint).map_err(|e| error::invalid(&e))
}

fn id(id: &str) -> Result<SpecialistId, Status> {
    id.parse().map_err(|e: Invalid| error::invalid(&e))
}
