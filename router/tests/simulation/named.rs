//! Faults that have a name, and what each may cost.

use std::time::Duration;

use router::{
    ask::Reason,
    dispatch::Eject,
    route::{Policy, Status},
};

use tonic::Code;

use crate::{
    check::{AFTER_CRASH, AFTER_FEW_WORDS, AFTER_NO_WORDS, AFTER_SILENCE, check},
    plan::{Fault, PATIENCE, Plan, Question, What, calibration},
    record::{Answer, Heard, Run},
    script::{End, Line, Script},
    trace, world,
};

const MS: Duration = Duration::from_millis(1);

/// Says something ten times a second, `count` times, and ends.
fn says(count: usize, end: End) -> Script {
    Script { refusals: 0, lines: vec![(100 * MS, Line::Words); count], end: (100 * MS, end) }
}

/// One question to the first of `scripts`, with the others in reserve, and what goes wrong on the way.
fn scene(scripts: Vec<Script>, faults: &[(u64, What)]) -> Plan {
    let faults = faults.iter().map(|&(ms, what)| Fault { at: Duration::from_millis(ms), whom: 0, what });
    Plan {
        seed: 0,
        questions: vec![Question {
            at: Duration::ZERO,
            patience: PATIENCE,
            near: (0u8..).map(|at| 0.9 - f32::from(at) * 0.2).take(scripts.len()).collect(),
            leaves_after: None,
            earlier: 3,
            follows: true,
        }],
        specialists: scripts.into_iter().map(|script| vec![script]).collect(),
        policy: Policy::default(),
        calibration: calibration(0.726),
        in_flight_max: 64,
        eject: Eject::default(),
        latency_ms: 1..=50,
        faults: faults.collect(),
    }
}

/// Plays a scene. All that always holds does here too.
#[track_caller]
fn plays(plan: &Plan) -> Run {
    let run = world::run(plan);
    println!("{}", trace::run(plan, &run));
    check(plan, &run).unwrap();
    run
}

/// How long after `since` specialist `who` first says something.
#[track_caller]
fn speaks(answer: &Answer, who: &str, since: Duration) -> Duration {
    let its = |heard: &&Heard| heard.span().is_some() && heard.owner().is_some_and(|id| id.as_str() == who);
    answer.heard.iter().find(its).unwrap().at.checked_sub(since).unwrap()
}

#[track_caller]
fn statuses(run: &Run, expected: &[Status]) {
    let finish = run.answers[0].finish().unwrap();
    let statuses: Vec<Status> = finish.candidates.iter().map(|candidate| candidate.status).collect();
    assert_eq!((finish.reason, statuses.as_slice()), (Reason::Answered, expected));
}

#[test]
fn a_crash_costs_less_than_a_second() {
    let crash = 1_000;
    let plan = scene(vec![says(50, End::Answered), says(3, End::Answered)], &[(crash, What::Crash)]);
    let run = plays(&plan);
    statuses(&run, &[Status::Failed, Status::Answered]);
    let took = speaks(&run.answers[0], "s1", Duration::from_millis(crash));
    println!("from the crash to the next one's first words: {took:?}");
    assert!(took < AFTER_CRASH, "{took:?}");
}

/// The crash falls between the call and its first event, and what is dialled again is swallowed.
#[test]
fn a_host_that_is_gone_before_its_first_event_costs_less_than_a_second() {
    for gone in [20, 40, 60, 80, 100, 120] {
        let faults = [(gone, What::Crash), (gone + 10, What::Partition)];
        let run = plays(&scene(vec![says(50, End::Answered), says(3, End::Answered)], &faults));
        statuses(&run, &[Status::Failed, Status::Answered]);
        let finish = run.answers[0].finish().unwrap();
        assert_eq!(finish.candidates[0].calls, 2, "{gone} ms is no such moment");
        let took = speaks(&run.answers[0], "s1", Duration::from_millis(gone));
        println!("from the end of a host after {gone} ms to the next one's first words: {took:?}");
        assert!(took < AFTER_CRASH, "{took:?}");
    }
}

#[test]
fn a_silent_stall_costs_less_than_six_seconds() {
    let plan = scene(vec![says(10, End::Silence), says(3, End::Answered)], &[]);
    let run = plays(&plan);
    statuses(&run, &[Status::Timeout, Status::Answered]);
    let took = speaks(&run.answers[0], "s1", run.seen[1].at + plan.specialists[0][0].lasts());
    println!("from the last words to the next one's first: {took:?}");
    assert!(took < AFTER_SILENCE, "{took:?}");
}

#[test]
fn heartbeats_do_not_stand_for_words() {
    for (said, allowed) in [(0, AFTER_NO_WORDS), (10, AFTER_FEW_WORDS)] {
        let plan = scene(vec![says(said, End::Heartbeats), says(3, End::Answered)], &[]);
        let run = plays(&plan);
        statuses(&run, &[Status::Timeout, Status::Answered]);
        let took = speaks(&run.answers[0], "s1", run.seen[1].at + plan.specialists[0][0].lasts());
        println!("from the last of {said} words to the next one's first: {took:?}");
        assert!(took < allowed, "{took:?}");
    }
}

