// The messages that are read, from the schema. Written by build.mjs.

export const SCHEMA = `
Receipt:string router 1;string request_id 2;uint64 time_s 3;bytes previous_sha256 4;string version 5;LogState registry 6;repeated Rule rules 7;bytes question 8;ReceiptDecision decision 9;bytes derivation 10;repeated Call calls 11;repeated ReceiptSource sources 12;repeated ReceiptSpan spans 13;bytes text 14;enum reason 15
Statement:string specialist_id 1;bytes card_sha256 2;string request_id 3;bytes request 4;bytes answer 5;enum outcome 6;repeated bytes passages 7;repeated StatementCitation citations 8;bytes weights_sha256 9;bytes data_sha256 10;bytes passages_root 11;uint64 passage_count 12;Generation generation 13
RegistryEntry:uint64 time_s 1;enum change 2;string specialist_id 3;bytes content_sha256 4;bytes public_key 5;bytes signature 6;repeated Signed successions 7
Succession:string specialist_id 1;bytes old_public_key 2;bytes new_public_key 3
Card:string specialist_id 1;string title 2;string institution 3;string description 4;repeated string example_questions 5;repeated string sample_texts 6;string license 7;string notice 8;string public_endpoint 9;string generator 10;string revision 11;uint64 passage_count 12;bool asks_consent 13;enum probing 14;float title_share 15;uint32 history_turns_max 16;bytes public_key 17;enum weights_openness 18;enum data_openness 19;string intended_use 20;string retention 21;bytes weights_sha256 22;bytes data_sha256 23;bytes passages_root 24
AskRequest:repeated Turn turns 1;AskOptions options 2;string previous_request_id 3
AnswerRequest:string request_id 1;repeated Turn turns 2;uint32 passages_max 3;bytes salt 4
Passage:string passage_id 1;string title 2;string text 3;string url 4;string license 5;float similarity 6;string section 7;uint32 page 8
LogState:uint64 size 1;bytes root 2
Rule:string name 1;bytes sha256 2
ReceiptDecision:enum verdict 1;repeated ReceiptCandidate candidates 2;uint32 confidence_e6 3;uint32 confidence_min_e6 4;uint32 probability_min_e6 5;bytes weights_sha256 6;string engine 7;bool general 8;enum history 9;repeated string seen_by 10
Call:string specialist_id 1;bytes card_sha256 2;enum vouching 3;Signed statement 4;bytes request 5;bytes answer 6;repeated bytes passages 7
ReceiptSource:uint32 call 1;uint32 passage 2
ReceiptSpan:uint32 length_bytes 1;oneof.origin Verbatim verbatim 2;oneof.origin uint32 rule 3
StatementCitation:uint32 answer_start_bytes 1;uint32 answer_end_bytes 2;uint32 passage 3;uint32 start_bytes 4;uint32 end_bytes 5
Generation:string engine 1;string device 2;Sampling sampling 3
Signed:bytes payload 1;bytes signature 2
Turn:enum role 1;string text 2
AskOptions:repeated string only 1;repeated string exclude 2;uint32 specialists_max 3;repeated string consent 4
ReceiptCandidate:string specialist_id 1;bytes card_sha256 2;optional sint32 score_e6 3;uint32 probability_e6 4;uint32 confidence_e6 5;enum status 6;uint32 calls 7;string failure 8;bool probed 9
Verbatim:uint32 call 1;uint32 start_bytes 2;SpanCitation citation 3
Sampling:string algorithm 1;uint64 seed 2;uint32 temperature_e6 3;uint32 top_p_e6 4;uint32 top_k 5;uint32 tokens_max 6
SpanCitation:uint32 source_number 1;uint32 start_bytes 2;uint32 end_bytes 3
`;
