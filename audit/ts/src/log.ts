// Whether something stands in a log that the trusted router signed and enough witnesses have seen.

import { type Bytes, hex } from './bytes.js';
import { includes } from './crypto.js';
import type { Failure } from './failures.js';
import { type Checkpoint, cosigned, isSigned, type Proof, readProof, type Trust, type Vkey } from './note.js';
import type { Message } from './protobuf.js';
import type { Report } from './report.js';

interface Names {
  malformed: Failure;
  missing: Failure;
  origin: Failure;
  signature: Failure;
  witness: Failure;
  witnesses: Failure;
}

export const RECEIPTS: Names = {
  malformed: 'log_proof_malformed',
  missing: 'receipt_not_in_log',
  origin: 'log_origin_wrong',
  signature: 'log_signature_wrong',
  witness: 'log_witness_wrong',
  witnesses: 'log_witnesses_missing',
};

export const REGISTRY: Names = {
  malformed: 'registry_proof_malformed',
  missing: 'entry_not_in_registry',
  origin: 'registry_origin_wrong',
  signature: 'registry_signature_wrong',
  witness: 'registry_witness_wrong',
  witnesses: 'registry_witnesses_missing',
};

/** What was shown to be in a log. */
export interface Shown {
  index: bigint;
  checkpoint: Checkpoint;
  /** How many known witnesses signed it. */
  witnesses: number;
}

async function countWitnesses(
  { note, checkpoint }: Proof,
  names: Names,
  key: Vkey,
  trust: Trust,
  place: string,
  report: Report,
): Promise<number> {
  const isOrigin = report.demand(checkpoint.origin === key.name, names.origin, place);
  if (!report.demand(await isSigned(note, key), names.signature, place) || !isOrigin) return 0;
  const seen = await cosigned(note, key, trust.witnesses);
  report.demand(seen !== undefined, names.witness, place);
  if (!seen) return 0;
  if (seen.unknown > 0) report.remark('unknown_witness', place);
  report.demand(seen.witnesses >= trust.witnessesMin, names.witnesses, place);
  return seen.witnesses;
}

/** Checks that `entry` stands in the log with these `names` as `text` says; none where that cannot be read. */
export async function checkProof(
  text: string,
  entry: Bytes,
  names: Names,
  trust: Trust | undefined,
  place: string,
  report: Report,
): Promise<Shown | undefined> {
  const proof = readProof(text);
  report.demand(proof !== undefined, names.malformed, place);
  if (!proof) return undefined;
  const { index, path, checkpoint } = proof;
  const included = await includes(checkpoint.root, checkpoint.size, index, entry, path);
  report.demand(included, names.missing, place);
  const key = names === RECEIPTS ? trust?.receipts : trust?.registry;
  const witnesses = trust && key ? await countWitnesses(proof, names, key, trust, place, report) : 0;
  return { index, checkpoint, witnesses };
}

/** The states of the registry that a receipt shows. */
export class States {
  private readonly states: { size: bigint; root: string }[] = [];

  constructor(state: Message | undefined) {
    if (state) this.states.push({ size: state.size, root: hex(state.root) });
  }

  /** Adds a state, which has to agree with those before it. */
  add(shown: Shown, place: string, report: Report): void {
    const [size, root] = [shown.checkpoint.size, hex(shown.checkpoint.root)];
    const first = this.states[0];
    report.demand(!first || size >= first.size, 'registry_rolled_back', place);
    const forked = this.states.some((other) => other.size === size && other.root !== root);
    report.demand(!forked, 'registry_forked', place);
    this.states.push({ size, root });
  }
}
