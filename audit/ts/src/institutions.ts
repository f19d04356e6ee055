// Whether the cards that a receipt names are registered, and theirs who hold the keys in them.

import type { Bundle, Institution } from './bundle.js';
import { type Bytes, hex, same } from './bytes.js';
import { fits, sha256 } from './crypto.js';
import { checkProof, REGISTRY, type Shown, States } from './log.js';
import type { Trust } from './note.js';
import { canonical, type Message, read } from './protobuf.js';
import type { Report } from './report.js';

/** A card that stands in the registry. */
export interface Registered {
  digest: string;
  card: Message;
  /** Where its entry stands in the log. */
  index: bigint | undefined;
}

const ROTATED = 3;
const SUCCESSIONS_MAX = 16;
/** Admitted, updated, rotated, disabled, enabled. */
const STANDS = [1, 2, ROTATED, 4, 5];

/** Checks the institutions of `bundle`, which have to be those with the cards `named`. */
export async function checkInstitutions(
  bundle: Bundle,
  receipt: Message,
  named: string[],
  trust: Trust | undefined,
  report: Report,
): Promise<Registered[]> {
  const digests: string[] = [];
  for (const { card } of bundle.institutions) digests.push(hex(await sha256(card)));
  report.demand(digests.join() === named.join(), 'institutions_differ', '');
  const states = new States(receipt.registry);
  const registered: Registered[] = [];
  for (const [at, institution] of bundle.institutions.entries()) {
    const place = `institution ${at + 1}`;
    const shown = await checkProof(institution.proof, institution.entry, REGISTRY, trust, place, report);
    if (shown) states.add(shown, place, report);
    const one = await readInstitution(institution, shown, place, report);
    if (one) registered.push(one);
  }
  return registered;
}

async function readInstitution(
  institution: Institution,
  shown: Shown | undefined,
  place: string,
  report: Report,
): Promise<Registered | undefined> {
  const entry = canonical('RegistryEntry', institution.entry);
  report.demand(entry !== undefined, 'entry_not_canonical', place);
  let card: Message;
  try {
    card = read('Card', institution.card);
  } catch {
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
function registers(entry: Message, card: Message, digest: Bytes): boolean {
  return (
    STANDS.includes(entry.change) &&
    entry.specialist_id === card.specialist_id &&
    same(entry.content_sha256, digest) &&
    same(entry.public_key, card.public_key)
  );
}

/** Whether the key of `entry`, where it follows others, was appointed by the one before it, step by step. */
async function succeeds(entry: Message): Promise<boolean> {
  let key: Bytes | undefined;
  if (entry.successions.length > SUCCESSIONS_MAX) return false;
  for (const succession of entry.successions) {
    const says = canonical('Succession', succession.payload);
    const follows =
      says !== undefined &&
      says.specialist_id === entry.specialist_id &&
      (key === undefined || same(key, says.old_public_key)) &&
      !same(says.new_public_key, says.old_public_key) &&
      (await fits(says.old_public_key, 'succession', succession.payload, succession.signature));
    if (!follows) return false;
    key = says.new_public_key as Bytes;
  }
  return key === undefined ? entry.change !== ROTATED : same(key, entry.public_key);
}
