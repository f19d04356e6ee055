import { texts } from '../language.ts';
import { percent } from '../parts/percent.ts';
import { number } from './numbers.ts';
import { Plot } from './plot.tsx';
import { type Part, type Report, share } from './report.ts';

/** How often each was asked and won: a table whose bars are its numbers once more. */
export function Shares({ report }: { report: Report }) {
  const t = texts().fleet;
  const { tally, specialists } = report;
  const rows = [...specialists].sort((a, b) => b.won - a.won || b.asked - a.asked);
  return (
    <Plot caption={t.sharesText}>
      <table class="fleet-shares" aria-label={t.shares}>
        <thead>
          <tr>
            <th scope="col">{t.specialist}</th>
            <th scope="col" colSpan={2}>{t.won}</th>
            <th scope="col">{t.asked}</th>
            <th scope="col">{t.answered}</th>
            <th scope="col">{t.mute}</th>
            <th scope="col">{t.failed}</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((one) => {
            const won = { n: one.won, of: tally.asked };
            return (
              <tr key={one.id}>
                <th scope="row"><bdi>{one.title}</bdi></th>
                <td class="fleet-bar"><Line part={won} /></td>
                <td>{percent(share(won))}</td>
                <td>{number(one.asked)}</td>
                <td>{number(one.answered)}</td>
                <td>{number(one.no_answer)}</td>
                <td>{number(one.failed + one.timeout)}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </Plot>
  );
}

function Line({ part }: { part: Part }) {
  return (
    <svg width="100%" height="12" aria-hidden="true">
      <rect class="ground" width="100%" height="12" rx="3" />
      <rect class="value" width={`${100 * share(part)}%`} height="12" rx="3" />
    </svg>
  );
}
