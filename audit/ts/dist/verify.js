// Checks receipts; see ../src. Written by build.mjs.

// Bytes: how they are joined, compared, and written as text. Whatever can be written in two ways is refused
// in all but one.
const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
function utf8(text) {
    return encoder.encode(text);
}
/** The text that `bytes` are in UTF-8; throws where they are none. */
function textOf(bytes) {
    return decoder.decode(bytes);
}
function join(...parts) {
    const joined = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
    let at = 0;
    for (const part of parts) {
        joined.set(part, at);
        at += part.length;
    }
    return joined;
}
function same(one, other) {
    return one.length === other.length && one.every((byte, at) => byte === other[at]);
}
function hex(bytes) {
    return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
/** The bytes of standard base64 with padding, in its one form; throws for any other. */
function unbase64(text) {
    const raw = atob(text);
    if (btoa(raw) !== text)
        throw new Error('no base64 in its one form');
    return Uint8Array.from(raw, (character) => character.charCodeAt(0));
}
function base64(bytes) {
    let raw = '';
    for (const byte of bytes)
        raw += String.fromCharCode(byte);
    return btoa(raw);
}
/** The bytes from `start` to `end` of a text in UTF-8, if both lie on characters' boundaries. */
function range(text, start, end) {
    const boundary = (at) => at === text.length || (at < text.length && (text[at] & 0xc0) !== 0x80);
    return start <= end && boundary(start) && boundary(end) ? text.subarray(start, end) : undefined;
}

// Digests, commitments and signatures, by WebCrypto.
const subtle = globalThis.crypto?.subtle;
const none = new Uint8Array(0);
async function sha256(...parts) {
    return new Uint8Array(await subtle.digest('SHA-256', join(...parts)));
}
/** The salt below `salt` for `label`. */
async function derive(salt, label) {
    const key = await subtle.importKey('raw', salt, 'HKDF', false, ['deriveBits']);
    const parameters = { name: 'HKDF', hash: 'SHA-256', salt: none, info: utf8(label) };
    return new Uint8Array(await subtle.deriveBits(parameters, key, 256));
}
/** The commitment to `bytes` as `label` under `salt`, which serves for all labels. */
async function commit(salt, label, bytes) {
    const name = utf8(label);
    const length = new Uint8Array(8);
    new DataView(length.buffer).setBigUint64(0, BigInt(bytes.length));
    const domain = utf8('consilium/commit/v1\0');
    return sha256(domain, Uint8Array.of(name.length), name, await derive(salt, label), length, bytes);
}
/** The points of small order, without their sign: what is signed with these is signed by anybody. */
const SMALL = new Set([
    '00'.repeat(32),
    '01' + '00'.repeat(31),
    '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
    'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
    'ec' + 'ff'.repeat(30) + '7f',
    'ed' + 'ff'.repeat(30) + '7f',
    'ee' + 'ff'.repeat(30) + '7f',
]);
function isSmall(point) {
    const unsigned = point.slice();
    unsigned[31] &= 0x7f;
    return SMALL.has(hex(unsigned));
}
/** Whether `signature` is Ed25519 over `message` and of the key with the bytes `key`, which may be none. */
async function signed(key, message, signature) {
    if (key.length !== 32 || signature.length !== 64)
        return false;
    if (isSmall(key) || isSmall(signature.slice(0, 32)))
        return false;
    try {
        const imported = await subtle.importKey('raw', key, { name: 'Ed25519' }, false, ['verify']);
        return await subtle.verify({ name: 'Ed25519' }, imported, signature, message);
    }
    catch {
        return false;
    }
}
function payloadType(kind) {
    return `application/vnd.consilium.${kind}.v1+protobuf`;
}
/** Whether `signature` is over `payload` as a `kind`, in DSSE's pre-authentication encoding. */
async function fits(key, kind, payload, signature) {
    const type = payloadType(kind);
    return signed(key, join(utf8(`DSSEv1 ${type.length} ${type} ${payload.length} `), payload), signature);
}
/** Whether `entry` is leaf `index` of the Merkle tree (RFC 9162) of `size` leaves with `root`, as `path` says. */
async function includes(root, size, index, entry, path) {
    if (index >= size)
        return false;
    let [at, last] = [index, size - 1n];
    let hash = await sha256(Uint8Array.of(0), entry);
    for (const beside of path) {
        if (last === 0n)
            return false;
        if ((at & 1n) === 1n || at === last) {
            hash = await sha256(Uint8Array.of(1), beside, hash);
            while ((at & 1n) === 0n && at !== 0n)
                [at, last] = [at >> 1n, last >> 1n];
        }
        else {
            hash = await sha256(Uint8Array.of(1), hash, beside);
        }
        [at, last] = [at >> 1n, last >> 1n];
    }
    return last === 0n && same(hash, root);
}

// The messages that are read, from the schema. Written by build.mjs.
const SCHEMA = `
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

// Protobuf by a table of messages: read as generously as any reader, written in the one canonical form. What
// reads and writes to the same bytes is canonical.
const U32 = 0xffffffffn;
const DEPTH_MAX = 100;
const messages = new Map();
for (const line of SCHEMA.trim().split('\n')) {
    const [name, fields] = line.split(':');
    messages.set(name, fields.split(';').map(field));
}
/** A field of the table: `[repeated|optional|oneof.NAME] TYPE NAME NUMBER`. */
function field(text) {
    const words = text.trim().split(' ');
    const [type, name, number] = words.slice(-3);
    const how = words.length > 3 ? words[0] : '';
    const oneof = how.startsWith('oneof.') ? how : '';
    const explicit = how === 'optional' || oneof !== '' || /^[A-Z]/.test(type);
    return { number: Number(number), type, name, repeated: how === 'repeated', explicit, oneof };
}
/** What the wire calls a field of this type. */
function wireType(type) {
    if (type === 'string' || type === 'bytes' || messages.has(type))
        return 2;
    if (type === 'float')
        return 5;
    return 0;
}
class Reader {
    bytes;
    at = 0;
    constructor(bytes) {
        this.bytes = bytes;
    }
    varint() {
        let value = 0n;
        for (let nth = 0; nth < 10; nth++) {
            const byte = this.bytes[this.at++];
            if (byte === undefined || (nth === 9 && byte > 1))
                break;
            value |= BigInt(byte & 0x7f) << BigInt(7 * nth);
            if (byte < 0x80)
                return value;
        }
        throw new Error('no varint');
    }
    key() {
        const key = this.varint();
        const [tag, wire] = [Number(key >> 3n), Number(key & 7n)];
        if (key > U32 || wire > 5 || tag === 0)
            throw new Error('no key');
        return [tag, wire];
    }
    take(length) {
        if (length > BigInt(this.bytes.length - this.at))
            throw new Error('too short');
        this.at += Number(length);
        return this.bytes.subarray(this.at - Number(length), this.at);
    }
    skip(tag, wire, depth) {
        if (depth === 0 || wire === 4)
            throw new Error('no field');
        if (wire === 0)
            this.varint();
        else if (wire === 1)
            this.take(8n);
        else if (wire === 2)
            this.take(this.varint());
        else if (wire === 5)
            this.take(4n);
        else {
            for (let [inner, how] = this.key(); how !== 4 || inner !== tag; [inner, how] = this.key()) {
                this.skip(inner, how, depth - 1);
            }
        }
    }
    value(type) {
        if (wireType(type) === 2) {
            const bytes = this.take(this.varint());
            if (type === 'bytes')
                return bytes;
            return type === 'string' ? textOf(bytes) : read(type, bytes);
        }
        if (type === 'float') {
            const bytes = this.take(4n);
            return new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
        }
        const value = this.varint();
        if (type === 'uint64')
            return value;
        if (type === 'bool')
            return value !== 0n;
        const low = value & U32;
        if (type === 'uint32')
            return Number(low);
        if (type === 'sint32')
            return Number(low >> 1n) ^ -Number(low & 1n);
        return Number(BigInt.asIntN(32, value));
    }
}
/** What a field is where it is not there. */
function absent({ type, repeated, explicit }) {
    if (repeated)
        return [];
    if (explicit)
        return undefined;
    const zeros = { string: '', bytes: new Uint8Array(0), bool: false, uint64: 0n };
    return zeros[type] ?? 0;
}
/** What `bytes` say as a `type`, whatever else stands in them; throws where they say nothing. A float is its bits. */
function read(type, bytes) {
    const fields = messages.get(type);
    const message = {};
    for (const field of fields)
        message[field.name] = absent(field);
    const reader = new Reader(bytes);
    while (reader.at < bytes.length) {
        const [tag, wire] = reader.key();
        const field = fields.find((field) => field.number === tag);
        if (!field) {
            reader.skip(tag, wire, DEPTH_MAX);
            continue;
        }
        if (wire !== wireType(field.type))
            throw new Error('another type');
        const value = reader.value(field.type);
        if (field.repeated)
            message[field.name].push(value);
        else {
            for (const other of fields)
                if (field.oneof && other.oneof === field.oneof)
                    message[other.name] = undefined;
            message[field.name] = value;
        }
    }
    return message;
}
function varint(value) {
    const bytes = [];
    for (; value > 0x7fn; value >>= 7n)
        bytes.push(Number(value & 0x7fn) | 0x80);
    return Uint8Array.of(...bytes, Number(value));
}
/** `value` without its key. */
function written(type, value) {
    if (wireType(type) === 2) {
        const bytes = type === 'bytes' ? value : type === 'string' ? utf8(value) : write(type, value);
        return join(varint(BigInt(bytes.length)), bytes);
    }
    if (type === 'float') {
        const bytes = new Uint8Array(4);
        new DataView(bytes.buffer).setUint32(0, value, true);
        return bytes;
    }
    if (type === 'sint32')
        return varint(BigInt(((value << 1) ^ (value >> 31)) >>> 0));
    return varint(BigInt.asUintN(64, BigInt(value)));
}
function isAbsent({ type, explicit }, value) {
    if (explicit)
        return value === undefined;
    if (type === 'float')
        return (value & 0x7fffffff) === 0;
    return type === 'bytes' ? value.length === 0 : !value;
}
/** The one encoding of `message`. */
function write(type, message) {
    const parts = [];
    for (const field of messages.get(type)) {
        const key = varint((BigInt(field.number) << 3n) | BigInt(wireType(field.type)));
        const value = message[field.name];
        const values = field.repeated ? value : isAbsent(field, value) ? [] : [value];
        for (const one of values)
            parts.push(key, written(field.type, one));
    }
    return join(...parts);
}
/** What `bytes` say as a `type`, if they are the one encoding of it. */
function canonical(type, bytes) {
    try {
        const message = read(type, bytes);
        return same(write(type, message), bytes) ? message : undefined;
    }
    catch {
        return undefined;
    }
}

// What can be wrong with a receipt, and what is worth saying of one that is right. The names stay; the Rust
// verifier has the same ones.
const FAILURES = {
    bundle_not_canonical: 'The file is not a receipt.json in its one form.',
    receipt_key_wrong: 'The receipt names another key than the trusted one.',
    receipt_signature_wrong: 'The trusted router did not sign this receipt.',
    receipt_not_canonical: 'The receipt is not in its one form, or was made by a newer version.',
    receipt_incomplete: 'The receipt lacks what every receipt has.',
    router_wrong: 'The receipt is of another router than the trusted one.',
    log_proof_malformed: 'The proof that the receipt is in the log cannot be read.',
    log_origin_wrong: 'The receipt is shown to be in another log than the trusted one.',
    log_signature_wrong: 'The trusted router did not sign the state of the log of receipts.',
    receipt_not_in_log: 'The receipt does not stand in the log where the proof says.',
    log_witness_wrong: 'A witness did not sign this state of the log of receipts, though the proof says so.',
    log_witnesses_missing: 'Fewer witnesses than demanded have seen this state of the log of receipts.',
    institutions_differ: 'The cards beside the receipt are not those that it names.',
    card_malformed: 'A card cannot be read.',
    entry_not_canonical: 'An entry of the registry is not in its one form, or was made by a newer version.',
    entry_wrong: 'An entry of the registry does not register the card beside it.',
    card_signature_wrong: 'A card is not signed with the key in it.',
    succession_wrong: "A key follows another without that one's signature.",
    registry_proof_malformed: 'The proof that a card is registered cannot be read.',
    registry_origin_wrong: 'A card is shown to be in another registry than the trusted one.',
    registry_signature_wrong: 'The trusted router did not sign the state of the registry.',
    entry_not_in_registry: 'A card does not stand in the registry where the proof says.',
    registry_witness_wrong: 'A witness did not sign this state of the registry, though the proof says so.',
    registry_witnesses_missing: 'Fewer witnesses than demanded have seen this state of the registry.',
    registry_rolled_back: 'The registry is shown in an earlier state than the one that the router worked by.',
    registry_forked: 'The registry is shown in two states that cannot both be.',
    card_registered_later: 'A card was registered only after the router is said to have used it.',
    call_card_of_another: 'A call names the card of another specialist.',
    vouching_wrong: 'A call says of its statement what cannot be.',
    statement_missing: 'A specialist that is said to have signed has not.',
    statement_signature_wrong: "A statement is not signed with its institution's key.",
    statement_not_canonical: 'A statement is not in its one form, or was made by a newer version.',
    statement_of_another: "A statement is another specialist's.",
    statement_request_id_wrong: 'A statement was made for another question.',
    statement_card_wrong: "A statement was made under a card that is not this specialist's.",
    statement_differs: 'A specialist signed another request, answer or passage than the receipt has.',
    statement_corpus_wrong: 'A statement names other weights or another corpus than its card.',
    statement_citations_wrong: 'A statement cites what is not there.',
    question_not_committed: 'The question is not the one that the receipt was made for.',
    question_not_canonical: 'The question is not in its one form, or was made by a newer version.',
    derivation_not_committed: 'What the decision followed from is not what the receipt was made for.',
    text_not_committed: 'The answer is not the one that the receipt was made for.',
    opening_differs: 'The opening has not as many calls or passages as the receipt.',
    request_not_committed: 'A request is not the one that the receipt was made for.',
    request_not_canonical: 'A request is not in its one form, or was made by a newer version.',
    hidden_prompt: 'A specialist was sent something else than what the user asked.',
    answer_not_committed: "A specialist's words are not those that the receipt was made for.",
    passage_not_committed: 'A passage is not the one that the receipt was made for.',
    passage_not_canonical: 'A passage is not in its one form, or was made by a newer version.',
    passage_not_in_manifest: "A passage is not shown to be one of the corpus in its specialist's card.",
    source_unknown: 'A source is no passage of a call.',
    span_origin_unknown: 'Words of the answer are said to be of a call or rule that is not there.',
    spans_incomplete: 'The spans do not cover the answer exactly.',
    span_altered: "Words that are given as a specialist's are not what it said.",
    span_citation_wrong: 'Words cite a source that their specialist did not cite there.',
    candidate_repeated: 'The decision names a candidate twice.',
    calls_differ: 'Those who were called are not those whom the decision says were.',
    candidate_card_wrong: 'The decision names another card than the call, or than the registry.',
    call_not_announced: 'Somebody was called who was not among those who might see the question.',
    called_without_consent: 'Somebody was called who asks for a consent that was not given.',
    registry_log_wrong: "The registry's log at hand is not whole, or not the trusted one.",
    registry_state_wrong: "The registry's log never had the state that the receipt names.",
    candidate_missing: 'A registered specialist is missing among the candidates.',
    candidate_unregistered: 'A candidate was not registered.',
    key_revoked: 'A key that signed was revoked.',
};
const REMARKS = {
    signers_unknown: 'Without a trust file nobody knows whose keys signed this: nothing is proven.',
    opening_deleted: 'The opening is deleted: what was asked and said cannot be compared any more.',
    unknown_witness: 'A state of a log is signed by a key that the trust file does not name.',
    unsigned_specialist: 'A specialist signs nothing: only the router says what it said.',
    unfinished_call: 'A specialist gave out before its end, and signed nothing.',
    refused_call: "A specialist's answer was refused: it signed something else than it said.",
    revocations_unchecked: "Whether a key was revoked, or a candidate left out, shows only with the registry's log (--registry).",
};

// What came of checking a receipt.
class Report {
    failures = [];
    remarks = [];
    /** What was checked and by whom it is signed: a heading and a sentence. */
    checked = [];
    /** Nothing is wrong, as far as can be said. */
    get sound() {
        return this.failures.length === 0;
    }
    /** The signers are known and nothing is wrong. */
    get verified() {
        return this.sound && !this.remarks.some((remark) => remark.name === 'signers_unknown');
    }
    /** Takes down a failure unless it `holds`; says whether it does. */
    demand(holds, name, place) {
        if (!holds)
            this.failures.push({ name, says: FAILURES[name], place });
        return holds;
    }
    remark(name, place) {
        this.remarks.push({ name, says: REMARKS[name], place });
    }
    note(what, says) {
        // Without what would steer a terminal.
        this.checked.push({ what, says: says.replace(/\p{Cc}/gu, '\ufffd') });
    }
}

// receipt.json: read in its one form only.
const BYTES_MAX = 64 * 1024 * 1024;
function text(value) {
    if (typeof value !== 'string' || /\p{Surrogate}/u.test(value))
        throw new Error('no text');
    return value;
}
function bytes(value, length) {
    const read = unbase64(text(value));
    if (length !== undefined && read.length !== length)
        throw new Error('another length');
    return read;
}
function list(value, read) {
    if (!Array.isArray(value))
        throw new Error('no list');
    return value.map(read);
}
function path(value) {
    if (value === null)
        return undefined;
    if (!Number.isSafeInteger(value.index) || value.index < 0)
        throw new Error('no index');
    return { index: BigInt(value.index), hashes: list(value.hashes, (hash) => bytes(hash, 32)) };
}
function call(value) {
    const passage = (one) => ({ passage: bytes(one.passage), path: path(one.path) });
    return { request: bytes(value.request), answer: text(value.answer), passages: list(value.passages, passage) };
}
function opening(value) {
    if (value === null)
        return undefined;
    const [salt, question, derivation] = [bytes(value.salt, 32), bytes(value.question), bytes(value.derivation)];
    return { salt, question, derivation, text: text(value.text), calls: list(value.calls, call) };
}
function institution(value) {
    return { card: bytes(value.card), entry: bytes(value.entry), proof: text(value.proof) };
}
/** `bundle` in its one form. */
function rewritten(bundle) {
    const { payload, signature, keyid, leafSalt, proof, opening } = bundle;
    const path = (path) => path ? { index: Number(path.index), hashes: path.hashes.map(base64) } : null;
    const call = ({ request, answer, passages }) => ({
        request: base64(request),
        answer,
        passages: passages.map((one) => ({ passage: base64(one.passage), path: path(one.path) })),
    });
    return JSON.stringify({
        v: 1,
        receipt: {
            payloadType: payloadType('receipt'),
            payload: base64(payload),
            signatures: [{ keyid, sig: base64(signature) }],
        },
        leaf_salt: base64(leafSalt),
        proof,
        institutions: bundle.institutions.map(({ card, entry, proof }) => ({
            card: base64(card),
            entry: base64(entry),
            proof,
        })),
        opening: opening
            ? {
                salt: base64(opening.salt),
                question: base64(opening.question),
                derivation: base64(opening.derivation),
                text: opening.text,
                calls: opening.calls.map(call),
            }
            : null,
    });
}
/** The receipt.json in `json`; none where it is not in its one form. */
function readBundle(json) {
    try {
        if (json.length > BYTES_MAX)
            return undefined;
        const value = JSON.parse(textOf(json));
        const [one] = value.receipt.signatures;
        const bundle = {
            payload: bytes(value.receipt.payload),
            signature: bytes(one.sig, 64),
            keyid: text(one.keyid),
            leafSalt: bytes(value.leaf_salt, 32),
            proof: text(value.proof),
            institutions: list(value.institutions, institution),
            opening: opening(value.opening),
        };
        return same(utf8(rewritten(bundle)), json) ? bundle : undefined;
    }
    catch {
        return undefined;
    }
}

// Signed notes, checkpoints and proofs (c2sp.org), and the keys that a reader trusts.
const NOTE_BYTES_MAX = 16 * 1024;
const PROOF_BYTES_MAX = NOTE_BYTES_MAX + 4 * 1024;
const PATH_MAX = 48;
const ENTRIES_MAX = 1n << 48n;
const WITNESSES_MAX = 16;
const INDEX_MAX = (1n << 64n) - 1n;
const HEADER = 'c2sp.org/tlog-proof@v1';
const DASH = '\u2014 ';
function isName(name) {
    const length = utf8(name).length;
    return length >= 1 && length <= 255 && !/[\p{White_Space}\p{Cc}+]/u.test(name);
}
/** The key written as `name+hash+base64`; throws where it is none. */
async function readVkey(text, algorithm) {
    if (typeof text !== 'string')
        throw new Error('The trust file is not of its form.');
    const [name, id, ...rest] = text.split('+');
    const bytes = unbase64(rest.join('+'));
    const hash = hex((await sha256(utf8(name + '\n'), bytes)).subarray(0, 4));
    if (!isName(name) || bytes.length !== 33 || bytes[0] !== algorithm || hash !== id) {
        throw new Error('A key in the trust file is not of its form: copy it again.');
    }
    return { name, id, algorithm, key: bytes.slice(1) };
}
/** The trust file in `json`; throws a sentence where it is none. */
async function readTrust(json) {
    const fail = () => {
        throw new Error('The trust file is not of its form.');
    };
    const value = JSON.parse(json);
    const names = ['receipts', 'registry', 'v', 'witnesses', 'witnesses_min'];
    if (String(Object.keys(value ?? 0).sort()) !== String(names) || value.v !== 1)
        fail();
    const [receipts, registry] = [await readVkey(value.receipts, 1), await readVkey(value.registry, 1)];
    const router = (key, kind) => (key.name.endsWith(kind) ? key.name.slice(0, -kind.length) : '');
    const name = router(receipts, '/receipts');
    if (!name || name !== router(registry, '/registry') || !Array.isArray(value.witnesses))
        fail();
    const witnesses = [];
    for (const witness of value.witnesses)
        witnesses.push(await readVkey(witness, 4));
    const count = (of) => new Set(witnesses.map(of)).size;
    const twice = count((key) => key.name) < witnesses.length || count((key) => hex(key.key)) < witnesses.length;
    const min = value.witnesses_min;
    if (twice || witnesses.length > WITNESSES_MAX || !Number.isInteger(min) || min < 0 || min > witnesses.length)
        fail();
    return { receipts, registry, witnesses, witnessesMin: min };
}
function readLine(line) {
    const rest = line.startsWith(DASH) ? line.slice(DASH.length) : '';
    const space = rest.indexOf(' ');
    const [name, bytes] = [rest.slice(0, space), unbase64(rest.slice(space + 1))];
    if (space < 0 || !isName(name) || bytes.length <= 4)
        throw new Error('no signature');
    return { name, id: hex(bytes.subarray(0, 4)), signature: bytes.slice(4) };
}
function readNote(note) {
    const at = note.lastIndexOf('\n\n');
    const clean = !/[\x00-\x09\x0b-\x1f\x7f]/.test(note);
    if (utf8(note).length > NOTE_BYTES_MAX || at < 0 || !clean || !note.endsWith('\n'))
        throw new Error('no note');
    return { text: note.slice(0, at + 1), lines: note.slice(at + 2, -1).split('\n').map(readLine) };
}
function number(text, max) {
    if (!/^(0|[1-9][0-9]{0,19})$/.test(text) || BigInt(text) > max)
        throw new Error('no number');
    return BigInt(text);
}
function digest(text) {
    const bytes = unbase64(text);
    if (bytes.length !== 32)
        throw new Error('no digest');
    return bytes;
}
function readCheckpoint(text) {
    const [origin, size, root, end, ...more] = text.split('\n');
    if (end !== '' || more.length > 0)
        throw new Error('no checkpoint');
    return { origin, size: number(size, ENTRIES_MAX), root: digest(root) };
}
/** The proof in `text`; none where it is not in its one form. */
function readProof(text) {
    try {
        const at = text.indexOf('\n\n');
        if (at < 0 || utf8(text).length > PROOF_BYTES_MAX)
            return undefined;
        const [header, index, ...path] = text.slice(0, at).split('\n');
        if (header !== HEADER || !index.startsWith('index ') || path.length > PATH_MAX)
            return undefined;
        const note = readNote(text.slice(at + 2));
        const read = { index: number(index.slice(6), INDEX_MAX), path: path.map(digest) };
        return { ...read, note, checkpoint: readCheckpoint(note.text) };
    }
    catch {
        return undefined;
    }
}
/** The one line of `note` that is with `key`; throws where one names it by half, or two do. */
function lineOf(note, key) {
    let found;
    for (const line of note.lines) {
        const [name, id] = [line.name === key.name, line.id === key.id];
        if (name !== id || (name && found))
            throw new Error('another key');
        if (name)
            found = line;
    }
    return found;
}
/** Whether the log's `key` signed `note`. */
async function isSigned(note, key) {
    try {
        const line = lineOf(note, key);
        return line !== undefined && (await signed(key.key, utf8(note.text), line.signature));
    }
    catch {
        return false;
    }
}
/** How many of `witnesses` signed `note`, and how many lines are of nobody; none where a line is wrong. */
async function cosigned(note, log, witnesses) {
    try {
        const known = new Set([lineOf(note, log)]);
        for (const witness of witnesses) {
            const line = lineOf(note, witness);
            if (!line)
                continue;
            known.add(line);
            if (line.signature.length < 8)
                return undefined;
            const time = new DataView(line.signature.buffer).getBigUint64(0);
            const message = join(utf8(`cosignature/v1\ntime ${time}\n`), utf8(note.text));
            if (!(await signed(witness.key, message, line.signature.slice(8))))
                return undefined;
        }
        return { witnesses: known.size - 1, unknown: note.lines.length - known.size };
    }
    catch {
        return undefined;
    }
}

// Whether something stands in a log that the trusted router signed and enough witnesses have seen.
const RECEIPTS = {
    malformed: 'log_proof_malformed',
    missing: 'receipt_not_in_log',
    origin: 'log_origin_wrong',
    signature: 'log_signature_wrong',
    witness: 'log_witness_wrong',
    witnesses: 'log_witnesses_missing',
};
const REGISTRY = {
    malformed: 'registry_proof_malformed',
    missing: 'entry_not_in_registry',
    origin: 'registry_origin_wrong',
    signature: 'registry_signature_wrong',
    witness: 'registry_witness_wrong',
    witnesses: 'registry_witnesses_missing',
};
async function countWitnesses({ note, checkpoint }, names, key, trust, place, report) {
    const isOrigin = report.demand(checkpoint.origin === key.name, names.origin, place);
    if (!report.demand(await isSigned(note, key), names.signature, place) || !isOrigin)
        return 0;
    const seen = await cosigned(note, key, trust.witnesses);
    report.demand(seen !== undefined, names.witness, place);
    if (!seen)
        return 0;
    if (seen.unknown > 0)
        report.remark('unknown_witness', place);
    report.demand(seen.witnesses >= trust.witnessesMin, names.witnesses, place);
    return seen.witnesses;
}
/** Checks that `entry` stands in the log with these `names` as `text` says; none where that cannot be read. */
async function checkProof(text, entry, names, trust, place, report) {
    const proof = readProof(text);
    report.demand(proof !== undefined, names.malformed, place);
    if (!proof)
        return undefined;
    const { index, path, checkpoint } = proof;
    const included = await includes(checkpoint.root, checkpoint.size, index, entry, path);
    report.demand(included, names.missing, place);
    const key = names === RECEIPTS ? trust?.receipts : trust?.registry;
    const witnesses = trust && key ? await countWitnesses(proof, names, key, trust, place, report) : 0;
    return { index, checkpoint, witnesses };
}
/** The states of the registry that a receipt shows. */
class States {
    states = [];
    constructor(state) {
        if (state)
            this.states.push({ size: state.size, root: hex(state.root) });
    }
    /** Adds a state, which has to agree with those before it. */
    add(shown, place, report) {
        const [size, root] = [shown.checkpoint.size, hex(shown.checkpoint.root)];
        const first = this.states[0];
        report.demand(!first || size >= first.size, 'registry_rolled_back', place);
        const forked = this.states.some((other) => other.size === size && other.root !== root);
        report.demand(!forked, 'registry_forked', place);
        this.states.push({ size, root });
    }
}

// Whether the cards that a receipt names are registered, and theirs who hold the keys in them.
const ROTATED = 3;
const SUCCESSIONS_MAX = 16;
/** Admitted, updated, rotated, disabled, enabled. */
const STANDS = [1, 2, ROTATED, 4, 5];
/** Checks the institutions of `bundle`, which have to be those with the cards `named`. */
async function checkInstitutions(bundle, receipt, named, trust, report) {
    const digests = [];
    for (const { card } of bundle.institutions)
        digests.push(hex(await sha256(card)));
    report.demand(digests.join() === named.join(), 'institutions_differ', '');
    const states = new States(receipt.registry);
    const registered = [];
    for (const [at, institution] of bundle.institutions.entries()) {
        const place = `institution ${at + 1}`;
        const shown = await checkProof(institution.proof, institution.entry, REGISTRY, trust, place, report);
        if (shown)
            states.add(shown, place, report);
        const one = await readInstitution(institution, shown, place, report);
        if (one)
            registered.push(one);
    }
    return registered;
}
async function readInstitution(institution, shown, place, report) {
    const entry = canonical('RegistryEntry', institution.entry);
    report.demand(entry !== undefined, 'entry_not_canonical', place);
    let card;
    try {
        card = read('Card', institution.card);
    }
    catch {
        report.demand(false, 'card_malformed', place);
        return undefined;
    }
    const digest = await sha256(institution.card);
    if (entry) {
        report.demand(registers(entry, card, digest), 'entry_wrong', place);
        const unsigned = card.public_key.length === 0 && entry.signature.length === 0;
        const isSigned = unsigned || (await fits(card.public_key, 'card', institution.card, entry.signature));
        report.demand(isSigned, 'card_signature_wrong', place);
        report.demand(await succeeds(entry), 'succession_wrong', place);
    }
    return { digest: hex(digest), card, index: shown?.index };
}
/** Whether `entry` makes this card one that stands. */
function registers(entry, card, digest) {
    return (STANDS.includes(entry.change) &&
        entry.specialist_id === card.specialist_id &&
        same(entry.content_sha256, digest) &&
        same(entry.public_key, card.public_key));
}
/** Whether the key of `entry`, where it follows others, was appointed by the one before it, step by step. */
async function succeeds(entry) {
    let key;
    if (entry.successions.length > SUCCESSIONS_MAX)
        return false;
    for (const succession of entry.successions) {
        const says = canonical('Succession', succession.payload);
        const follows = says !== undefined &&
            says.specialist_id === entry.specialist_id &&
            (key === undefined || same(key, says.old_public_key)) &&
            !same(says.new_public_key, says.old_public_key) &&
            (await fits(says.old_public_key, 'succession', succession.payload, succession.signature));
        if (!follows)
            return false;
        key = says.new_public_key;
    }
    return key === undefined ? entry.change !== ROTATED : same(key, entry.public_key);
}

// Whether what specialists signed is what the receipt says that they were asked and said.
const Vouching = { SIGNED: 1, UNSIGNED: 2, UNFINISHED: 3, REFUSED: 4 };
/** What each call's specialist signed, where that can be read. */
function readStatements(receipt) {
    return receipt.calls.map((call) => call.statement && canonical('Statement', call.statement.payload));
}
/** The digests of the cards that calls and statements name, in the order in which they do. */
function namedCards(receipt, statements) {
    const named = new Set();
    for (const [at, call] of receipt.calls.entries()) {
        named.add(hex(call.card_sha256));
        const statement = statements[at];
        if (statement)
            named.add(hex(statement.card_sha256));
    }
    return [...named];
}
/** Checks all calls. */
async function checkCalls(receipt, statements, cards, report) {
    const state = receipt.registry?.size ?? 0n;
    const find = (digest) => cards.find((card) => card.digest === digest);
    const calls = [];
    for (const [at, call] of receipt.calls.entries()) {
        const place = `call ${at + 1}`;
        const statement = statements[at];
        const registered = find(hex(call.card_sha256));
        if (registered) {
            const { card, index } = registered;
            report.demand(card.specialist_id === call.specialist_id, 'call_card_of_another', place);
            report.demand(index === undefined || index < state, 'card_registered_later', place);
        }
        checkVouching(call, registered, place, report);
        let answered = registered;
        if (call.statement && registered) {
            const { payload, signature } = call.statement;
            const isSigned = await fits(registered.card.public_key, 'statement', payload, signature);
            report.demand(isSigned, 'statement_signature_wrong', place);
        }
        if (call.statement)
            report.demand(statement !== undefined, 'statement_not_canonical', place);
        if (statement) {
            answered = find(hex(statement.card_sha256));
            checkStatement(statement, receipt, call, place, report);
            if (registered && answered)
                checkCards(statement, registered.card, answered.card, place, report);
        }
        calls.push({ place, call, statement, registered, answered });
    }
    return calls;
}
/** Whether there is a statement exactly where there has to be one. */
function checkVouching(call, registered, place, report) {
    const hasKey = registered !== undefined && registered.card.public_key.length > 0;
    const hasStatement = call.statement !== undefined;
    switch (call.vouching) {
        case Vouching.SIGNED:
            report.demand(hasStatement, 'statement_missing', place);
            break;
        case Vouching.UNSIGNED:
            report.demand(!hasKey && !hasStatement, 'vouching_wrong', place);
            report.remark('unsigned_specialist', place);
            break;
        case Vouching.UNFINISHED:
            report.demand(!hasStatement, 'vouching_wrong', place);
            report.remark('unfinished_call', place);
            break;
        case Vouching.REFUSED:
            report.demand(!hasStatement, 'vouching_wrong', place);
            report.remark('refused_call', place);
            break;
        default:
            report.demand(false, 'vouching_wrong', place);
    }
}
/** Whether `statement` says what the receipt says of `call`. */
function checkStatement(statement, receipt, call, place, report) {
    report.demand(statement.specialist_id === call.specialist_id, 'statement_of_another', place);
    report.demand(statement.request_id === receipt.request_id, 'statement_request_id_wrong', place);
    const agrees = same(statement.request, call.request) &&
        same(statement.answer, call.answer) &&
        statement.passages.map(hex).join() === call.passages.map(hex).join() &&
        statement.passages.length === call.passages.length;
    report.demand(agrees, 'statement_differs', place);
    let end = 0;
    let cites = true;
    for (const citation of statement.citations) {
        const { answer_start_bytes, answer_end_bytes, start_bytes, end_bytes } = citation;
        cites &&= answer_start_bytes >= end && answer_start_bytes < answer_end_bytes;
        cites &&= citation.passage < statement.passages.length && start_bytes < end_bytes;
        end = answer_end_bytes;
    }
    report.demand(cites, 'statement_citations_wrong', place);
}
/** Whether `statement` was made under `answered`, a card of the specialist that is `registered`. */
function checkCards(statement, registered, answered, place, report) {
    const sameOne = same(answered.public_key, registered.public_key) && answered.specialist_id === registered.specialist_id;
    report.demand(sameOne, 'statement_card_wrong', place);
    const corpus = same(statement.weights_sha256, answered.weights_sha256) &&
        same(statement.data_sha256, answered.data_sha256) &&
        same(statement.passages_root, answered.passages_root) &&
        statement.passage_count === answered.passage_count;
    report.demand(corpus, 'statement_corpus_wrong', place);
}

// Whether what was opened is what was committed to, and whether each specialist was asked what the user asked
// and nothing else.
const PASSAGES_MAX = 32;
const HISTORY_TURNS_MAX = 16;
const USER = 1;
/** The reasons for which earlier turns are used. */
const FOLLOWS = [5, 6];
/** Checks what `opening` says of `receipt` and of each of `calls`. */
async function checkOpening(opening, receipt, calls, report) {
    const opens = async (label, bytes, committed) => same(await commit(opening.salt, label, bytes), committed);
    report.demand(await opens('question', opening.question, receipt.question), 'question_not_committed', '');
    const derived = await opens('derivation', opening.derivation, receipt.derivation);
    report.demand(derived, 'derivation_not_committed', '');
    report.demand(await opens('text', utf8(opening.text), receipt.text), 'text_not_committed', '');
    const ask = canonical('AskRequest', opening.question);
    report.demand(ask !== undefined, 'question_not_canonical', '');
    const asked = {
        requestId: receipt.request_id,
        turns: ask ? usersTurns(ask) : [],
        follows: FOLLOWS.includes(receipt.decision?.history),
    };
    report.demand(opening.calls.length === calls.length, 'opening_differs', '');
    const opened = [];
    for (const [at, open] of opening.calls.entries()) {
        const called = calls[at];
        if (!called)
            break;
        const salt = await derive(opening.salt, `call/${called.call.specialist_id}`);
        await checkRequest(open, called, asked, salt, report);
        opened.push(await checkAnswer(open, called, salt, report));
    }
    return { ask, opened };
}
/** What the user said, if the last turn is the user's. */
function usersTurns(ask) {
    if (ask.turns.at(-1)?.role !== USER)
        return [];
    return ask.turns.filter((turn) => turn.role === USER).map((turn) => turn.text);
}
async function checkRequest(open, called, asked, salt, report) {
    const { place, call, registered } = called;
    const committed = same(await commit(salt, 'request', open.request), call.request);
    report.demand(committed, 'request_not_committed', place);
    const request = canonical('AnswerRequest', open.request);
    report.demand(request !== undefined, 'request_not_canonical', place);
    if (!request)
        return;
    const turnsMax = registered ? registered.card.history_turns_max : HISTORY_TURNS_MAX;
    const said = request.turns;
    const before = asked.turns.length - said.length;
    const follows = request.request_id === asked.requestId &&
        same(request.salt, salt) &&
        request.passages_max >= 1 &&
        request.passages_max <= PASSAGES_MAX &&
        said.every((turn) => turn.role === USER) &&
        said.length > 0 &&
        said.length - 1 <= (asked.follows ? turnsMax : 0) &&
        before >= 0 &&
        said.every((turn, at) => turn.text === asked.turns[before + at]);
    report.demand(follows, 'hidden_prompt', place);
}
async function checkAnswer(open, called, salt, report) {
    const { place, call, statement } = called;
    const answer = utf8(open.answer);
    report.demand(same(await commit(salt, 'answer', answer), call.answer), 'answer_not_committed', place);
    report.demand(open.passages.length === call.passages.length, 'opening_differs', place);
    const passages = [];
    for (const [at, { passage, path }] of open.passages.entries()) {
        const committed = call.passages[at];
        if (!committed)
            break;
        const here = `${place}, passage ${at + 1}`;
        const commitment = await commit(salt, `passage/${at}`, passage);
        report.demand(same(commitment, committed), 'passage_not_committed', here);
        const read = canonical('Passage', passage);
        const whole = read && read.similarity === 0 ? read : undefined;
        report.demand(whole !== undefined, 'passage_not_canonical', here);
        report.demand(await isInCorpus(passage, path, called), 'passage_not_in_manifest', here);
        passages.push(whole && utf8(whole.text));
    }
    if (statement) {
        const within = statement.citations.every((citation) => {
            const passage = passages[citation.passage];
            const there = !passage || range(passage, citation.start_bytes, citation.end_bytes);
            return there && range(answer, citation.answer_start_bytes, citation.answer_end_bytes);
        });
        report.demand(within, 'statement_citations_wrong', place);
    }
    return { answer, passages };
}
/**
 * Whether a passage is shown to be of the corpus in the card. Nobody vouches for one in an answer that is not
 * signed, was refused or broke off.
 */
async function isInCorpus(passage, path, { call, answered }) {
    if (!answered || call.vouching !== Vouching.SIGNED)
        return true;
    const root = answered.card.passages_root;
    if (root.length !== 32)
        return path === undefined;
    return path !== undefined && includes(root, answered.card.passage_count, path.index, passage, path.hashes);
}

// Whether the words of the answer are those of whom they are said to be.
/** Checks sources and spans, against the words where these are `opened`. */
function checkSpans(receipt, calls, answer, opened, report) {
    for (const [at, source] of receipt.sources.entries()) {
        const call = receipt.calls[source.call];
        report.demand(call && source.passage < call.passages.length, 'source_unknown', `source ${at + 1}`);
    }
    const text = answer === undefined ? undefined : utf8(answer);
    const shares = { verbatim: 0, rules: 0 };
    let [at, covers] = [0, true];
    for (const [nth, span] of receipt.spans.entries()) {
        const place = `span ${nth + 1}`;
        const length = span.length_bytes;
        const said = text && range(text, at, at + length);
        at += length;
        covers &&= length > 0 && (!text || said !== undefined);
        if (span.verbatim && span.verbatim.call < receipt.calls.length) {
            shares.verbatim += length;
            const { call, start_bytes, citation } = span.verbatim;
            const heard = opened[call];
            if (heard && said) {
                const words = range(heard.answer, start_bytes, start_bytes + length);
                report.demand(words !== undefined && same(words, said), 'span_altered', place);
            }
            if (citation) {
                const cited = cites(receipt, calls[call], heard, call, start_bytes, length, citation);
                report.demand(cited, 'span_citation_wrong', place);
            }
        }
        else if (span.rule !== undefined && span.rule < receipt.rules.length)
            shares.rules += length;
        else
            report.demand(false, 'span_origin_unknown', place);
    }
    covers &&= !text || text.length === at;
    report.demand(covers, 'spans_incomplete', '');
    return shares;
}
/** Whether a specialist cites what `citation` says for `length` bytes of its answer from `start` on. */
function cites(receipt, called, opened, call, start, length, citation) {
    const source = receipt.sources[citation.source_number - 1];
    if (!source || source.call !== call)
        return false;
    const passage = opened?.passages[source.passage];
    const { start_bytes, end_bytes } = citation;
    if (start_bytes >= end_bytes || (passage && !range(passage, start_bytes, end_bytes)))
        return false;
    if (!called.statement)
        return true;
    let at = start;
    for (const signed of called.statement.citations) {
        const covers = signed.start_bytes <= start_bytes && end_bytes <= signed.end_bytes;
        const here = signed.answer_start_bytes <= at && at < signed.answer_end_bytes;
        if (signed.passage === source.passage && covers && here)
            at = signed.answer_end_bytes;
    }
    return at >= start + length;
}

// Checks a receipt.json away from the router that made it: whose signatures it carries, that it is in the log,
// that specialists were asked what the user asked, and that the answer's words are theirs. Trust comes from
// outside: no key inside a receipt counts.
const CONSENT_MISSING = 10;
/** Checks the receipt.json in `json`; without `trust` as far as that goes without knowing anybody's key. */
async function verify(json, trust) {
    const report = new Report();
    if (!trust)
        report.remark('signers_unknown', '');
    const bundle = readBundle(json);
    report.demand(bundle !== undefined, 'bundle_not_canonical', '');
    if (bundle)
        await checkReceipt(bundle, trust, report);
    return report;
}
async function checkReceipt(bundle, trust, report) {
    const { payload, signature } = bundle;
    if (trust) {
        report.demand(bundle.keyid === trust.receipts.id, 'receipt_key_wrong', '');
        const isSigned = await fits(trust.receipts.key, 'receipt', payload, signature);
        report.demand(isSigned, 'receipt_signature_wrong', '');
    }
    const receipt = canonical('Receipt', payload);
    report.demand(receipt !== undefined, 'receipt_not_canonical', '');
    if (!receipt)
        return;
    report.demand(isComplete(receipt), 'receipt_incomplete', '');
    const isRouters = !trust || trust.receipts.name === `${receipt.router}/receipts`;
    report.demand(isRouters, 'router_wrong', '');
    noteReceipt(receipt, trust, report);
    const shown = await checkProof(bundle.proof, await leaf(bundle, receipt), RECEIPTS, trust, '', report);
    noteLog(shown, trust, report);
    const statements = readStatements(receipt);
    const cards = await checkInstitutions(bundle, receipt, namedCards(receipt, statements), trust, report);
    const calls = await checkCalls(receipt, statements, cards, report);
    await checkWords(bundle, receipt, calls, report);
    report.remark('revocations_unchecked', '');
}
/** What stands in the log for a receipt. */
async function leaf({ leafSalt, signature, payload }, receipt) {
    const head = utf8('rcpt/v1\0\x01');
    const bytes = new Uint8Array(73);
    bytes.set(head);
    bytes.set(await sha256(utf8('leaf'), leafSalt, signature, payload), 9);
    bytes.set(await sha256(utf8(receipt.router)), 41);
    return bytes;
}
/** Checks what was asked and said, as far as it is open. */
async function checkWords(bundle, receipt, calls, report) {
    const { opening } = bundle;
    if (!opening)
        report.remark('opening_deleted', '');
    const none = { ask: undefined, opened: [] };
    const { ask, opened } = opening ? await checkOpening(opening, receipt, calls, report) : none;
    const shares = checkSpans(receipt, calls, opening?.text, opened, report);
    checkDecision(receipt, calls, ask, report);
    noteWords(bundle, calls, shares, report);
}
/** Checks the decision, against the asker's wishes where the question is open. */
function checkDecision(receipt, calls, ask, report) {
    const { decision } = receipt;
    if (!decision)
        return;
    const ids = decision.candidates.map((one) => one.specialist_id);
    report.demand(new Set(ids).size === ids.length, 'candidate_repeated', '');
    const counted = new Set();
    for (const one of decision.candidates)
        if (one.calls > 0)
            counted.add(one.specialist_id);
    const called = new Set(calls.map(({ call }) => call.specialist_id));
    const agree = called.size === counted.size && [...called].every((id) => counted.has(id));
    report.demand(agree && called.size === calls.length, 'calls_differ', '');
    for (const { place, call, registered } of calls) {
        const id = call.specialist_id;
        const candidate = decision.candidates.find((one) => one.specialist_id === id);
        if (candidate) {
            report.demand(hex(candidate.card_sha256) === hex(call.card_sha256), 'candidate_card_wrong', place);
        }
        report.demand(decision.seen_by.includes(id), 'call_not_announced', place);
        const asks = registered !== undefined && registered.card.asks_consent;
        const agreed = !ask || (ask.options?.consent.includes(id) ?? false);
        const mayBe = candidate?.status !== CONSENT_MISSING && (!asks || agreed);
        report.demand(mayBe, 'called_without_consent', place);
    }
}
/** Whether `receipt` has what every receipt has. */
function isComplete(receipt) {
    const digests = [receipt.question, receipt.derivation, receipt.text];
    for (const call of receipt.calls)
        digests.push(call.card_sha256, call.request, call.answer, ...call.passages);
    if (receipt.registry)
        digests.push(receipt.registry.root);
    return (receipt.request_id !== '' &&
        receipt.decision !== undefined &&
        receipt.registry !== undefined &&
        [0, 32].includes(receipt.previous_sha256.length) &&
        digests.every((digest) => digest.length === 32));
}
function noteReceipt(receipt, trust, report) {
    const time = new Date(Number(receipt.time_s) * 1000);
    const when = isNaN(time.valueOf()) ? '' : `, made in the hour from ${time.toISOString().slice(0, 16)}Z`;
    const key = trust ? `, held to the key ${hex(trust.receipts.key)}` : '';
    report.note('receipt', `${receipt.request_id} of ${receipt.router}${when}${key}`);
}
function noteLog(shown, trust, report) {
    if (!shown)
        return;
    const { index, checkpoint, witnesses } = shown;
    const seen = `seen by ${witnesses} of ${trust?.witnesses.length ?? 0} known witnesses`;
    report.note('log', `number ${index + 1n} of ${checkpoint.size} in ${checkpoint.origin}, ${seen}`);
}
function noteWords(bundle, calls, shares, report) {
    const how = new Map([
        [Vouching.SIGNED, 'signed what it was asked and said'],
        [Vouching.UNSIGNED, 'signs nothing'],
        [Vouching.UNFINISHED, 'gave out before its end'],
        [Vouching.REFUSED, 'was refused'],
    ]);
    for (const { call, registered } of calls) {
        const vouching = how.get(call.vouching) ?? 'is said to have done nothing that is known';
        const number = registered?.index === undefined ? '' : `, number ${registered.index + 1n} of the registry`;
        const whose = registered ? `; ${registered.card.institution}, card ${registered.digest}${number}` : '';
        report.note('specialist', `${call.specialist_id} ${vouching}; passages sent: ${call.passages.length}${whose}`);
    }
    const { verbatim, rules } = shares;
    report.note('answer', `${verbatim} bytes are specialists' words, ${rules} the router's own texts`);
    const open = 'question, decision, requests, passages and answer are open, and were compared';
    report.note('open', bundle.opening ? open : 'nothing: the opening is deleted');
}

export { FAILURES, REMARKS, Report, readTrust, verify };
