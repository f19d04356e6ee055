//! Every way to lie that the verifier has a name for: what is changed, and what has to be said of it.

mod files;
mod records;
mod registry;
mod routers;
mod specialists;

use proto::wire::Vouching;

use self::{
    files::{CARDS, FILES},
    records::RECORDS,
    registry::REGISTRY,
    routers::ROUTERS,
    specialists::SPECIALISTS,
};
use crate::samples::{Made, Plan, plan, seal};

/// Where something is changed. A lie that the sample gives no room for says so with `None`.
pub(crate) enum Lie {
    /// Before anybody signs.
    Plan(fn(&mut Plan) -> Option<()>),
    /// Before the router signs.
    Made(fn(&Plan, &mut Made) -> Option<()>),
    /// In the file.
    Json(fn(&Plan, &Made, String) -> Option<String>),
}

use Lie::{Json, Made as Before, Plan as Planned};

/// A lie, what it is called here, and the names of the failures that it leads to.
pub(crate) type Named = (&'static str, Lie, &'static [&'static str]);

/// The first call that is signed.
fn signed_call(plan: &Plan) -> Option<usize> {
    plan.calls.iter().position(|call| call.vouching == Vouching::Signed)
}

fn open(plan: &Plan) -> Option<()> {
    (!plan.closed).then_some(())
}

/// All lies.
pub(crate) fn all() -> impl Iterator<Item = &'static Named> {
    [SPECIALISTS, ROUTERS, RECORDS, REGISTRY, FILES, CARDS].into_iter().flatten()
}

/// The world of `seed`, and a receipt.json with `lie` in it, where that sample gives room for it.
pub(crate) fn told(seed: u64, lie: &Lie) -> Option<(Plan, String)> {
    let mut plan = plan(seed);
    if let Planned(change) = lie {
        change(&mut plan)?;
    }
    let mut made = crate::samples::made::make(&mut plan);
    if let Before(change) = lie {
        change(&plan, &mut made)?;
    }
    let json = seal(&plan.world, &made).to_json();
    let json = if let Json(change) = lie { change(&plan, &made, json)? } else { json };
    Some((plan, json))
}
