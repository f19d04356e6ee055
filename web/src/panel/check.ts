// Checks a receipt in this browser, with the same code as the standalone verifier.

import { readTrust, type Report, type Trust, verify } from '../../../audit/ts/src/verify.ts';

export type { Report };

/** Where the signers' keys came from. */
export type Keys = 'router' | 'yours' | 'none';

export interface Checked {
  report: Report;
  keys: Keys;
}

/** The receipt at `url`, byte for byte. */
export async function fetchReceipt(url: string, capability: string): Promise<Uint8Array<ArrayBuffer>> {
  const response = await fetch(url, { headers: { authorization: `Bearer ${capability}` }, credentials: 'same-origin' });
  if (!response.ok) throw new Error(String(response.status));
  return new Uint8Array(await response.arrayBuffer());
}

/** Checks `receipt` with the keys of `trustFile`, else with those that the router names. */
export async function check(receipt: Uint8Array<ArrayBuffer>, trustFile: string | null): Promise<Checked> {
  const named = trustFile === null ? await routersKeys() : null;
  const trust = trustFile === null ? named : await readTrust(trustFile);
  const keys = trustFile !== null ? 'yours' : trust ? 'router' : 'none';
  return { report: await verify(receipt, trust ?? undefined), keys };
}

async function routersKeys(): Promise<Trust | null> {
  try {
    const response = await fetch('/v1/trust', { credentials: 'same-origin' });
    return response.ok ? await readTrust(await response.text()) : null;
  } catch {
    return null;
  }
}
