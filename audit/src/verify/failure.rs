//! What can be wrong with a receipt, and what is worth saying of one that is right. The names are for programs
//! and stay; the TypeScript verifier has the same ones.

/// Declares an enum whose members have a name for programs and a sentence for people.
macro_rules! named {
    ($(#[$doc:meta])* $kind:ident { $($member:ident $name:literal $says:literal)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $kind {
            $(#[doc = $says] $member,)+
        }

        impl $kind {
            /// All of them, in the order in which they are looked for.
            pub const ALL: &[Self] = &[$(Self::$member,)+];

            /// Its name, which stays.
            pub fn name(self) -> &'static str {
                match self { $(Self::$member => $name,)+ }
            }

            /// What it means, as a sentence.
            pub fn says(self) -> &'static str {
                match self { $(Self::$member => $says,)+ }
            }
        }
    };
}

named! {
    /// Why a receipt is refused.
    Failure {
        BundleNotCanonical "bundle_not_canonical" "The file is not a receipt.json in its one form."
        ReceiptKeyWrong "receipt_key_wrong" "The receipt names another key than the trusted one."
        ReceiptSignatureWrong "receipt_signature_wrong" "The trusted router did not sign this receipt."
        ReceiptNotCanonical "receipt_not_canonical" "The receipt is not in its one form, or was made by a newer version."
        ReceiptIncomplete "receipt_incomplete" "The receipt lacks what every receipt has."
        RouterWrong "router_wrong" "The receipt is of another router than the trusted one."
        LogProofMalformed "log_proof_malformed" "The proof that the receipt is in the log cannot be read."
        LogOriginWrong "log_origin_wrong" "The receipt is shown to be in another log than the trusted one."
        LogSignatureWrong "log_signature_wrong" "The trusted router did not sign the state of the log of receipts."
        ReceiptNotInLog "receipt_not_in_log" "The receipt does not stand in the log where the proof says."
        LogWitnessWrong "log_witness_wrong" "A witness did not sign this state of the log of receipts, though the proof says so."
        LogWitnessesMissing "log_witnesses_missing" "Fewer witnesses than demanded have seen this state of the log of receipts."
        InstitutionsDiffer "institutions_differ" "The cards beside the receipt are not those that it names."
        CardMalformed "card_malformed" "A card cannot be read."
        EntryNotCanonical "entry_not_canonical" "An entry of the registry is not in its one form, or was made by a newer version."
        EntryWrong "entry_wrong" "An entry of the registry does not register the card beside it."
        CardSignatureWrong "card_signature_wrong" "A card is not signed with the key in it."
        SuccessionWrong "succession_wrong" "A key follows another without that one's signature."
        RegistryProofMalformed "registry_proof_malformed" "The proof that a card is registered cannot be read."
        RegistryOriginWrong "registry_origin_wrong" "A card is shown to be in another registry than the trusted one."
        RegistrySignatureWrong "registry_signature_wrong" "The trusted router did not sign the state of the registry."
        EntryNotInRegistry "entry_not_in_registry" "A card does not stand in the registry where the proof says."
        RegistryWitnessWrong "registry_witness_wrong" "A witness did not sign this state of the registry, though the proof says so."
        RegistryWitnessesMissing "registry_witnesses_missing" "Fewer witnesses than demanded have seen this state of the registry."
        RegistryRolledBack "registry_rolled_back" "The registry is shown in an earlier state than the one that the router worked by."
        RegistryForked "registry_forked" "The registry is shown in two states that cannot both be."
        CardRegisteredLater "card_registered_later" "A card was registered only after the router is said to have used it."
        CallCardOfAnother "call_card_of_another" "A call names the card of another specialist."
        VouchingWrong "vouching_wrong" "A call says of its statement what cannot be."
        StatementMissing "statement_missing" "A specialist that is said to have signed has not."
        StatementSignatureWrong "statement_signature_wrong" "A statement is not signed with its institution's key."
        StatementNotCanonical "statement_not_canonical" "A statement is not in its one form, or was made by a newer version."
        StatementOfAnother "statement_of_another" "A statement is another specialist's."
        StatementRequestIdWrong "statement_request_id_wrong" "A statement was made for another question."
        StatementCardWrong "statement_card_wrong" "A statement was made under a card that is not this specialist's."
        StatementDiffers "statement_differs" "A specialist signed another request, answer or passage than the receipt has."
        StatementCorpusWrong "statement_corpus_wrong" "A statement names other weights or another corpus than its card."
        StatementCitationsWrong "statement_citations_wrong" "A statement cites what is not there."
        QuestionNotCommitted "question_not_committed" "The question is not the one that the receipt was made for."
        QuestionNotCanonical "question_not_canonical" "The question is not in its one form, or was made by a newer version."
        DerivationNotCommitted "derivation_not_committed" "What the decision followed from is not what the receipt was made for."
        TextNotCommitted "text_not_committed" "The answer is not the one that the receipt was made for."
        OpeningDiffers "opening_differs" "The opening has not as many calls or passages as the receipt."
        RequestNotCommitted "request_not_committed" "A request is not the one that the receipt was made for."
        RequestNotCanonical "request_not_canonical" "A request is not in its one form, or was made by a newer version."
        HiddenPrompt "hidden_prompt" "A specialist was sent something else than what the user asked."
        AnswerNotCommitted "answer_not_committed" "A specialist's words are not those that the receipt was made for."
        PassageNotCommitted "passage_not_committed" "A passage is not the one that the receipt was made for."
        PassageNotCanonical "passage_not_canonical" "A passage is not in its one form, or was made by a newer version."
        PassageNotInManifest "passage_not_in_manifest" "A passage is not shown to be one of the corpus in its specialist's card."
        SourceUnknown "source_unknown" "A source is no passage of a call."
        SpanOriginUnknown "span_origin_unknown" "Words of the answer are said to be of a call or rule that is not there."
        SpansIncomplete "spans_incomplete" "The spans do not cover the answer exactly."
        SpanAltered "span_altered" "Words that are given as a specialist's are not what it said."
        SpanCitationWrong "span_citation_wrong" "Words cite a source that their specialist did not cite there."
        CandidateRepeated "candidate_repeated" "The decision names a candidate twice."
        CallsDiffer "calls_differ" "Those who were called are not those whom the decision says were."
        CandidateCardWrong "candidate_card_wrong" "The decision names another card than the call, or than the registry."
        CallNotAnnounced "call_not_announced" "Somebody was called who was not among those who might see the question."
        CalledWithoutConsent "called_without_consent" "Somebody was called who asks for a consent that was not given."
        RegistryLogWrong "registry_log_wrong" "The registry's log at hand is not whole, or not the trusted one."
        RegistryStateWrong "registry_state_wrong" "The registry's log never had the state that the receipt names."
        CandidateMissing "candidate_missing" "A registered specialist is missing among the candidates."
        CandidateUnregistered "candidate_unregistered" "A candidate was not registered."
        KeyRevoked "key_revoked" "A key that signed was revoked."
    }
}

