//! Where the prototypes leave doubt, and whose index is to resolve it.

use registry::Slot;

use super::{Calibration, Policy, Seen};

/// Confidence beyond these leaves no doubt whether somebody covers the question: nothing is lost by them
/// (`cargo eval routing`).
const SURELY_NOT: f32 = 0.05;
const SURELY: f32 = 0.99;

/// Whose index is to be probed, best first: of `scores`, best first, those near the best, where there are
/// several or where it is in doubt that the best covers the question at all.
pub fn doubtful(policy: &Policy, calibration: &Calibration, seen: Seen, scores: &[(Slot, f32)]) -> Vec<Slot> {
    let Some((_, best)) = scores.first() else { return Vec::new() };
    let confidence = calibration.confidence(seen, *best, None);
    let near = scores.iter().take_while(|(_, score)| *score >= best - policy.probe_window);
    let near: Vec<Slot> = near.map(|(slot, _)| *slot).take(policy.probes_max).collect();
    let plain = confidence < SURELY_NOT || (near.len() == 1 && confidence > SURELY);
    if plain { Vec::new() } else { near }
}
