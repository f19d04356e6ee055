import { useEffect, useState } from 'preact/hooks';

import { send } from '../api.ts';
import { texts } from '../language.ts';
import { Fetched } from '../parts/fetched.tsx';
import './about.css';
import { type Rule, sha256 } from './policy.ts';
import { Rules } from './rules.tsx';

/** What this is, the rules in force, and where everything can be checked. */
export default function About() {
  const t = texts().about;
  return (
    <article class="page about">
      <h1>{t.heading}</h1>
      {t.sentences.map((sentence) => <p key={sentence} class="about-sentence">{sentence}</p>)}
      <section>
        <h2>{t.check}</h2>
        <Checking />
      </section>
      <section>
        <h2>{t.title}</h2>
        <p class="grey about-intro">{t.rulesText}</p>
        <Fetched path="/v1/policy">{({ rules }: { rules: Rule[] }) => <Rules rules={rules} />}</Fetched>
      </section>
    </article>
  );
}

/** Where the record and the code that checks it can be had. */
function Checking() {
  const t = texts().about;
  return (
    <dl class="about-places">
      <dt><a href="/verify.html">{t.verifier}</a></dt>
      <dd>{t.verifierText} <VerifierDigest /></dd>
      <dt><a href="/log/receipts/checkpoint">{t.receipts}</a></dt>
      <dd>{t.receiptsText}</dd>
      <dt><a href="/log/registry/checkpoint">{t.registry}</a></dt>
      <dd>{t.registryText}</dd>
      <dt><a href="/v1/policy" download="policy.json">{t.policy}</a></dt>
      <dd>{t.policyText}</dd>
      <dt>{t.trust}</dt>
      <dd>{t.trustText} <code>docs/trust.md</code></dd>
    </dl>
  );
}

/** The digest of the verifier that this router hands out. */
function VerifierDigest() {
  const [digest, set] = useState<string | null>(null);
  useEffect(() => {
    const left = new AbortController();
    send('GET', '/verify.html', undefined, left.signal)
      .then((response) => response.arrayBuffer())
      .then((bytes) => sha256(new Uint8Array(bytes)))
      // Without a digest the text beside it still says what to do.
      .then(set, () => {});
    return () => left.abort();
  }, []);
  return digest === null ? null : <code>SHA-256 {digest}</code>;
}
