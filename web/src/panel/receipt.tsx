// The receipt of an answer: checked here, downloaded, or taken to a verifier from elsewhere.

import { useEffect, useRef, useState } from 'preact/hooks';

import digest from '../../../audit/ts/dist/verify.html.sha256?raw';
import type { Receipt } from '../api.ts';
import { texts } from '../language.ts';
import { Icon } from '../parts/icons.tsx';
import { save } from '../parts/save.ts';
import { check, type Checked, fetchReceipt } from './check.ts';

type State = { at: 'idle' | 'checking' | 'failed' } | { at: 'done'; checked: Checked };

export function ReceiptView({ receipt }: { receipt: Receipt }) {
  const t = texts().receipt;
  const [state, setState] = useState<State>({ at: 'idle' });
  const told = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (state.at !== 'idle') told.current?.scrollIntoView({ block: 'nearest' });
  }, [state]);
  const fetched = () => fetchReceipt(receipt.url, receipt.capability ?? '');
  const run = async (trustFile: string | null) => {
    setState({ at: 'checking' });
    try {
      setState({ at: 'done', checked: await check(await fetched(), trustFile) });
    } catch {
      setState({ at: 'failed' });
    }
  };
  const download = async () => {
    try {
      save('receipt.json', 'application/json', await fetched());
    } catch {
      setState({ at: 'failed' });
    }
  };
  const chosen = async (event: Event & { currentTarget: HTMLInputElement }) => {
    const file = event.currentTarget.files?.[0];
    if (file) await run(await file.text());
  };
  const canCheck = globalThis.crypto?.subtle !== undefined;
  return (
    <div class="receipt">
      <p class="small">{t.intro}</p>
      <p class="small grey id">{receipt.id}</p>
      {!canCheck && <p class="small warn">{t.noCrypto}</p>}
      <div class="row">
        <button type="button" class="button main" disabled={!canCheck || state.at === 'checking'} onClick={() => void run(null)}><Icon name="shield" />{t.verify}</button>
        <button type="button" class="button" onClick={() => void download()}><Icon name="load" />{t.download}</button>
      </div>
      <div role="status" ref={told}>
        {state.at === 'checking' && <p class="small grey">{t.checking}</p>}
        {state.at === 'failed' && <p class="small bad">{t.failed}</p>}
        {state.at === 'done' && <ReportView {...state.checked} />}
      </div>
      {canCheck && <label class="file small">{t.trust}<input type="file" accept=".json,application/json" onChange={(event) => void chosen(event)} /></label>}
      <p class="small">{t.honest}</p>
      <p class="small"><a href="/verify.html" target="_blank" rel="noopener">{t.standalone}</a><br />{t.digest}<br /><code class="digest">{digest.split(' ')[0]}</code></p>
    </div>
  );
}

function ReportView({ report, keys }: Checked) {
  const t = texts().receipt;
  const state = !report.sound ? 'refused' : report.verified ? 'verified' : 'unknown';
  const from = { router: t.keysRouter, yours: t.keysYours, none: t.keysNone }[keys];
  return (
    <div class={`report ${state}`}>
      <p class="verdict"><Icon name={state === 'verified' ? 'check' : state === 'refused' ? 'alert' : 'info'} />{t[state]}</p>
      <p class="small">{from}</p>
      <Found title={t.wrong} found={report.failures} open />
      {report.checked.length > 0 && (
        <details class="small">
          <summary>{t.looked}</summary>
          <dl>{report.checked.map(({ what, says }) => <><dt>{what}</dt><dd>{says}</dd></>)}</dl>
        </details>
      )}
      <Found title={t.besides} found={report.remarks} />
    </div>
  );
}

function Found({ title, found, open = false }: { title: string; found: { name: string; says: string; place: string }[]; open?: boolean }) {
  if (found.length === 0) return null;
  return (
    <details class="small" open={open}>
      <summary>{title}</summary>
      <ul>{found.map(({ says, place }) => <li>{place && <b>{place}: </b>}{says}</li>)}</ul>
    </details>
  );
}