#[test]
fn a_partition_costs_less_than_six_seconds() {
    for what in [What::Partition, What::PartitionFrom] {
        let cut = 1_000;
        let plan = scene(vec![says(50, End::Answered), says(3, End::Answered)], &[(cut, what)]);
        let run = plays(&plan);
        statuses(&run, &[Status::Timeout, Status::Answered]);
        let took = speaks(&run.answers[0], "s1", Duration::from_millis(cut));
        println!("from {what:?} to the next one's first words: {took:?}");
        assert!(took < AFTER_SILENCE, "{what:?}: {took:?}");
    }
}

#[test]
fn one_that_cannot_be_reached_costs_the_time_to_connect() {
    let plan = scene(vec![says(3, End::Answered), says(3, End::Answered)], &[(0, What::Partition)]);
    let run = plays(&plan);
    statuses(&run, &[Status::Failed, Status::Answered]);
    let took = speaks(&run.answers[0], "s1", Duration::ZERO);
    println!("from the question to the next one's first words: {took:?}");
    assert!((1..2).contains(&took.as_secs()), "{took:?}");
}

#[test]
fn the_question_after_a_partition_is_answered() {
    let cut = [(1_000, What::Partition), (3_000, What::Repair)];
    let mut plan = scene(vec![says(50, End::Answered), says(3, End::Answered)], &cut);
    // What was sent meanwhile is lost for good, so the old connection never comes to life again.
    let (first, later) = (plan.questions[0].clone(), Duration::from_secs(7));
    plan.specialists.iter_mut().for_each(|scripts| scripts.push(says(3, End::Answered)));
    plan.questions = vec![first.clone(), Question { at: later, ..first }];
    for question in &mut plan.questions {
        question.near = vec![0.31, 0.15];
    }
    let run = plays(&plan);
    statuses(&run, &[Status::Timeout, Status::Answered]);
    let finish = run.answers[1].finish().unwrap();
    assert_eq!((finish.candidates[0].status, finish.candidates[0].calls), (Status::Answered, 1));
    let took = speaks(&run.answers[1], "s0", later);
    assert!(took < Duration::from_secs(1), "{took:?}");
}

#[test]
fn an_answer_that_has_begun_survives_when_the_way_there_is_cut() {
    let plan = scene(vec![says(50, End::Answered), says(3, End::Answered)], &[(1_000, What::PartitionTo)]);
    statuses(&plays(&plan), &[Status::Answered, Status::Outranked]);
}

#[test]
fn messages_that_are_held_for_a_while_cost_only_that_while() {
    let held = [(1_000, What::Hold), (5_000, What::Release)];
    let plan = scene(vec![says(50, End::Answered), says(3, End::Answered)], &held);
    statuses(&plays(&plan), &[Status::Answered, Status::Outranked]);
}

#[test]
fn words_that_were_held_for_too_long_are_not_mixed_in() {
    let held = [(1_000, What::Hold), (7_000, What::Release)];
    let plan = scene(vec![says(50, End::Answered), says(30, End::Answered)], &held);
    let run = plays(&plan);
    statuses(&run, &[Status::Timeout, Status::Answered]);
    let took = speaks(&run.answers[0], "s1", Duration::from_secs(1));
    println!("from the hold to the next one's first words: {took:?}");
    assert!(took < AFTER_SILENCE, "{took:?}");
}

#[test]
fn nobody_is_asked_after_the_deadline() {
    let mut plan = scene(vec![says(10, End::Silence), says(3, End::Answered)], &[]);
    plan.questions[0].patience = Duration::from_secs(3);
    let run = plays(&plan);
    let finish = run.answers[0].finish().unwrap();
    let s1 = &finish.candidates[1];
    assert_eq!((finish.reason, s1.status, s1.calls), (Reason::Incomplete, Status::Outranked, 0));
}

#[test]
fn one_that_fails_too_often_is_left_alone_and_then_probed() {
    let mut plan = scene(vec![says(3, End::Answered), says(3, End::Answered)], &[]);
    let (question, fails) = (plan.questions[0].clone(), says(0, End::Fails(Code::Internal)));
    // Five failures, one question while it is left alone, and two afterwards, when it is well again.
    let at = [0, 1, 2, 3, 4, 20, 35, 36].map(Duration::from_secs);
    plan.specialists[0] =
        (0..8).map(|nth| if nth < 5 { fails.clone() } else { says(3, End::Answered) }).collect();
    plan.specialists[1] = vec![says(3, End::Answered); 8];
    // The other one is as likely: whoever is the only one is asked all the same.
    let near = vec![0.31, 0.3];
    plan.questions = at.map(|at| Question { at, near: near.clone(), ..question.clone() }).to_vec();
    let run = plays(&plan);
    let became = run.answers.iter().map(|answer| answer.finish().unwrap().candidates[0].status);
    let became: Vec<Status> = became.collect();
    assert_eq!(became[..5], [Status::Failed; 5]);
    assert_eq!(became[5..], [Status::CircuitOpen, Status::Answered, Status::Answered]);
}
