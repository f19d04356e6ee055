// The page: takes files, says in words what was checked. Whatever a receipt says is set as text, never as HTML.

import type { Bytes } from './bytes.js';
import { readTrust, type Report, verify } from './verify.js';

const [chosen, names]: [Record<string, File | undefined>, Record<string, string>] = [
  {},
  { receipt: 'none yet', trust: 'none: signers stay unknown' },
];

function element(id: string): HTMLElement {
  return document.getElementById(id)!;
}

function made<Tag extends keyof HTMLElementTagNameMap>(tag: Tag, text: string): HTMLElementTagNameMap[Tag] {
  const one = document.createElement(tag);
  one.textContent = text;
  return one;
}

function show(state: string, verdict: string, meaning: string, findings: Node[] = []): void {
  const result = element('result');
  result.className = state;
  element('verdict').textContent = verdict;
  element('meaning').textContent = meaning;
  element('findings').replaceChildren(...findings);
  result.hidden = false;
}

/** A list of failures or remarks under a heading; nothing where there are none. */
function listed(heading: string, found: Report['failures'] | Report['remarks']): Node[] {
  if (found.length === 0) return [];
  const list = document.createElement('ul');
  for (const { name, says, place } of found) {
    const item = made('li', `${place ? `${place}: ` : ''}${says} `);
    item.append(made('code', name));
    list.append(item);
  }
  return [made('h3', heading), list];
}

function showReport(report: Report): void {
  const checked = document.createElement('dl');
  for (const { what, says } of report.checked) checked.append(made('dt', what), made('dd', says));
  const looked = report.checked.length > 0 ? [made('h3', 'What was looked at'), checked] : [];
  const findings = [
    ...listed('What is wrong', report.failures),
    ...looked,
    ...listed('What to know besides', report.remarks),
  ];
  if (!report.sound) show('refused', 'Refused', 'This receipt is not what the trusted router signed.', findings);
  else if (!report.verified) {
    const says = 'Nothing contradicts itself, but nobody knows whose keys signed it. Add a trust file.';
    show('unknown', 'Signers unknown', says, findings);
  } else show('verified', 'Verified', 'Everything that can be checked here is as it was signed.', findings);
}

async function check(): Promise<void> {
  for (const id of ['receipt', 'trust']) element(`${id}-name`).textContent = chosen[id]?.name ?? names[id]!;
  if (!chosen.receipt) return;
  try {
    if (!globalThis.crypto?.subtle) throw new Error('This browser has no WebCrypto here: save the page and open the file.');
    const trust = chosen.trust && (await readTrust(await chosen.trust.text()));
    const bytes: Bytes = new Uint8Array(await chosen.receipt.arrayBuffer());
    showReport(await verify(bytes, trust));
  } catch (error) {
    show('refused', 'Not checked', error instanceof Error ? error.message : String(error));
  }
}

/** Takes files that were dropped: a receipt begins in one way only. */
async function drop(files: Iterable<File>): Promise<void> {
  for (const file of files) {
    const isReceipt = (await file.slice(0, 20).text()).startsWith('{"v":1,"receipt":{');
    chosen[isReceipt || file.name.startsWith('receipt') ? 'receipt' : 'trust'] = file;
  }
  await check();
}

for (const id of ['receipt', 'trust']) {
  element(id).addEventListener('change', (event) => {
    chosen[id] = (event.target as HTMLInputElement).files?.[0];
    void check();
  });
}
document.addEventListener('dragover', (event) => {
  event.preventDefault();
  document.body.classList.add('over');
});
document.addEventListener('dragleave', () => document.body.classList.remove('over'));
document.addEventListener('drop', (event) => {
  event.preventDefault();
  document.body.classList.remove('over');
  void drop(event.dataTransfer?.files ?? []);
});
