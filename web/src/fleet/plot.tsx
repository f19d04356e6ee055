import type { ComponentChildren } from 'preact';

/** A table that scrolls by itself where it is too wide, under words that do not. */
export function Plot({ caption, children }: { caption: string; children: ComponentChildren }) {
  return (
    <>
      <p class="fleet-caption">{caption}</p>
      <div class="fleet-scroll" tabIndex={0} role="region" aria-label={caption}>{children}</div>
    </>
  );
}
