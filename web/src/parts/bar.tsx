import { texts } from '../language.ts';
import { likelihood } from './percent.ts';

/** How likely it is that somebody covers a question, 0 to 1, as a bar. */
export function Bar({ value }: { value: number }) {
  return (
    <span class="bar" role="img" aria-label={texts().panel.covers(likelihood(value))}>
      <span style={{ inlineSize: `${(Math.max(0, Math.min(1, value)) * 100).toFixed(1)}%` }} />
    </span>
  );
}
