// The rules in force, as the router publishes them. Pure but for the digest, which the browser computes.

export interface Rule {
  /** Such as `merge/heading`: its room, then its own name. */
  name: string;
  sha256: string;
  text: string;
}

/** The rules in whose name or text every word of `query` stands. */
export function matching(rules: Rule[], query: string): Rule[] {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  return rules.filter(({ name, sha256, text }) => {
    const whole = `${name}\n${sha256}\n${text}`.toLowerCase();
    return words.every((word) => whole.includes(word));
  });
}

/** The rules by room, in the order in which a question meets them. */
export function rooms(rules: Rule[]): [room: string, rules: Rule[]][] {
  const found = new Map<string, Rule[]>();
  for (const rule of rules) {
    const room = rule.name.split('/')[0] ?? '';
    found.set(room, [...(found.get(room) ?? []), rule]);
  }
  return [...found];
}

/** A rule's text for people: settings one below another, all else as it stands. */
export function readable(text: string): string {
  if (!/^[{[]/.test(text)) return text;
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

/** SHA-256 in hex; `null` where the browser computes none, as at addresses that are not secure. */
export async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string | null> {
  if (!globalThis.crypto?.subtle) return null;
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  return [...digest].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}
