// What came of checking a receipt.

import { FAILURES, type Failure, REMARKS, type Remark } from './failures.js';

/** A failure or a remark, what it means, and where: empty for the whole. */
export interface Found<Name> {
  name: Name;
  says: string;
  place: string;
}

export class Report {
  readonly failures: Found<Failure>[] = [];
  readonly remarks: Found<Remark>[] = [];
  /** What was checked and by whom it is signed: a heading and a sentence. */
  readonly checked: { what: string; says: string }[] = [];

  /** Nothing is wrong, as far as can be said. */
  get sound(): boolean {
    return this.failures.length === 0;
  }

  /** The signers are known and nothing is wrong. */
  get verified(): boolean {
    return this.sound && !this.remarks.some((remark) => remark.name === 'signers_unknown');
  }

  /** Takes down a failure unless it `holds`; says whether it does. */
  demand(holds: boolean, name: Failure, place: string): boolean {
    if (!holds) this.failures.push({ name, says: FAILURES[name], place });
    return holds;
  }

  remark(name: Remark, place: string): void {
    this.remarks.push({ name, says: REMARKS[name], place });
  }

  note(what: string, says: string): void {
    // Without what would steer a terminal.
    this.checked.push({ what, says: says.replace(/\p{Cc}/gu, '\ufffd') });
  }
}
