use super::*;

#[track_caller]
fn all(intent: Intent, questions: &[&str]) {
    for question in questions {
        assert_eq!(Intent::of(question), intent, "{question}");
    }
}

#[test]
fn definitions() {
    all(
        Intent::Definition,
        &[
            "What is (are) Wilson disease?",
            "what's a certificate authority",
            "What is photosynthesis?",
            "Who was Kepler?",
            "Tell me about honeydew",
            "What does \"in escrow\" mean?",
            "define liability",
            "neutropenia",
            "brain stem?",
            "Could you explain what is meant by a swarm?",
        ],
    );
}

#[test]
fn causes() {
    all(
        Intent::Cause,
        &[
            "What causes migraine?",
            "Why does my hive lose bees in winter?",
            "Who is at risk for gout?",
            "What are the risk factors for stroke?",
            "reasons for low water pressure",
            "How come the moon has no air?",
            "How do you get shingles?",
            "My tap water is brown, why is that?",
            "What leads to a supernova?",
        ],
    );
}

#[test]
fn symptoms() {
    all(
        Intent::Symptom,
        &[
            "What are the symptoms of croup?",
            "side effects of vincristine?",
            "signs of a queenless colony",
            "How do I know if I have a hernia?",
            "What does a torn ligament feel like?",
            "What are early signs that treatment stops working?",
            "fever after chemo, is that a side effect? what other symptoms should worry me",
        ],
    );
}

#[test]
fn treatments() {
    all(
        Intent::Treatment,
        &[
            "What are the treatments for asthma?",
            "what helps against mouth sores",
            "How do you treat varroa mites?",
            "Is there a cure for type 1 diabetes?",
            "how to get rid of wax moths",
            "medicine for nausea during chemo",
            "What to do for gallstones?",
            "Which drugs are given first?",
        ],
    );
}

#[test]
fn doses() {
    all(
        Intent::Dose,
        &[
            "ibuprofen dose child 20 kg",
            "How much sugar syrup does a colony need?",
            "how many moons does Saturn have",
            "How often should the filter be changed?",
            "How long is the notice period?",
            "What is the usual dosage of vitamin K?",
            "how much does a permit cost, and how do I get one?",
        ],
    );
}

#[test]
fn instructions() {
    all(
        Intent::HowTo,
        &[
            "How do I read a water meter?",
            "How can I appeal a decision?",
            "how to diagnose lupus",
            "What should I do when the landlord does not answer?",
            "best way to store honey",
            "steps for renewing a passport",
            "Hello, please tell me how can we rotate a key",
            "How to prevent kidney stones?",
        ],
    );
}

#[test]
fn yes_or_no() {
    all(
        Intent::YesNo,
        &[
            "can my son go to school",
            "Is gout inherited?",
            "Does Mars have seasons?",
            "Can vincristine cause constipation?",
            "If I move out early, do I owe the rent?",
            "My daughter has low platelets. May she swim?",
            "Are the files encrypted?",
            "And is it contagious?",
            "Should I treat a small cut at home?",
        ],
    );
}

#[test]
fn what_follows_up_may_want_what_was_asked_before() {
    let before = "How much syrup does a hive need?";
    assert_eq!(Intent::of_follow_up(before, "and for small colonies?"), Intent::Dose);
    assert_eq!(Intent::of_follow_up(before, "Why so much?"), Intent::Cause);
    assert_eq!(Intent::of_follow_up(before, "in spring?"), Intent::Dose);
}

#[test]
fn lists() {
    all(
        Intent::List,
        &[
            "What are the stages of Wilms tumor?",
            "What types of telescopes are there?",
            "List the planets",
            "What are some common scams?",
            "examples of deductible expenses",
            "What are the complications of mumps?",
            "name the branches of government",
        ],
    );
}

#[test]
fn others() {
    all(
        Intent::Other,
        &[
            "What is the outlook for hydrocephalus?",
            "How does a heat pump work?",
            "Where is my claim processed?",
            "When can I take money out of the account?",
            "what research is being done on ataxia",
            "What is the difference between a meteor and a meteorite?",
            "¿Qué es la luna?",
            "Wie entsteht ein Stern?",
            "",
            "???",
        ],
    );
}
