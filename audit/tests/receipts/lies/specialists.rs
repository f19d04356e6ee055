//! What specialists lie about.

use proto::wire::{Passage, Statement, Vouching};

use super::{Lie::Plan as Planned, Named, open, signed_call};
use crate::samples::Plan;

pub(crate) const SPECIALISTS: &[Named] = &[
    (
        "weights",
        Planned(|plan| twist(plan, |says| says.weights_sha256 = vec![0; 32])),
        &["statement_corpus_wrong"],
    ),
    (
        "corpus",
        Planned(|plan| twist(plan, |says| says.data_sha256 = vec![0; 32])),
        &["statement_corpus_wrong"],
    ),
    (
        "root",
        Planned(|plan| twist(plan, |says| says.passages_root = vec![0; 32])),
        &["statement_corpus_wrong"],
    ),
    ("count", Planned(|plan| twist(plan, |says| says.passage_count += 1)), &["statement_corpus_wrong"]),
    ("name", Planned(|plan| twist(plan, |says| says.specialist_id = "x".into())), &["statement_of_another"]),
    ("request", Planned(|plan| twist(plan, |says| says.request = vec![0; 32])), &["statement_differs"]),
    ("answer", Planned(|plan| twist(plan, |says| says.answer = vec![0; 32])), &["statement_differs"]),
    ("passages", Planned(|plan| twist(plan, |says| says.passages[0] = vec![0; 32])), &["statement_differs"]),
    ("card", Planned(|plan| twist(plan, |says| says.card_sha256 = vec![0; 32])), &["institutions_differ"]),
    (
        "citations",
        Planned(|plan| {
            let at = signed_call(plan)?;
            plan.calls[at].words.clear();
            twist(plan, |says| {
                says.citations.push(proto::wire::StatementCitation {
                    answer_end_bytes: 1,
                    passage: 99,
                    end_bytes: 1,
                    ..Default::default()
                });
            })
        }),
        &["statement_citations_wrong"],
    ),
    (
        "citation behind the answer",
        Planned(|plan| {
            let at = signed_call(plan)?;
            open(plan)?;
            plan.calls[at].words.clear();
            twist(plan, |says| {
                says.citations.push(proto::wire::StatementCitation {
                    answer_end_bytes: 9_999,
                    end_bytes: 1,
                    ..Default::default()
                });
            })
        }),
        &["statement_citations_wrong"],
    ),
    (
        "key",
        Planned(|plan| {
            let at = signed_call(plan)?;
            plan.calls[at].key = Some(plan.world.key());
            Some(())
        }),
        &["statement_signature_wrong"],
    ),
    (
        "key of another institution",
        Planned(|plan| {
            let at = signed_call(plan)?;
            let who = plan.calls[at].who;
            let mut others = plan.world.specialists.iter().enumerate().filter(|(other, _)| *other != who);
            plan.calls[at].key = Some(others.find_map(|(_, one)| one.key.clone())?);
            Some(())
        }),
        &["statement_signature_wrong"],
    ),
    (
        "key rotated in between",
        Planned(|plan| {
            let at = signed_call(plan)?;
            let key = plan.world.rotate(plan.calls[at].who);
            (plan.calls[at].key, plan.calls[at].newer) = (Some(key), true);
            Some(())
        }),
        &["statement_signature_wrong", "statement_card_wrong"],
    ),
    (
        "replay",
        Planned(|plan| {
            open(plan)?;
            let at = signed_call(plan)?;
            plan.calls[at].request_id = "another".into();
            Some(())
        }),
        &["statement_request_id_wrong", "hidden_prompt"],
    ),
    (
        "passage of elsewhere",
        Planned(|plan| {
            open(plan)?;
            let of = |call: &crate::samples::Call| plan.world.specialists[call.who].card.card().passages_root;
            let rooted =
                |call: &crate::samples::Call| call.vouching == Vouching::Signed && of(call).is_some();
            let at = plan.calls.iter().position(rooted)?;
            plan.calls[at].foreign =
                Some(Passage { passage_id: "p".into(), text: "Elsewhere.".into(), ..Passage::default() });
            plan.calls[at].words.clear();
            Some(())
        }),
        &["passage_not_in_manifest"],
    ),
];

fn twist(plan: &mut Plan, twist: fn(&mut Statement)) -> Option<()> {
    let at = signed_call(plan)?;
    plan.calls[at].twist = twist;
    Some(())
}
