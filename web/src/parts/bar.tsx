import { texts } from '../language.ts';

/** A share between 0 and 1 as a bar. */
export function Bar({ value }: { value: number | null }) {
  if (value === null || value === undefined) return <span />;
  const share = Math.max(0, Math.min(1, value));
  return (
    <span class="bar" role="img" aria-label={texts().panel.score(value.toFixed(3))}>
      <span style={{ inlineSize: `${(share * 100).toFixed(1)}%` }} />
    </span>
  );
}
