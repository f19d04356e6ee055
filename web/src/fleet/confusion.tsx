import { useState } from 'preact/hooks';

import { texts } from '../language.ts';
import { percent } from '../parts/percent.ts';
import { Plot } from './plot.tsx';
import { examined, type Matrix, MATRIX_MAX, type Member, type Part, type Report, rivals, share, shown, uncovered } from './report.ts';

/** How many shades a cell may have, besides none. */
const SHADES = 5;

/** Who is mistaken for whom: in the exams, and in what was asked. */
export function Confusion({ report }: { report: Report }) {
  const t = texts().fleet;
  const [what, choose] = useState<'asked' | 'second'>('asked');
  const members = shown(report.specialists);
  const some = members.length < report.registered;
  return (
    <>
      <section>
        <h2>{t.examined}</h2>
        <p class="grey">{t.examinedText}{some && ` ${t.most(MATRIX_MAX)}`}</p>
        <Heat members={members} matrix={examined(members)} nobody={uncovered(members)} caption={t.examinedCaption} cell={t.examinedCell} />
      </section>
      {report.tally.asked > 0 && (
        <section>
          <h2>{t.rivals}</h2>
          <p class="grey">{t.rivalsText}</p>
          <fieldset class="fleet-choice">
            <legend>{t.show}</legend>
            {(['asked', 'second'] as const).map((one) => (
              <label key={one}>
                <input type="radio" name="rivals" checked={what === one} onChange={() => choose(one)} /> {t.what[one]}
              </label>
            ))}
          </fieldset>
          <Heat members={members} matrix={rivals(members, report.tally.pairs, what)} caption={t.rivalsCaption[what]} cell={t.rivalsCell} />
        </section>
      )}
    </>
  );
}

interface Props {
  members: Member[];
  matrix: Matrix;
  /** A last column: how much of each row goes to nobody. */
  nobody?: (Part | null)[];
  caption: string;
  /** What a cell says in words, for those who do not see where it stands. */
  cell: (row: string, column: string, n: number, of: number) => string;
}

function Heat({ members, matrix, nobody, caption, cell }: Props) {
  const t = texts().fleet;
  const numbered = (at: number) => <span class="fleet-number" aria-hidden="true">{at + 1}</span>;
  return (
    <Plot caption={caption}>
      <table class="fleet-heat" aria-label={caption}>
        <thead>
          <tr>
            <td />
            {members.map(({ id, title }, at) => (
              <th key={id} scope="col" title={title}>{numbered(at)}<span class="hidden">{title}</span></th>
            ))}
            {nobody && <th scope="col">{t.nobody}</th>}
          </tr>
        </thead>
        <tbody>
          {members.map((row, at) => (
            <tr key={row.id}>
              <th scope="row"><span>{numbered(at)} <bdi>{row.title}</bdi></span></th>
              {members.map((column, to) => (
                <Cell key={column.id} part={matrix[at]?.[to] ?? null} own={at === to} words={(n, of) => cell(row.title, column.title, n, of)} />
              ))}
              {nobody && <Cell part={nobody[at] ?? null} own={false} words={(n, of) => cell(row.title, t.nobody, n, of)} />}
            </tr>
          ))}
        </tbody>
      </table>
    </Plot>
  );
}

function Cell({ part, own, words }: { part: Part | null; own: boolean; words: (n: number, of: number) => string }) {
  if (!part) return <td class="heat-0"><span role="img" aria-label={texts().fleet.uncounted}>·</span></td>;
  const steps = Math.ceil(share(part) * SHADES);
  return <td class={`${own ? 'own ' : ''}heat-${steps}`} title={words(part.n, part.of)}>{percent(share(part))}</td>;
}