named! {
    /// What is worth saying though nothing is wrong.
    Remark {
        SignersUnknown "signers_unknown" "Without a trust file nobody knows whose keys signed this: nothing is proven."
        OpeningDeleted "opening_deleted" "The opening is deleted: what was asked and said cannot be compared any more."
        UnknownWitness "unknown_witness" "A state of a log is signed by a key that the trust file does not name."
        UnsignedSpecialist "unsigned_specialist" "A specialist signs nothing: only the router says what it said."
        UnfinishedCall "unfinished_call" "A specialist gave out before its end, and signed nothing."
        RefusedCall "refused_call" "A specialist's answer was refused: it signed something else than it said."
        RevocationsUnchecked "revocations_unchecked" "Whether a key was revoked, or a candidate left out, shows only with the registry's log (--registry)."
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_of_one_form_and_stand_once() {
        let failures = Failure::ALL.iter().map(|one| (one.name(), one.says()));
        let all: Vec<_> = failures.chain(Remark::ALL.iter().map(|one| (one.name(), one.says()))).collect();
        for (at, (name, says)) in all.iter().enumerate() {
            assert!(name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'), "{name}");
            assert!(says.ends_with('.') && all[at + 1..].iter().all(|(other, _)| other != name), "{name}");
        }
    }
}
